package sim

import (
	"fmt"

	"firedrill/internal/junit"
)

// Suites returns the report as test suites: one for each rule set, with a case for each incident. A case fails if a
// significant incident causes no alert, or if another incident pages. Alerts that belong to no incident are a case too.
func (r Report) Suites() []junit.Suite {
	var all []junit.Suite
	for _, s := range r.Results {
		suite := junit.Suite{Name: "slo.sim." + s.Set.Name}
		for _, o := range s.Judgement.Incidents {
			c := junit.Case{Name: o.Incident, Outcome: junit.Passed, Text: "alert after " + told(o)}
			switch {
			case o.Significant && !o.Detected() && !o.Page.Masked && !o.Ticket.Masked:
				c.Outcome, c.Text = junit.Failed, fmt.Sprintf("no alert, though the incident spends %s of the budget", percent(o.Spent))
			case !o.Significant && o.Page.Fires:
				c.Outcome, c.Text = junit.Failed, fmt.Sprintf("a page, though the incident spends only %s of the budget", percent(o.Spent))
			case !o.Detected():
				c.Text = "no alert of its own"
			}
			suite.Cases = append(suite.Cases, c)
		}
		strays := junit.Case{Name: "alerts without an incident", Outcome: junit.Passed, Text: "none"}
		if n := s.Judgement.Strays; n > 0 {
			strays.Outcome, strays.Text = junit.Failed, fmt.Sprintf("%d notifications belong to no incident", n)
		}
		suite.Cases = append(suite.Cases, strays)
		if s.Proof != nil {
			proof := junit.Case{Name: "Prometheus's rule groups agree", Outcome: junit.Passed}
			if n := len(s.Proof.Differences); n > 0 {
				proof.Outcome, proof.Text = junit.Failed, fmt.Sprintf("%d differences, such as %s", n, s.Proof.Differences[0])
			}
			suite.Cases = append(suite.Cases, proof)
		}
		for _, name := range s.Unjudged {
			suite.Cases = append(suite.Cases, junit.Case{Name: name, Outcome: junit.Skipped, Text: "not judged: it looks back as long as was simulated"})
		}
		all = append(all, suite)
	}
	return all
}
