package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"firedrill/loadgen/result"
)

// shownExemplars is the maximum length of each list of exemplars in the text.
const shownExemplars = 5

// Text writes the result for a terminal or a log: first the verdict, then the measurements, then where to look
// next.
func Text(w io.Writer, r *result.Result) error {
	s := summarize(r)
	p := &printer{w: w}
	p.head(s)
	p.table("latency", "requests", s.Latencies)
	p.table("response by scenario", "requests", s.Scenarios)
	p.table("journeys", "journeys", s.Journeys)
	if len(s.Stages) > 1 {
		p.table("response by stage", "requests", s.Stages)
	}
	p.table("response by status", "requests", s.Classes)
	p.failures(s)
	p.exemplars("slowest", &r.Meta, r.Slowest)
	p.exemplars("slowest with a trace", &r.Meta, unlisted(r.SlowestKept, r.Slowest))
	p.exemplars("failed", &r.Meta, r.Failed)
	p.thresholds(r.Thresholds)
	return p.err
}

// printer keeps the first error of its writer.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) head(s summary) {
	p.printf("%s  %s  seed %d  %s  from %s\n", s.Title(), s.Meta.Target, s.Meta.Seed, Elapsed(s.Elapsed), s.Meta.Start.Format(time.RFC3339))
	p.printf("%s\n", s.Headline())
	for _, remark := range s.Remarks() {
		p.printf("note: %s\n", remark)
	}
	p.printf("\n")
	if s.Intended > 0 {
		p.printf("  %s of %s arrivals sent", Count(s.Total.Arrivals), Count(s.Intended))
		if s.Total.Requests != s.Total.Arrivals {
			p.printf(" (%s requests)", Count(s.Total.Requests))
		}
	} else {
		p.printf("  %s requests", Count(s.Total.Requests))
	}
	p.printf(", %s, %s failed (%s), %s in, %s out\n", Rate(perSecond(s.Total.Requests, s.Elapsed)),
		Count(s.Total.Failed), Share(s.Total.Failed, s.Total.Requests), Bytes(s.Total.BytesIn), Bytes(s.Total.BytesOut))
	if n := s.Total.Resent; n > 0 {
		p.printf("  %s sent again, because the server had closed an idle connection\n", Count(n))
	}
}

// table writes rows with right-aligned columns.
func (p *printer) table(title, counted string, rows []row) {
	if len(rows) == 0 || p.err != nil {
		return
	}
	width := len(title)
	for _, r := range rows {
		width = max(width, len([]rune(r.Name)))
	}
	p.printf("\n")
	table := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%s\t%s\trate\tfailed\t%s\t\n", pad(title, width), counted, strings.Join(quantileTitles[:], "\t"))
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t", pad(r.Name, width), Count(r.Count), Rate(r.Rate), Share(r.Failed, r.Count))
		for _, cell := range r.Cells() {
			fmt.Fprintf(table, "%s\t", cell)
		}
		fmt.Fprintln(table)
	}
	p.err = table.Flush()
}

// pad pads the first column, which is left-aligned in a right-aligned table.
func pad(text string, width int) string { return text + strings.Repeat(" ", width-len([]rune(text))) }

func (p *printer) failures(s summary) {
	if len(s.Failures) == 0 {
		return
	}
	p.printf("\n  failures\n")
	for _, f := range s.Failures {
		p.printf("    %-12s %s (%s)\n", f.Class, Count(f.Count), Share(f.Count, s.Total.Requests))
	}
}

func (p *printer) exemplars(title string, m *result.Meta, list []result.Exemplar) {
	if len(list) == 0 {
		return
	}
	p.printf("\n  %s\n", title)
	for _, e := range list[:min(len(list), shownExemplars)] {
		p.printf("    %8s  (service %s, lag %s)  due %s  %s  %s", Latency(e.Response), Latency(e.Service), Latency(e.Lag),
			Elapsed(e.Due), label(e), outcome(e))
		switch link := traceLink(m, e); {
		case link != "":
			p.printf("  %s", link)
		case e.Kept:
			p.printf("  trace %s", e.TraceID)
		}
		p.printf("\n")
	}
}

func label(e result.Exemplar) string {
	if e.Step != "" {
		return e.Scenario + " / " + e.Step
	}
	return e.Scenario
}

func outcome(e result.Exemplar) string {
	switch {
	case e.Status == 0:
		return e.Failure
	case e.Failure == "" || e.Failure == "status":
		return fmt.Sprint(e.Status)
	}
	return fmt.Sprintf("%d %s", e.Status, e.Failure)
}

// unlisted returns the exemplars of list that are not in shown.
func unlisted(list, shown []result.Exemplar) []result.Exemplar {
	known := map[result.Exemplar]bool{}
	for _, e := range shown {
		known[e] = true
	}
	var rest []result.Exemplar
	for _, e := range list {
		if !known[e] {
			rest = append(rest, e)
		}
	}
	return rest
}

func (p *printer) thresholds(list []result.Threshold) {
	if len(list) == 0 {
		return
	}
	p.printf("\n  thresholds\n")
	for _, t := range list {
		mark := "ok     "
		switch {
		case t.Unclear:
			mark = "UNCLEAR"
		case !t.OK:
			mark = "BROKEN "
		}
		p.printf("    %s  %-40s  %s\n", mark, t.Expression, t.Actual)
	}
}
