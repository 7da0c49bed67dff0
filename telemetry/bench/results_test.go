package main

import (
	"io"
	"strings"
	"testing"
)

func TestResultsCompareAddedCosts(t *testing.T) {
	r := newResults(plan{Rounds: 3, Rate: 2000})
	for _, cpu := range []float64{3, 1, 2} { // medians: bare 2, usual 82, ours 12
		r.add(caseBare, measures{CPU: cpu, PathAllocs: 2})
		for _, name := range []string{caseUsualAlways, caseUsualTenth} {
			r.add(name, measures{CPU: 80 + cpu, NetMax: 10_000})
		}
		r.add(caseOursAlways, measures{CPU: 10 + cpu, PathAllocs: 11, NetMax: 30_000, Lost: Lost{Spans: 1}})
		r.add(caseOursTenth, measures{CPU: 10 + cpu, PathAllocs: 6.5, NetMax: 30_000, NetLost: Lost{Lines: 2}})
	}
	r.finish()
	if got := r.Ratios["always"]; got.CPU != 8 || got.NetMax != 3 {
		t.Errorf("ratios of CPU and requests/s are %v and %v, want 8 and 3", got.CPU, got.NetMax)
	}
	want := []target{
		{"times less CPU added in process, always", 8, 8, true},
		{"times less CPU added in process, 10 %", 8, 10, false},
		{"allocations on a request's path, always", 9, 10, true},
		{"allocations on a request's path, 10 %", 4.5, 5, true},
		{"spans and lines lost at 2000/s", 9, 0, false}, // sum of three rounds
	}
	for i, w := range want {
		if r.Targets[i] != w {
			t.Errorf("target %d is %v, want %v", i, r.Targets[i], w)
		}
	}
	if r.met() {
		t.Error("met() = true with missed targets")
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		all  []float64
		want float64
	}{{[]float64{7}, 7}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(tt.all); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.all, got, tt.want)
		}
	}
}

func TestInvalidArgumentsExitWith2(t *testing.T) {
	for _, args := range []string{"-rounds 0", "-time 10ms", "extra", "-no-such-flag"} {
		if code := run(t.Context(), strings.Fields(args), nil, io.Discard, io.Discard); code != 2 {
			t.Errorf("bench %s exits with %d, want 2", args, code)
		}
	}
}
