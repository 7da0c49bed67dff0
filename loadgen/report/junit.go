package report

import (
	"strings"

	"firedrill/internal/junit"
	"firedrill/loadgen/result"
)

// Suite returns the result as a test suite: a case for each threshold, one for whether requests succeed at all, and one
// for whether the run is valid. What the generator did, and not the target, is an error and not a failure.
func Suite(r *result.Result) junit.Suite {
	s := junit.Suite{Name: "load." + r.Meta.Profile, Start: r.Meta.Start, Length: r.Elapsed}
	verdict, reasons := r.Verdict()
	add := func(name string, outcome junit.Outcome, text string) {
		s.Cases = append(s.Cases, junit.Case{Name: name, Outcome: outcome, Text: text})
	}
	if verdict == result.Failed {
		add("requests succeed", junit.Failed, strings.Join(reasons, "; "))
	} else {
		add("requests succeed", junit.Passed, "")
	}
	switch {
	case !r.Validity.Valid:
		add("the load is as the profile describes", junit.Error, strings.Join(r.Validity.Reasons, "; "))
	case r.Total(nil).Requests == 0:
		add("the load is as the profile describes", junit.Error, "nothing was sent")
	default:
		add("the load is as the profile describes", junit.Passed, strings.Join(r.Validity.Notes, "; "))
	}
	for _, t := range r.Thresholds {
		outcome := junit.Failed
		switch {
		case t.Unclear:
			outcome = junit.Error
		case t.OK:
			outcome = junit.Passed
		}
		add(t.Expression, outcome, t.Actual)
	}
	return s
}
