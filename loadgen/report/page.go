package report

import (
	"cmp"
	_ "embed" // for the template of the page
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"time"

	"firedrill/loadgen/chart"
	"firedrill/loadgen/result"
)

//go:embed page.html.tmpl
var pageTemplate string

// page has the values of the template.
type page struct {
	summary
	Latency, Percentiles, RateChart chart.Drawing
	Errors                          *chart.Drawing // nil if nothing failed
	Slow, SlowKept, FailedOnes      []exemplarRow
}

// exemplarRow is a request with the link to its trace.
type exemplarRow struct {
	result.Exemplar
	Label, Outcome, Link string
}

// HTML writes the result as one page that works alone: it needs no script, style sheet or network.
func HTML(w io.Writer, r *result.Result) error {
	t := template.New("page").Funcs(template.FuncMap{
		"latency": Latency, "count": Count, "rate": Rate, "share": Share, "bytes": Bytes, "elapsed": Elapsed,
		"table": func(title, counted string, rows []row) rowTable {
			return rowTable{title, counted, quantileTitles[:], rows}
		},
		"exemplars": func(title string, rows []exemplarRow) exemplarTable { return exemplarTable{title, rows} },
		"instant":   func(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST") },
	})
	t, err := t.Parse(chart.Template)
	if err == nil {
		t, err = t.Parse(pageTemplate)
	}
	if err == nil {
		err = t.Execute(w, newPage(r))
	}
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

func newPage(r *result.Result) *page {
	p := &page{summary: summarize(r)}
	timeline := newTimeline(r)
	p.Latency = timeline.latency().Draw()
	p.RateChart = timeline.rate().Draw()
	if p.Total.Failed > 0 {
		errors := timeline.errors().Draw()
		p.Errors = &errors
	}
	p.Percentiles = percentiles(&p.Total).Draw()
	p.Slow = exemplarRows(&r.Meta, r.Slowest)
	p.SlowKept = exemplarRows(&r.Meta, unlisted(r.SlowestKept, r.Slowest))
	p.FailedOnes = exemplarRows(&r.Meta, r.Failed)
	return p
}

func exemplarRows(m *result.Meta, list []result.Exemplar) []exemplarRow {
	var rows []exemplarRow
	for _, e := range list {
		rows = append(rows, exemplarRow{e, label(e), outcome(e), traceLink(m, e)})
	}
	return rows
}

// timeline draws the charts over time.
type timeline struct {
	r      *result.Result
	slots  []result.Slot
	length time.Duration
}

func newTimeline(r *result.Result) timeline {
	t := timeline{r: r, slots: r.Slots()}
	t.length = max(r.Elapsed, time.Duration(len(t.slots))*r.Timeline.Width)
	return t
}

// stretch returns where slot i begins and ends, in seconds, and how much of it the schedule covers. The schedule seldom
// covers all of its last slot.
func (t timeline) stretch(i int) (from, to, covered float64) {
	width := t.r.Timeline.Width.Seconds()
	from = float64(i) * width
	to = from + width
	if covered = min(to, t.r.Elapsed.Seconds()) - from; covered <= 0 {
		covered = width
	}
	return from, to, covered
}

func (t timeline) bands() []chart.Band {
	var bands []chart.Band
	for _, s := range t.r.Meta.Stages {
		if s.Begin < t.r.Elapsed {
			to := min(s.Begin+s.Length, t.r.Elapsed)
			bands = append(bands, chart.Band{From: s.Begin.Seconds(), To: to.Seconds(), Name: cmp.Or(s.Name, s.Shape)})
		}
	}
	if len(bands) < 2 {
		return nil
	}
	return bands
}

func (t timeline) latency() chart.Chart {
	c := chart.Chart{
		Title:       "Response latency over time",
		Description: "Percentiles of the time from when requests were due until they were answered, by when they were due",
		X:           chart.Time("since the run began", t.length), Bands: t.bands(), Height: 300,
	}
	lowest, highest := math.Inf(1), 0.0
	for k, line := range []struct {
		name  string
		q     float64
		style int
	}{{"max", 1, 5}, {"p99", 0.99, 1}, {"p95", 0.95, 2}, {"p50", 0.5, 0}} {
		c.Lines = append(c.Lines, chart.Line{Name: line.name, Style: line.style})
		for i := range t.slots {
			from, to, _ := t.stretch(i)
			point := chart.Point{X: (from + to) / 2, Y: math.NaN()}
			if h := &t.slots[i].Response; h.Count() > 0 {
				point.Y = max(h.Quantile(line.q), time.Microsecond).Seconds()
				lowest, highest = min(lowest, point.Y), max(highest, point.Y)
			}
			c.Lines[k].Points = append(c.Lines[k].Points, point)
		}
	}
	for i := range t.slots {
		from, to, _ := t.stretch(i)
		c.Hints = append(c.Hints, chart.Hint{From: from, To: to, Text: t.hint(i)})
	}
	c.Y = latencyAxis(lowest, highest)
	return c
}

func latencyAxis(lowest, highest float64) chart.Axis {
	if highest == 0 {
		lowest, highest = 0.001, 1
	}
	return chart.Log("", lowest, highest, shortLatency)
}

// shortLatency formats the label of a tick: "2 ms".
func shortLatency(seconds float64) string {
	switch {
	case seconds < 0.9995e-3:
		return fmt.Sprintf("%g µs", round(seconds*1e6))
	case seconds < 0.9995:
		return fmt.Sprintf("%g ms", round(seconds*1e3))
	}
	return fmt.Sprintf("%g s", round(seconds))
}

func round(v float64) float64 { return math.Round(v*1000) / 1000 }

func (t timeline) hint(i int) string {
	s := &t.slots[i]
	from, to, _ := t.stretch(i)
	text := fmt.Sprintf("%g to %g s", from, to)
	if s.Response.Count() > 0 {
		text += fmt.Sprintf(": p50 %s, p95 %s, p99 %s, max %s; %s due", Latency(s.Response.Quantile(0.5)), Latency(s.Response.Quantile(0.95)),
			Latency(s.Response.Quantile(0.99)), Latency(s.Response.Max()), Count(s.Due))
	}
	return text + fmt.Sprintf(", %s sent, %s failed, lag up to %s", Count(s.Sent), Count(s.Failed), Latency(s.LagMax))
}

func (t timeline) rate() chart.Chart {
	intended := chart.Line{Name: "intended", Style: 5, Steps: true}
	arrived := chart.Line{Name: "sent", Style: 0, Steps: true}
	done := chart.Line{Name: "answered", Style: 2, Steps: true}
	highest, steps := 0.0, false
	add := func(l *chart.Line, i int, n uint64) {
		from, to, covered := t.stretch(i)
		y := float64(n) / covered
		highest = max(highest, y)
		l.Points = append(l.Points, chart.Point{X: from, Y: y}, chart.Point{X: to, Y: y})
	}
	for i := range t.slots {
		if i < len(t.r.Timeline.Intended) {
			add(&intended, i, t.r.Timeline.Intended[i])
		}
		if from, _, _ := t.stretch(i); from < t.r.Elapsed.Seconds() || t.slots[i].Arrived > 0 {
			add(&arrived, i, t.slots[i].Arrived)
		}
		add(&done, i, t.slots[i].Done)
		steps = steps || t.slots[i].Sent != t.slots[i].Arrived
	}
	c := chart.Chart{
		Title:       "Rate: intended, sent and answered",
		Description: "Arrivals the schedule asked for, arrivals sent and requests answered, a second",
		X:           chart.Time("since the run began", t.length), Bands: t.bands(), Height: 240,
		Y:     chart.FromZero("a second", highest, 5, func(v float64) string { return fmt.Sprintf("%g", round(v)) }),
		Lines: []chart.Line{intended, done, arrived},
	}
	if steps {
		c.Title += " (a journey sends several requests)"
	}
	for i := range t.slots {
		from, to, _ := t.stretch(i)
		c.Hints = append(c.Hints, chart.Hint{From: from, To: to, Text: t.hint(i)})
	}
	return c
}

func (t timeline) errors() chart.Chart {
	c := chart.Chart{
		Title: "Failed requests", Description: "Failed requests a second, by when they were due",
		X: chart.Time("since the run began", t.length), Bands: t.bands(), Height: 180,
	}
	highest := 0.0
	for i := range t.slots {
		from, to, covered := t.stretch(i)
		if n := t.slots[i].Failed; n > 0 {
			c.Bars = append(c.Bars, chart.Bar{From: from, To: to, Height: float64(n) / covered, Style: 1})
			highest = max(highest, float64(n)/covered)
		}
		c.Hints = append(c.Hints, chart.Hint{From: from, To: to, Text: t.hint(i)})
	}
	c.Y = chart.FromZero("a second", highest, 4, func(v float64) string { return fmt.Sprintf("%g", round(v)) })
	return c
}

// curvePoints is the number of points of the percentile curve: about one for every three pixels.
const curvePoints = 240

func percentiles(g *result.Group) chart.Chart {
	highest := 99.0
	if g.Requests > 100 {
		highest = min(99.999, 100*(1-1/float64(g.Requests)))
	}
	c := chart.Chart{
		Title:       "Percentiles",
		Description: "Latency by percentile; each further nine takes as much room",
		X:           chart.Nines("share of requests that took at most as long", highest), Height: 300,
	}
	lowest, longest := math.Inf(1), 0.0
	for _, line := range []struct {
		name  string
		h     *result.Histogram
		style int
	}{{"response", &g.Response, 0}, {"service", &g.Service, 1}, {"lag", &g.Lag, 2}} {
		drawn := chart.Line{Name: line.name, Style: line.style}
		nines := -math.Log10(1 - highest/100)
		for i := range curvePoints + 1 {
			p := 1 - math.Pow(10, -nines*float64(i)/curvePoints)
			y := max(line.h.Quantile(p), time.Microsecond).Seconds()
			lowest, longest = min(lowest, y), max(longest, y)
			drawn.Points = append(drawn.Points, chart.Point{X: p * 100, Y: y})
		}
		c.Lines = append(c.Lines, drawn)
	}
	slices.Reverse(c.Lines) // draw the response time last, above the others
	c.Y = latencyAxis(lowest, longest)
	return c
}

// rowTable and exemplarTable have the values of the templates "rows" and "exemplars".
type rowTable struct {
	Title, Counted string
	Titles         []string
	Rows           []row
}

type exemplarTable struct {
	Title string
	Rows  []exemplarRow
}
