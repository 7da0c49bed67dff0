// Package report shows drills: live while they run, and from their journals as text,
// test suites, or a page without other files.
//
// It must not know how drills are run, nor judge them.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"firedrill/chaos/run"
	"firedrill/internal/userfile"
)

// JSON writes a journal. Read reads it back.
func JSON(w io.Writer, j *run.Journal) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(j); err != nil {
		return fmt.Errorf("write the journal of %q: %w", j.Drill, err)
	}
	return nil
}

// longestJournal is the maximum size of a journal, in bytes.
const longestJournal = 256 << 20

// Read reads a journal from a file.
func Read(file string) (*run.Journal, error) {
	text, err := userfile.Read(file, longestJournal)
	if err != nil {
		return nil, fmt.Errorf("read a journal: %w", err)
	}
	var j run.Journal
	if err := json.Unmarshal(text, &j); err != nil {
		return nil, fmt.Errorf("read the journal %s: %w", file, err)
	}
	if j.Drill == "" || j.Verdict == "" {
		return nil, fmt.Errorf("read the journal %s: it is no journal of a drill", file)
	}
	return &j, nil
}

// Text writes the results of a run for a terminal or a log.
func Text(w io.Writer, j *run.Journal) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s: %s (%s, scale %g)\n", strings.ToUpper(string(j.Verdict)), j.Drill, j.Title, short(j.End.Sub(j.Start)), j.Scale)
	if j.Stopped != nil {
		fmt.Fprintf(&b, "stopped in phase %s: %s\n", j.Stopped.Phase, j.Stopped.Reason)
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range j.Checks {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", sign(c.Outcome), c.Signal, c.Name, detail(c))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range j.Sights {
		if s.Link != "" {
			fmt.Fprintf(&b, "  trace of %q: %s\n", s.Name, s.Link)
		}
	}
	if j.Advice != "" {
		fmt.Fprintf(&b, "  what to do: %s\n", j.Advice)
	}
	if j.Verdict != run.Pass && j.Runbook != "" {
		fmt.Fprintf(&b, "  runbook: %s\n", j.Runbook)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sign returns a mark for an outcome, without colour.
func sign(o run.Outcome) string {
	return map[run.Outcome]string{run.Passed: "✓", run.Failed: "✗", run.Unknown: "?"}[o]
}

// detail returns the detail of a check, with the prediction beside the measurement.
func detail(c run.Check) string {
	if c.Predicted == nil {
		return c.Detail
	}
	return c.Detail + "; " + predicted(*c.Predicted)
}

func predicted(p run.Prediction) string {
	if !p.Fires {
		return fmt.Sprintf("the arithmetic predicts that it does not fire at %.3g %% errors", p.Ratio*100)
	}
	return fmt.Sprintf("predicted %s to %s, reset %s (at %.3g %% errors)", p.Detection, p.Detection+p.Slack, p.Reset, p.Ratio*100)
}

// short returns a length of time in whole seconds.
func short(d time.Duration) string { return d.Round(time.Second).String() }

// byFirst sorts alerts by when they were first seen.
func byFirst(all []run.AlertRun) []run.AlertRun {
	first := func(a run.AlertRun) time.Time {
		if len(a.Episodes) == 0 {
			return time.Time{}
		}
		e := a.Episodes[0]
		if e.Pending.IsZero() {
			return e.Firing
		}
		return e.Pending
	}
	out := slices.DeleteFunc(slices.Clone(all), func(a run.AlertRun) bool { return len(a.Episodes) == 0 })
	slices.SortStableFunc(out, func(a, b run.AlertRun) int { return first(a).Compare(first(b)) })
	return out
}
