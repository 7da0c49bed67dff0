package sim

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"firedrill/alerts/slo"
)

// Report is the result of replaying a catalogue.
type Report struct {
	Catalogue Catalogue
	Objective float64 // in percent
	Results   []Result
}

// Write writes the report as two tables: one line per rule set, then one line per incident.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d incidents, of which %d spend %s of the budget or more; objective %s %%\n\n",
		r.Catalogue.Name, slo.Format(Period), len(r.Catalogue.Incidents), r.significant(), percent(Significant), slo.FormatNumber(r.Objective))
	r.sets(&b)
	for _, part := range []struct {
		title string
		cell  func(Outcome) string
	}{
		{"Told after the incident began (page; t: only a ticket; on: an alert was on since before it; –: nobody heard)", told},
		{"Alert over after the incident was (in brackets: before)", over},
		{"Budget spent when it was told", spent},
	} {
		fmt.Fprintf(&b, "\n%s\n", part.title)
		r.incidents(&b, part.cell)
	}
	r.remarks(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// Differs reports whether a proof found differences.
func (r Report) Differs() bool {
	return slices.ContainsFunc(r.Results, func(s Result) bool { return s.Proof != nil && len(s.Proof.Differences) > 0 })
}

func (r Report) significant() int {
	n := 0
	for _, o := range r.Results[0].Judgement.Incidents {
		if o.Significant {
			n++
		}
	}
	return n
}

func (r Report) sets(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "rules\tprecision\trecall\tpages\ttickets\tunnoticed for\tbudget spent by then\tsamples/s\twhat they are")
	for _, s := range r.Results {
		j := s.Judgement
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%.0f\t%s\n", s.Set.Name, share(j.Precision), share(j.Recall), j.Pages, j.Tickets,
			brief(j.Detection), percent(j.Unnoticed), s.Cost, s.Set.About)
	}
	_ = t.Flush() // writing to a string does not fail
}

func (r Report) incidents(b *strings.Builder, cell func(Outcome) string) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	cells := []string{"incident", "budget"}
	for _, s := range r.Results {
		cells = append(cells, s.Set.Name)
	}
	fmt.Fprintln(t, strings.Join(cells, "\t"))
	for i, in := range r.Catalogue.Incidents {
		cells = append(cells[:0], in.Name, percent(r.Results[0].Judgement.Incidents[i].Spent))
		for _, s := range r.Results {
			cells = append(cells, cell(s.Judgement.Incidents[i]))
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	_ = t.Flush() // writing to a string does not fail
}

func (r Report) remarks(b *strings.Builder) {
	fmt.Fprintf(b, "\nPrecision: incidents of %s of the budget or more among those that are told of. Recall: those told of among such incidents.\n", percent(Significant))
	fmt.Fprintf(b, "Unnoticed for: the geometric mean of theirs. Samples/s: what Prometheus reads, if each counter is %d series.\n", SeriesPerCounter)
	for _, s := range r.Results {
		if len(s.Unjudged) > 0 {
			fmt.Fprintf(b, "Not judged: %s of %s, which looks back as long as was simulated.\n", strings.Join(s.Unjudged, ", "), s.Set.Name)
		}
	}
	for _, s := range r.Results {
		if s.Proof == nil {
			continue
		}
		fmt.Fprintf(b, "Proof of %s: %d evaluations of its groups, %d recorded samples and %d states of alerts compared, %d differ.\n",
			s.Set.Name, s.Proof.Evaluations, s.Proof.Samples, s.Proof.States, len(s.Proof.Differences))
		for _, d := range s.Proof.Differences {
			fmt.Fprintf(b, "  %s\n", d)
		}
	}
}

func told(o Outcome) string {
	n := o.First()
	switch {
	case o.Page.Fires:
		return brief(n.Detection)
	case o.Ticket.Fires:
		return brief(n.Detection) + " t"
	case o.Page.Masked || o.Ticket.Masked:
		return "on"
	}
	return "–"
}

func over(o Outcome) string {
	switch n := o.First(); {
	case !n.Fires:
		return "–"
	case n.Reset < 0:
		return "(" + brief(-n.Reset) + ")"
	default:
		return brief(n.Reset)
	}
}

func spent(o Outcome) string {
	if !o.Detected() {
		return "–"
	}
	return percent(o.First().Spent)
}

// brief formats a duration without zero parts at its end.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func share(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}

func percent(v float64) string { return slo.FormatNumber(math.Round(1000*v)/10) + " %" }
