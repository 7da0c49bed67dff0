package verify

import (
	"fmt"
	"time"

	"firedrill/internal/junit"
)

// Suite returns the report as a test suite: one case for each cell. If missing cells prove nothing, because the
// machine did not keep up, they are errors and not failures.
func (r Report) Suite() junit.Suite {
	length := time.Duration(r.Seconds * float64(time.Second))
	s := junit.Suite{Name: "verify", Start: time.Now().Add(-length), Length: length}
	why := r.Inconclusive()
	for _, c := range r.Cells {
		k := junit.Case{Name: c.Name(), Length: time.Duration(c.Seconds * float64(time.Second)), Text: fmt.Sprintf("asked %s\ngot %s", c.Asked, c.Got)}
		switch {
		case c.State == OK:
			k.Outcome = junit.Passed
		case c.State == Waiting:
			k.Outcome, k.Text = junit.Error, "not decided: the run ended first"
		case why != "":
			k.Outcome, k.Text = junit.Error, why+"\n"+k.Text
		default:
			k.Outcome = junit.Failed
		}
		s.Cases = append(s.Cases, k)
	}
	return s
}
