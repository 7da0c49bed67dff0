package capacity

import (
	"fmt"
	"io"
	"strings"
)

// Markdown writes the report and the plans of the scenarios as tables.
func (r Report) Markdown(w io.Writer, scenarios []Scenario) error {
	var b strings.Builder
	r.costs(&b)
	r.limits(&b)
	if err := r.plans(&b, scenarios); err != nil {
		return err
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write tables: %w", err)
	}
	return nil
}

func (r Report) costs(b *strings.Builder) {
	c := r.Costs
	fmt.Fprintf(b, "### What a request costs\n\nMeasured %s for %.0f s at %.0f requests/s, on %s.\n\n", c.Measured.Format("2006-01-02"), c.Seconds, c.Rate, c.Machine)
	fmt.Fprintf(b, "A request to the gateway, with all that follows from it, makes %.2f log lines of %s together, and %.1f spans of %s "+
		"where its trace is sampled.\n\n", c.LogLines, size(c.LogBytes), c.Spans, size(c.SpanBytes))
	b.WriteString("| service | series a process | CPU ms a request |\n| --- | ---: | ---: |\n")
	series, cpu := 0, 0.0
	for _, s := range c.Services {
		fmt.Fprintf(b, "| %s | %d | %.2f |\n", s.Name, s.Series+s.Scrape, 1000*s.CPU)
		series, cpu = series+s.Series+s.Scrape, cpu+s.CPU
	}
	fmt.Fprintf(b, "| together | %d | %.2f |\n\n", series, 1000*cpu)
	fmt.Fprintf(b, "Tempo makes %d series of spans, and the rules record %d.\n\n", c.Derived, c.Recorded)
}

func (r Report) limits(b *strings.Builder) {
	b.WriteString("### Where one program gives out\n\n")
	b.WriteString("| program | held | cores then | memory then | a core is good for | where the ramp ended | machine |\n| --- | ---: | ---: | ---: | ---: | --- | --- |\n")
	for _, l := range r.Limits {
		at := l.Highest()
		fmt.Fprintf(b, "| %s | %s %s%s | %.2f | %s | %s %s | %s | %s |\n", l.Program, amount(at.Achieved), l.Unit, perSecond(at.Bytes),
			at.Cores, size(at.RSS), amount(l.PerCore()), l.Unit, l.End, l.Machine)
	}
	b.WriteString("\n")
}

func perSecond(bytes float64) string {
	if bytes == 0 {
		return ""
	}
	return " (" + size(bytes) + "/s)"
}

func (r Report) plans(b *strings.Builder, scenarios []Scenario) error {
	b.WriteString("### What three sizes make and need\n\n")
	var plans []Plan
	head, rule := "| requests/s |", "| --- |"
	for _, s := range scenarios {
		p, err := r.Plan(s)
		if err != nil {
			return err
		}
		plans = append(plans, p)
		head += " " + amount(s.Rate) + " |"
		rule += " ---: |"
	}
	fmt.Fprintf(b, "%s\n%s\n", head, rule)
	row := func(name string, cell func(Plan) string) {
		fmt.Fprintf(b, "| %s |", name)
		for _, p := range plans {
			fmt.Fprintf(b, " %s |", cell(p))
		}
		b.WriteString("\n")
	}
	row("stands for", func(p Plan) string { return p.Where })
	row("traces sampled, scraped every", func(p Plan) string { return fmt.Sprintf("%g %%, %s", 100*p.Sampled, p.Interval) })
	row("pods of the shop, cores used", func(p Plan) string { return fmt.Sprintf("%d, %.2f", p.Pods, p.Cores) })
	row("series", func(p Plan) string { return amount(p.Series) })
	row("samples/s", func(p Plan) string { return amount(p.Samples) })
	row("log lines/s", func(p Plan) string { return amount(p.Lines) })
	row("log bytes/s, a day", func(p Plan) string { return size(p.Bytes) + ", " + size(p.Bytes*86400) })
	row("spans/s", func(p Plan) string { return amount(p.Spans) })
	for i, program := range []string{"prometheus", "loki", "tempo"} {
		row(program+" needs", func(p Plan) string { return p.Needs[i].text() })
	}
	return nil
}

func (n Need) text() string {
	text := fmt.Sprintf("%.3g cores", n.Cores)
	if n.Memory > 0 {
		text += ", " + size(n.Memory)
	}
	if n.Enough {
		return text + ": one is enough"
	}
	return text + ": **more than one was seen to hold**"
}

// amount formats a number with three significant digits and a unit prefix.
func amount(n float64) string {
	switch {
	case n >= 1e6:
		return trim(n/1e6) + " M"
	case n >= 1e4:
		return trim(n/1e3) + " k"
	}
	return trim(n)
}

// size formats a number of bytes.
func size(n float64) string {
	for _, s := range []struct {
		of   float64
		unit string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if n >= s.of {
			return trim(n/s.of) + " " + s.unit
		}
	}
	return trim(n) + " B"
}

// trim formats a number with three significant digits.
func trim(n float64) string {
	switch {
	case n >= 100:
		return fmt.Sprintf("%.0f", n)
	case n >= 10:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.2f", n)
}
