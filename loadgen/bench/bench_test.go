package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestReaders(t *testing.T) {
	all := map[string]tool{}
	for _, t := range tools(settings{}) {
		all[t.name] = t
	}
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	tests := []struct {
		tool, output string
		want         claim
	}{
		{ours, `{"version":1,"groups":[{"class":"2xx","response":{"count":3,"p95_ms":571.4,"p99_ms":918}}]}`, claim{ms(571.4), ms(918)}},
		{vegeta, `{"latencies":{"50th":100000,"95th":1700000,"99th":9800000}}`, claim{ms(1.7), ms(9.8)}},
		{"wrk", "  Latency Distribution\n     50%    1.13ms\n     90%    2.98ms\n     99%  885.49ms\nRequests/sec:  34809.12\n", claim{0, ms(885.49)}},
		{"hey", "Latency distribution:\n  90%% in 0.0034 secs\n  95%% in 0.0054 secs\n  99%% in 0.0149 secs\n", claim{ms(5.4), ms(14.9)}},
		{"fortio", `{"DurationHistogram":{"Percentiles":[{"Percentile":95,"Value":0.002},{"Percentile":99,"Value":0.0047}]}}`, claim{ms(2), ms(4.7)}},
		{"k6", "    http_req_duration..............: p(95)=1.52ms p(99)=8.1ms\n", claim{ms(1.52), ms(8.1)}},
	}
	for _, test := range tests {
		got, err := all[test.tool].read(job{}, []byte(test.output))
		if err != nil || got.p95.Round(time.Microsecond) != test.want.p95 || got.p99.Round(time.Microsecond) != test.want.p99 {
			t.Errorf("%s: %+v, %v; want %+v", test.tool, got, err, test.want)
		}
		if _, err := all[test.tool].read(job{}, []byte("nothing")); err == nil {
			t.Errorf("%s: reads anything", test.tool)
		}
	}
}

func TestJudge(t *testing.T) {
	rateError := -0.0004
	rows := []row{{Tool: vegeta, MaxRate: 10_000, CPU: 80, RateError: &rateError}, {Tool: ours, MaxRate: 20_000, CPU: 50, RateError: &rateError}}
	var met []bool
	for _, goal := range judge(rows) {
		met = append(met, goal.Met)
	}
	if len(met) != 3 || !met[0] || met[1] || !met[2] {
		t.Errorf("met: %v", met)
	}
	if got := judge(rows[:1]); got != nil {
		t.Errorf("without firedrill: %v", got)
	}
}

func TestShowFailsWhenATargetIsMissed(t *testing.T) {
	rateError, cpu := 0.01, 20.0
	rows := []row{{Tool: ours, MaxRate: 1, CPU: 1, RateError: &rateError, PacedCPU: &cpu}, {Tool: vegeta, MaxRate: 1, CPU: 1, RateError: &rateError, PacedCPU: &cpu}, {Tool: "wrk"}}
	for _, asJSON := range []bool{false, true} {
		var b bytes.Buffer
		if err := show(&b, settings{json: asJSON}, rows); err == nil {
			t.Error("no error")
		}
		if want := map[bool]string{false: "MISSED  maximum rate, times vegeta's: 1.000, target 1.5", true: `"met": false`}[asJSON]; !strings.Contains(b.String(), want) {
			t.Errorf("shows:\n%s\nwant %s", b.String(), want)
		}
	}
}

func TestMedian(t *testing.T) {
	of := func(o outcome) float64 { return float64(o.Count) }
	counts := func(list ...int64) []outcome {
		var all []outcome
		for _, n := range list {
			all = append(all, outcome{arrivals: arrivals{Count: n}})
		}
		return all
	}
	if got := median(counts(9, 1, 5), of); got != 5 {
		t.Errorf("of three: %v", got)
	}
	if got := median(counts(4, 2), of); got != 3 {
		t.Errorf("of two: %v", got)
	}
}

func TestServerCountsArrivals(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, write) }()
	line := make([]byte, 64)
	n, err := read.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{url: strings.TrimSpace(string(line[:n]))}
	for range 5 {
		response, err := http.Get(s.url + "/")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	got, err := s.arrived(ctx)
	if err != nil || got.Count != 5 || got.Last <= got.First || got.rate() <= 0 {
		t.Errorf("arrivals %+v, %v", got, err)
	}
	if got, err = s.arrived(ctx); err != nil || got.Count != 0 {
		t.Errorf("afterwards %+v, %v", got, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-runs", "0"}, {"-length", "1s"}, {"x"}, {"-ours", "/nonexistent"}} {
		if code := report(run(t.Context(), args, io.Discard, io.Discard), io.Discard); code != 2 {
			t.Errorf("%v: exit %d, want 2", args, code)
		}
	}
}
