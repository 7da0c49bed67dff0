package omission

import (
	_ "embed" // for the template of the page
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"firedrill/loadgen/chart"
	"firedrill/loadgen/report"
)

//go:embed page.html.tmpl
var pageTemplate string

// truth returns the true quantile q of the latencies of all intended requests, by arithmetic. Requests due during the
// stall wait for its end, and their waits are uniformly distributed. All others take almost no time.
func (d *Demo) truth(q float64) time.Duration {
	beyond := time.Duration((1 - q) * float64(d.Config.Length))
	return max(0, d.Config.Stall-beyond).Round(time.Microsecond)
}

// quantiles are the quantiles that the demonstration shows.
var quantiles = []struct {
	name string
	q    float64
}{{"p50", 0.50}, {"p90", 0.90}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}}

// Text writes the demonstration for a terminal.
func (d *Demo) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "The server answered nothing from %v to %v. Longest latency by when a request was due:\n\n", d.Config.StallAt, d.Config.StallAt+d.Config.Stall)
	for _, side := range []struct {
		name string
		side *Side
	}{{"closed loop", &d.Closed}, {"open loop", &d.Open}} {
		fmt.Fprintf(&b, "  %-12s %s\n", side.name, strip(side.side, d.Config.Length))
	}
	fmt.Fprintf(&b, "  %-12s %s\n\n", "", timeScale(d.Config.Length))
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "\tsent\tmissing\t")
	for _, q := range quantiles {
		fmt.Fprintf(table, "%s\t", q.name)
	}
	fmt.Fprintln(table)
	d.row(table, "closed loop says", &d.Closed)
	d.row(table, "open loop says", &d.Open)
	fmt.Fprintf(table, "truth\t%s\t0\t", report.Count(d.Intended))
	for _, q := range quantiles {
		fmt.Fprintf(table, "%s\t", aboutZero(d.truth(q.q)))
	}
	fmt.Fprintln(table)
	_ = table.Flush() // to memory, so there is no error
	fmt.Fprintf(&b, "\n%s\n", lesson)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the demonstration: %w", err)
	}
	return nil
}

const lesson = `While the server stalls, a closed loop's workers wait for it and send nothing. The requests that should have been sent, and
would have waited, are missing from its percentiles: coordinated omission. An open loop counts every request from when it was due.`

func (d *Demo) row(w io.Writer, name string, s *Side) {
	fmt.Fprintf(w, "%s\t%s\t%s\t", name, report.Count(s.Sent), report.Count(d.Intended-min(s.Sent, d.Intended)))
	for _, q := range quantiles {
		fmt.Fprintf(w, "%s\t", report.Latency(s.Latencies.Quantile(q.q)))
	}
	fmt.Fprintln(w)
}

func aboutZero(d time.Duration) string {
	if d == 0 {
		return "~0"
	}
	return report.Latency(d)
}

// stripWidth is the number of characters of a strip.
const stripWidth = 80

// strip draws a side as a row of bars, with dots where nothing was sent.
func strip(s *Side, length time.Duration) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	longest := max(s.Latencies.Max(), time.Millisecond)
	var b strings.Builder
	for i := range stripWidth {
		from := i * int(length/binWidth) / stripWidth
		to := max(from+1, (i+1)*int(length/binWidth)/stripWidth)
		var most time.Duration
		for k := from; k < min(to, len(s.Longest)); k++ {
			most = max(most, s.Longest[k])
		}
		if most == 0 {
			b.WriteRune('·')
			continue
		}
		b.WriteRune(bars[min(len(bars)-1, int(float64(most)/float64(longest)*float64(len(bars))))])
	}
	return b.String()
}

func timeScale(length time.Duration) string {
	end := length.String()
	return "0s" + strings.Repeat(" ", stripWidth-2-len(end)) + end + "   · nothing sent"
}

// HTML writes the demonstration as one page that works alone.
func (d *Demo) HTML(w io.Writer) error {
	t := template.New("page").Funcs(template.FuncMap{"latency": report.Latency, "count": report.Count, "about": aboutZero})
	t, err := t.Parse(chart.Template)
	if err == nil {
		t, err = t.Parse(pageTemplate)
	}
	if err == nil {
		err = t.Execute(w, d.page())
	}
	if err != nil {
		return fmt.Errorf("write the demonstration's page: %w", err)
	}
	return nil
}

