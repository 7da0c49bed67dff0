package compare

import (
	"strings"

	"firedrill/internal/junit"
)

// Suite returns the report as a test suite: a case for each difference. What is unclear is an error.
func (r *Report) Suite() junit.Suite {
	s := junit.Suite{Name: "load.compare"}
	for _, d := range r.Differences {
		c := junit.Case{Name: d.Metric + " of " + d.Scope, Text: strings.Join([]string{
			d.value(d.A) + " to " + d.value(d.B), d.change(d.Low) + " to " + d.change(d.High), d.words(),
		}, "; ")}
		switch d.Finding {
		case Worse:
			c.Outcome = junit.Failed
		case Unclear:
			c.Outcome = junit.Error
		case Better, Same:
			c.Outcome = junit.Passed
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}
