package report

import (
	"fmt"
	"strings"

	"firedrill/chaos/run"
	"firedrill/internal/junit"
)

// Suites returns drills as test suites. Each check is a case; an inconclusive one is an error. A drill that was
// refused is a suite with one error.
func Suites(refused []*run.RefusedError, journals ...*run.Journal) []junit.Suite {
	var all []junit.Suite
	for _, r := range refused {
		all = append(all, junit.Suite{
			Name:  suiteName(r.Drill),
			Cases: []junit.Case{{Name: "begins", Outcome: junit.Error, Text: "refused: " + strings.Join(r.Reasons, "; ")}},
		})
	}
	for _, j := range journals {
		all = append(all, suiteOf(j))
	}
	return all
}

func suiteName(drill string) string { return "drill." + drill }

func suiteOf(j *run.Journal) junit.Suite {
	s := junit.Suite{Name: suiteName(j.Drill), Start: j.Start, Length: j.End.Sub(j.Start)}
	add := func(name, text string, o junit.Outcome) {
		s.Cases = append(s.Cases, junit.Case{Name: name, Outcome: o, Text: text})
	}
	for _, c := range j.Checks {
		add(string(c.Signal)+" "+c.Name, detail(c), caseOutcome(c.Outcome))
	}
	if j.Stopped != nil {
		add("to the end", fmt.Sprintf("stopped in phase %s: %s", j.Stopped.Phase, j.Stopped.Reason), junit.Error)
	}
	if j.Advice != "" {
		add("what to do", j.Advice, junit.Error)
	}
	return s
}

func caseOutcome(o run.Outcome) junit.Outcome {
	switch o {
	case run.Passed:
		return junit.Passed
	case run.Failed:
		return junit.Failed
	case run.Unknown:
	}
	return junit.Error
}
