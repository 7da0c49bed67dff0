package omission

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// made returns a demonstration with the results of an idle machine.
func made() *Demo {
	d := &Demo{Config: Config{}.withDefaults(), Intended: 10_000}
	for at := time.Duration(0); at < d.Config.Length; at += time.Millisecond {
		stalls := at >= d.Config.StallAt && at < d.Config.StallAt+d.Config.Stall
		latency := 500 * time.Microsecond
		if stalls {
			latency = d.Config.StallAt + d.Config.Stall - at
		}
		d.Open.add(at, latency)
		if !stalls || at < d.Config.StallAt+50*time.Millisecond { // one request of each worker
			d.Closed.add(at, latency)
		}
	}
	return d
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := made().Text(&b); err != nil {
		t.Fatal(err)
	}
	const want = `The server answered nothing from 4s to 5s. Longest latency by when a request was due:

  closed loop  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█·······▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
  open loop    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁██▇▆▅▄▃▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
               0s                                                                           10s   · nothing sent
`
	if !strings.HasPrefix(b.String(), want) {
		t.Errorf("text:\n%s\nwant:\n%s", b.String(), want)
	}
	for _, row := range []string{"closed loop says   9,050      950  500 µs", "truth  10,000        0", "900 ms  990 ms"} {
		if !strings.Contains(b.String(), row) {
			t.Errorf("the table lacks %q:\n%s", row, b.String())
		}
	}
}

func TestHTML(t *testing.T) {
	var b bytes.Buffer
	if err := made().HTML(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "closed loop", ">stall<", "The truth"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<script", "NaN", "http://1", "<link"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func TestTruth(t *testing.T) {
	d := made()
	for q, want := range map[float64]time.Duration{0.5: 0, 0.9: 0, 0.95: 500 * time.Millisecond, 0.99: 900 * time.Millisecond} {
		if got := d.truth(q); (got - want).Abs() > time.Microsecond {
			t.Errorf("truth(%v) = %v, want %v", q, got, want)
		}
		if got := d.Open.Latencies.Quantile(q); (got - want).Abs() > 3*time.Millisecond {
			t.Errorf("the open loop's quantile %v = %v, want %v", q, got, want)
		}
	}
}

// TestRun runs short loops for real. On a busy machine everything is slower, but the closed loop still cannot send during
// the stall, and the open loop cannot measure less than the stall. Ten of the few hundred requests of the closed loop see
// the stall, so its p90 is less than the p90 of the open loop on the same machine.
func TestRun(t *testing.T) {
	cfg := Config{Rate: 400, Workers: 10, Length: 2 * time.Second, StallAt: 500 * time.Millisecond, Stall: time.Second}
	var told []string
	d, err := Run(t.Context(), cfg, func(line string) { told = append(told, line) })
	if err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 || d.Intended != 800 {
		t.Errorf("told %q, %d intended", told, d.Intended)
	}
	if d.Open.Sent != 800 {
		t.Errorf("the open loop sent %d of 800", d.Open.Sent)
	}
	if least := d.truth(0.9) - 50*time.Millisecond; d.Open.Latencies.Quantile(0.9) < least {
		t.Errorf("the open loop's p90 is %v, less than %v", d.Open.Latencies.Quantile(0.9), least)
	}
	if d.Closed.Sent > 800-300 {
		t.Errorf("the closed loop sent %d of 800 although it could not for a second", d.Closed.Sent)
	}
	if closed, open := d.Closed.Latencies.Quantile(0.9), d.Open.Latencies.Quantile(0.9); closed >= open {
		t.Errorf("the closed loop says a p90 of %v, as long as the open one's %v", closed, open)
	}
	if _, err := json.Marshal(d); err != nil {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	for want, cfg := range map[string]Config{
		"does not end within": {StallAt: 9500 * time.Millisecond},
		"each must send":      {Rate: 10, Workers: 20},
		"must be above 0":     {Rate: -1},
	} {
		if _, err := Run(t.Context(), cfg, func(string) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
