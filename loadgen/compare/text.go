package compare

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Text writes the report for a person: first the answer, then every comparison with its interval, then the notes.
func (r *Report) Text(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", r.answer()); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	confidence := fmt.Sprintf("%g %%", r.Confidence*100)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "scope\tmetric\ta\tb\tchange\tfrom\tto\t\n")
	for _, d := range r.Differences {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t", d.Scope, d.Metric, d.value(d.A), d.value(d.B), d.change(d.Change), d.change(d.Low), d.change(d.High))
		fmt.Fprintf(table, "  %s\n", d.words())
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	notes := append([]string{fmt.Sprintf("intervals hold together at %s confidence; block bootstrap over %d slots of %v", confidence, r.Slots, r.Width),
		fmt.Sprintf("changes within %g %% of a latency and %g percentage points of errors do not matter (--margin, --error-margin)", r.Margin*100, r.ErrorMargin*100),
		"what changes between runs but not within one cannot be seen from two runs"}, r.Notes...)
	if _, err := fmt.Fprintf(w, "\n%s\n", strings.Join(notes, "\n")); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// answer returns the verdict in one line.
func (r *Report) answer() string {
	names := map[Finding][]string{}
	for _, d := range r.Differences {
		names[d.Finding] = append(names[d.Finding], d.Metric+" of "+d.Scope)
	}
	var parts []string
	if worse := names[Worse]; len(worse) > 0 {
		parts = append(parts, "b is worse in "+strings.Join(worse, ", "))
	}
	if better := names[Better]; len(better) > 0 {
		parts = append(parts, "b is better in "+strings.Join(better, ", "))
	}
	switch unclear := names[Unclear]; {
	case len(r.Differences) == 0:
		parts = append(parts, "cannot tell: nothing could be compared")
	case len(unclear) > 0:
		parts = append(parts, fmt.Sprintf("cannot tell about %s: run at least %s", strings.Join(unclear, ", "), atLeast(r.AtLeast)))
	case len(parts) == 0:
		parts = append(parts, "no difference that matters: every interval is within the margin")
	}
	return strings.Join(parts, "; ")
}

// words returns the finding for a person.
func (d *Difference) words() string {
	errors := d.Metric == "errors"
	switch d.Finding {
	case Same:
		return "no difference that matters"
	case Unclear:
		return "cannot tell: run at least " + atLeast(d.Run)
	case Worse:
		if errors {
			return "more errors"
		}
		return "slower"
	case Better:
		if errors {
			return "fewer errors"
		}
	}
	return "faster"
}

// value formats a latency or a share.
func (d *Difference) value(v float64) string {
	if d.Metric == "errors" {
		return fmt.Sprintf("%.3f %%", v*100)
	}
	return time.Duration(v * float64(time.Second)).Round(time.Microsecond).String()
}

// change formats a change: percent for latencies, percentage points for errors.
func (d *Difference) change(v float64) string {
	if d.Metric == "errors" {
		return fmt.Sprintf("%+.3f pp", v*100)
	}
	return fmt.Sprintf("%+.1f %%", v*100)
}
