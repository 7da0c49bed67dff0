package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
)

// target is a goal of firedrill.
type target struct {
	Name     string  `json:"name"`
	Measured float64 `json:"measured"`
	Bound    float64 `json:"bound"`
	Met      bool    `json:"met"`
}

// judge compares firedrill with vegeta. It returns nothing unless both were measured.
func judge(rows []row) []target {
	find := func(name string) *row {
		if at := slices.IndexFunc(rows, func(r row) bool { return r.Tool == name }); at >= 0 {
			return &rows[at]
		}
		return nil
	}
	mine, theirs := find(ours), find(vegeta)
	if mine == nil || theirs == nil {
		return nil
	}
	rate, cpu, rateError := mine.MaxRate/theirs.MaxRate, mine.CPU/theirs.CPU, math.Abs(*mine.RateError)*100
	return []target{
		{"maximum rate, times vegeta's", rate, 1.5, rate >= 1.5},
		{"CPU of a request, times vegeta's", cpu, 0.5, cpu <= 0.5},
		{"rate error at 2,000/s, in percent", rateError, 0.05, rateError <= 0.05},
	}
}

func table(w io.Writer, rows []row, targets []target) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\trequests/s\tCPU µs/request\trate error\tCPU µs/request\tp95 says\tp99 says\tsent of %d\t\n", int(pacedRate*pacedLength.Seconds()))
	fmt.Fprintf(t, "tool\tat full speed\tat full speed\tat %d/s\tat %d/s\tin a stall\tin a stall\tin a stall\t\n", pacedRate, pacedRate)
	for _, r := range rows {
		rateError, paced, p95 := "–", "–", "–"
		if r.RateError != nil {
			rateError, paced = fmt.Sprintf("%+.3f %%", *r.RateError*100), fmt.Sprintf("%.1f", *r.PacedCPU)
		}
		if r.P95 > 0 {
			p95 = fmt.Sprintf("%.1f ms", r.P95)
		}
		fmt.Fprintf(t, "%s\t%.0f\t%.1f\t%s\t%s\t%s\t%.1f ms\t%d\t  %s\n", r.Tool, r.MaxRate, r.CPU, rateError, paced, p95, r.P99, r.Sent, r.Note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	length := pacedLength.Seconds()
	fmt.Fprintf(w, "\nThe truth in the stall, by arithmetic: p95 %.0f ms, p99 %.0f ms. Rates are as the server saw them.\n\n",
		1000*(stall.Seconds()-0.05*length), 1000*(stall.Seconds()-0.01*length))
	for _, goal := range targets {
		verdict := "met"
		if !goal.Met {
			verdict = "MISSED"
		}
		if _, err := fmt.Fprintf(w, "%-7s %s: %.3f, target %g\n", verdict, goal.Name, goal.Measured, goal.Bound); err != nil {
			return err
		}
	}
	return nil
}
