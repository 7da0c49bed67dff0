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
		fmt.Fprintf(table, "  %s\n", d.verdict())
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	notes := append([]string{fmt.Sprintf("intervals hold together at %s confidence; block bootstrap over %d slots of %v", confidence, r.Slots, r.Width),
		"what changes between runs but not within one cannot be seen from two runs"}, r.Notes...)
	if _, err := fmt.Fprintf(w, "\n%s\n", strings.Join(notes, "\n")); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

func (r *Report) answer() string {
	if !r.Differs {
		return "no difference: b and a agree within what chance explains"
	}
	var worse, better []string
	for _, d := range r.Differences {
		what := d.Metric + " of " + d.Scope
		switch {
		case d.Worse:
			worse = append(worse, what)
		case d.Differs:
			better = append(better, what)
		}
	}
	var parts []string
	if len(worse) > 0 {
		parts = append(parts, "worse in "+strings.Join(worse, ", "))
	}
	if len(better) > 0 {
		parts = append(parts, "better in "+strings.Join(better, ", "))
	}
	return "b differs from a: " + strings.Join(parts, "; ")
}

func (d *Difference) verdict() string {
	switch {
	case !d.Differs:
		return "no difference"
	case d.Metric == "errors" && d.Worse:
		return "more errors"
	case d.Metric == "errors":
		return "fewer errors"
	case d.Worse:
		return "slower"
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