// page has the values of the template.
type page struct {
	Config            Config
	StallEnd          time.Duration
	Names             []string
	Rows              []pageRow
	Time, Percentiles chart.Drawing
}

type pageRow struct {
	Name          string
	Sent, Missing uint64
	Values        []string
}

func (d *Demo) page() page {
	p := page{Config: d.Config, StallEnd: d.Config.StallAt + d.Config.Stall, Time: d.timeChart().Draw(), Percentiles: d.percentileChart().Draw()}
	truth := pageRow{Name: "The truth", Sent: d.Intended}
	rows := []pageRow{{Name: "The closed loop says", Sent: d.Closed.Sent}, {Name: "The open loop says", Sent: d.Open.Sent}}
	for i, side := range []*Side{&d.Closed, &d.Open} {
		rows[i].Missing = d.Intended - min(d.Intended, side.Sent)
		for _, q := range quantiles {
			rows[i].Values = append(rows[i].Values, report.Latency(side.Latencies.Quantile(q.q)))
		}
	}
	for _, q := range quantiles {
		p.Names = append(p.Names, q.name)
		truth.Values = append(truth.Values, aboutZero(d.truth(q.q)))
	}
	p.Rows = append(rows, truth)
	return p
}

func (d *Demo) timeChart() chart.Chart {
	c := chart.Chart{
		Title:       "Longest latency, by when requests were due (open loop) or sent (closed loop)",
		Description: "During the stall the closed loop sends nothing, so its line has a gap; the open loop's falls from the stall's length to zero",
		Height:      320, X: chart.Time("since the run began", d.Config.Length),
		Bands: []chart.Band{{}, {From: d.Config.StallAt.Seconds(), To: (d.Config.StallAt + d.Config.Stall).Seconds(), Name: "stall"}},
	}
	highest := 0.0
	line := func(name string, style int, s *Side) chart.Line {
		l := chart.Line{Name: name, Style: style}
		for i, longest := range s.Longest {
			y := math.NaN()
			if longest > 0 {
				y = longest.Seconds() * 1000
				highest = max(highest, y)
			}
			l.Points = append(l.Points, chart.Point{X: (float64(i) + 0.5) * binWidth.Seconds(), Y: y})
		}
		return l
	}
	c.Lines = []chart.Line{line("open loop", 0, &d.Open), line("closed loop", 1, &d.Closed)}
	c.Y = chart.FromZero("ms", highest, 5, func(v float64) string { return fmt.Sprintf("%g", math.Round(v)) })
	return c
}

func (d *Demo) percentileChart() chart.Chart {
	const points = 300
	highest := 100 * (1 - 1/float64(max(1000, d.Intended)))
	nines := -math.Log10(1 - highest/100)
	truth := chart.Line{Name: "truth", Style: 5}
	open, closed := chart.Line{Name: "open loop", Style: 0}, chart.Line{Name: "closed loop", Style: 1}
	longest := 0.0
	for i := range points + 1 {
		q := 1 - math.Pow(10, -nines*float64(i)/points)
		at := func(d time.Duration) chart.Point {
			longest = max(longest, d.Seconds()*1000)
			return chart.Point{X: q * 100, Y: d.Seconds() * 1000}
		}
		truth.Points = append(truth.Points, at(d.truth(q)))
		open.Points = append(open.Points, at(d.Open.Latencies.Quantile(q)))
		closed.Points = append(closed.Points, at(d.Closed.Latencies.Quantile(q)))
	}
	return chart.Chart{
		Title: "Percentiles that each loop reports", Description: "The open loop's curve lies on the truth's, the closed loop's far below it",
		Height: 320, X: chart.Nines("share of requests that took at most as long", highest), Lines: []chart.Line{truth, open, closed},
		Y: chart.FromZero("ms", longest, 5, func(v float64) string { return fmt.Sprintf("%g", math.Round(v)) }),
	}
}
