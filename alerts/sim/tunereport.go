package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"firedrill/alerts/slo"
)

// Write writes the result as a table.
func (t Tuning) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Tried %d policies. %d of them no other beats, in how long significant incidents go unnoticed, precision and cost;\n", t.Tried, len(t.Front))
	fmt.Fprintln(&b, "and they tell of as many incidents as the default does, by no more pages and tickets.")
	if t.DefaultOnFront() {
		fmt.Fprintln(&b, "None of them beats the default.")
	} else {
		fmt.Fprintf(&b, "%d of them beat the default.\n", len(t.Better))
	}
	fmt.Fprintf(&b, "\nOn the incidents\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tpage\tticket\tunnoticed for\tprecision\trecall\tpages\ttickets\tsamples/s")
	t.row(table, "default", t.Default, t.Default.Judgement)
	t.row(table, "workbook", t.Book, t.Book.Judgement)
	for _, c := range t.Front {
		t.row(table, "front", c, c.Judgement)
	}
	_ = table.Flush() // writing to a string does not fail
	fmt.Fprintf(&b, "\nOn %d random months that the search did not see\n", t.Months)
	table = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tpage\tticket\tunnoticed for\tprecision\trecall\tpages\ttickets\tsamples/s")
	t.row(table, "default", t.Default, t.Default.Random)
	t.row(table, "workbook", t.Book, t.Book.Random)
	for _, c := range t.Better {
		t.row(table, "beats default", c, c.Random)
	}
	_ = table.Flush() // writing to a string does not fail
	_, err := io.WriteString(w, b.String())
	return err
}

func (Tuning) row(w io.Writer, what string, c Candidate, j Judgement) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%.0f\n", what, describe(c.Policy.Page), describe(c.Policy.Ticket),
		brief(j.Detection), share(j.Precision), share(j.Recall), j.Pages, j.Tickets, c.Cost)
}

// describe formats an alert's pairs: 14.4x 1h/5m, 6x 6h/30m.
func describe(a slo.Alert) string {
	var all []string
	for _, p := range a.Pairs {
		all = append(all, fmt.Sprintf("%sx %s/%s", slo.FormatNumber(p.Burn), slo.Format(p.Long), slo.Format(p.Short)))
	}
	return strings.Join(all, ", ")
}

// The JSON format of the tuning.
type (
	tuningJSON struct {
		Tried    int             `json:"tried"`
		Months   int             `json:"random_months"`
		Default  candidateJSON   `json:"default"`
		Workbook candidateJSON   `json:"workbook"`
		Front    []candidateJSON `json:"front"`
		Better   []candidateJSON `json:"better_than_default"`
	}
	candidateJSON struct {
		Page      []pairJSON  `json:"page"`
		Ticket    []pairJSON  `json:"ticket"`
		Cost      float64     `json:"samples_per_second"`
		Incidents figureJSON  `json:"on_incidents"`
		Random    *figureJSON `json:"on_random_months,omitempty"`
	}
	pairJSON struct {
		Long  seconds `json:"long_seconds"`
		Short seconds `json:"short_seconds"`
		Burn  float64 `json:"burn_rate"`
	}
	figureJSON struct {
		Detection seconds  `json:"unnoticed_seconds"`
		Unnoticed float64  `json:"unnoticed_budget"`
		Precision *float64 `json:"precision"`
		Recall    *float64 `json:"recall"`
		Pages     int      `json:"pages"`
		Tickets   int      `json:"tickets"`
	}
)

// MarshalJSON implements json.Marshaler.
func (t Tuning) MarshalJSON() ([]byte, error) {
	out := tuningJSON{Tried: t.Tried, Months: t.Months, Default: t.Default.json(), Workbook: t.Book.json(), Front: []candidateJSON{}, Better: []candidateJSON{}}
	for _, c := range t.Front {
		out.Front = append(out.Front, c.json())
	}
	for _, c := range t.Better {
		out.Better = append(out.Better, c.json())
	}
	return json.Marshal(out)
}

func (c Candidate) json() candidateJSON {
	out := candidateJSON{Page: pairsJSON(c.Policy.Page), Ticket: pairsJSON(c.Policy.Ticket), Cost: c.Cost, Incidents: c.Judgement.figures()}
	if c.Random.Incidents != nil {
		random := c.Random.figures()
		out.Random = &random
	}
	return out
}

func pairsJSON(a slo.Alert) []pairJSON {
	var all []pairJSON
	for _, p := range a.Pairs {
		all = append(all, pairJSON{seconds(p.Long), seconds(p.Short), p.Burn})
	}
	return all
}

func (j Judgement) figures() figureJSON {
	return figureJSON{seconds(j.Detection), j.Unnoticed, known(j.Precision), known(j.Recall), j.Pages, j.Tickets}
}
