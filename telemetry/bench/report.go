package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// write prints the results as a table, with ratios and targets.
func (r *results) write(out io.Writer) {
	fmt.Fprintf(out, "\nCosts of a request: medians of %d rounds; losses: sums. %s, %d cores, %s.\n\n",
		r.Plan.Rounds, r.Machine.CPU, r.Machine.Cores, r.Machine.Go)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\tin process\t\t\t\t\t\t\tover loopback\t\t\t\n")
	fmt.Fprintf(w, "\tat %d/s\t\t\t\town path\t\tfull speed\tat %d/s\t\t%d connections\t\n",
		r.Plan.Rate, r.Plan.Rate, r.Plan.Conns)
	fmt.Fprintln(w, "\tCPU µs\tallocs\tbytes\tlost\tallocs\tbytes\twall µs\tCPU µs\tlost\trequests/s\t")
	r.writeCase(w, caseBare)
	for _, group := range []struct{ usual, ours, ratio string }{
		{caseUsualAlways, caseOursAlways, "always"}, {caseUsualTenth, caseOursTenth, "10 %"},
	} {
		r.writeCase(w, group.usual)
		r.writeCase(w, group.ours)
		x := r.Ratios[group.ratio]
		fmt.Fprintf(w, "  added, usual/ours\t%.1f×\t%.1f×\t\t\t%.1f×\t\t%.1f×\t%.1f×\t\t%.1f×\t\n",
			x.CPU, x.Allocs, x.Path, x.Wall, x.NetCPU, x.NetMax)
	}
	w.Flush()
	fmt.Fprintf(out, "\nLost at full speed, spans and lines, in process and over loopback:\n")
	for _, name := range []string{caseUsualAlways, caseOursAlways, caseUsualTenth, caseOursTenth} {
		m := r.Cases[name]
		fmt.Fprintf(out, "  %-12s  %v of %d requests; %v\n", name, m.FullLost, r.Plan.Rounds*r.Plan.Requests, m.NetMaxLost)
	}
	fmt.Fprintf(out, "\nTargets:\n")
	for _, t := range r.Targets {
		word := "met   "
		if !t.Met {
			word = "MISSED"
		}
		fmt.Fprintf(out, "  %s  %-44s %6.1f, wanted %g\n", word, t.What, t.Got, t.Want)
	}
}

func (r *results) writeCase(w io.Writer, name string) {
	m := r.Cases[name]
	fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.0f\t%v\t%.1f\t%.0f\t%.1f\t%.1f\t%v\t%.0f\t\n", name,
		m.CPU, m.Allocs, m.Bytes, m.Lost, m.PathAllocs, m.PathBytes, m.Wall, m.NetCPU, m.NetLost, m.NetMax)
}

// String returns "spans+lines".
func (l Lost) String() string { return fmt.Sprintf("%d+%d", l.Spans, l.Lines) }
