package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/loadgen/result"
)

// services are the services for which the properties below must hold.
var services = map[string]simulation{
	"independent seconds": {seconds: 60, rate: 24, level: 0.15, errors: 0.01},
	"dependent seconds":   {seconds: 60, rate: 24, level: 0.15, errors: 0.01, correlation: 0.5},
	"two stages":          {seconds: 60, rate: 24, level: 0.15, errors: 0.01, correlation: 0.3, ramp: true},
}

const replicates = 150

// share runs trials and returns the share for which holds returns true.
func share(t *testing.T, trials uint64, s simulation, slower float64, holds func(*Report) bool) float64 {
	t.Helper()
	other, yes := s, 0
	other.slower = slower
	for i := range trials {
		r, err := Runs(s.run(2*i), other.run(2*i+1), Options{Replicates: replicates, Seed: i})
		if err != nil {
			t.Fatal(err)
		}
		if holds(r) {
			yes++
		}
	}
	return float64(yes) / float64(trials)
}

// differs reports whether the report finds any difference.
func differs(r *Report) bool {
	return slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Finding == Worse || d.Finding == Better })
}

func TestTwoRunsOfTheSameShowNoDifference(t *testing.T) {
	for name, s := range services {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := share(t, 120, s, 1, func(r *Report) bool { return !differs(r) }); got < 0.94 {
				t.Errorf("no difference in %.1f %% of pairs, want 94 %% or more", got*100)
			}
		})
	}
}

func TestASlowdownIsSeenAndMeasured(t *testing.T) {
	const slower, trials = 0.4, 60
	for _, name := range []string{"dependent seconds", "two stages"} {
		s := services[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			covered := 0
			seen := share(t, trials, s, 1+slower, func(r *Report) bool {
				if !slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Metric != "errors" && (d.Low > slower || d.High < slower) }) {
					covered++
				}
				return slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Scope == "all" && d.Finding == Worse })
			})
			if seen < 0.95 {
				t.Errorf("seen in %.1f %% of pairs", seen*100)
			}
			if got := float64(covered) / trials; got < 0.94 {
				t.Errorf("all intervals hold the true change in %.1f %% of pairs, want 94 %% or more", got*100)
			}
		})
	}
}

func TestErrorsAreCompared(t *testing.T) {
	a := simulation{seconds: 60, rate: 100, level: 0.1}
	b := a
	b.errors = 0.02
	r, err := Runs(a.run(1), b.run(2), Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(r.Differences, func(d Difference) bool { return d.Scope == "all" && d.Metric == "errors" })
	if d := r.Differences[at]; d.Finding != Worse || d.A != 0 || d.Low <= 0 || d.High < 0.02 || d.Low > 0.02 {
		t.Errorf("errors %+v", d)
	}
	b.errors = 0.0002 // about one failure is no difference
	if r, err = Runs(a.run(1), b.run(2), Options{}); err != nil || r.Differences[at].Finding != Same {
		t.Errorf("a few failures: %+v, %v", r.Differences[at], err)
	}
}

func TestARunEqualsItself(t *testing.T) {
	a := services["dependent seconds"].run(1)
	r, err := Runs(a, a, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Differences {
		if d.Finding == Worse || d.Finding == Better || d.Change != 0 || d.A != d.B {
			t.Errorf("%+v", d)
		}
	}
}

func TestTheSameSeedGivesTheSameReport(t *testing.T) {
	s := services["dependent seconds"]
	a, b := s.run(1), s.run(2)
	var reports [2]string
	for i := range reports {
		r, err := Runs(a, b, Options{Seed: 5, Replicates: 100})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		reports[i] = string(data)
	}
	if reports[0] != reports[1] {
		t.Error("two reports from one seed differ")
	}
}

func TestRefusals(t *testing.T) {
	run := func(change func(*result.Result)) *result.Result {
		r := simulation{seconds: 30, rate: 10, level: 0.1}.run(1)
		change(r)
		return r
	}
	good := run(func(*result.Result) {})
	tests := []struct {
		name  string
		other *result.Result
		kind  error
		want  string
	}{
		{"invalid", run(func(r *result.Result) { r.Validity = result.Validity{Reasons: []string{"it lagged"}} }), ErrInvalid, "b: it lagged"},
		{"other profile", run(func(r *result.Result) { r.Meta.Fingerprint = "g" }), ErrDifferent, "the profiles differ"},
		{"other length", run(func(r *result.Result) { r.Timeline.Width *= 2 }), ErrDifferent, "they ran for"},
		{"other load", run(func(r *result.Result) { r.Intended *= 2 }), ErrDifferent, "600 in b"},
	}
	for _, test := range tests {
		if _, err := Runs(good, test.other, Options{}); !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	short := simulation{seconds: 10, rate: 10}.run(1)
	if _, err := Runs(short, short, Options{}); !errors.Is(err, ErrShort) || !strings.Contains(err.Error(), "run at least 20s") {
		t.Errorf("short runs: %v", err)
	}
	if _, err := Runs(good, good, Options{Confidence: 95}); err == nil {
		t.Error("a confidence of 95 was taken")
	}
}

func TestNotes(t *testing.T) {
	a := simulation{seconds: 40, rate: 16, level: 0.3, correlation: 0.95}.run(1)
	b := simulation{seconds: 40, rate: 16, level: 0.3, correlation: 0.95}.run(2)
	b.Meta.Seed, b.Meta.Target = 2, "http://elsewhere"
	r, err := Runs(a, b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(r.Notes, "\n")
	for _, want := range []string{"the seeds differ (1 and 2)", "the targets differ", "scenario order: too few requests for p95, which wants 200 in each run", "depend on each other so much"} {
		if !strings.Contains(all, want) {
			t.Errorf("notes lack %q:\n%s", want, all)
		}
	}
}

func TestText(t *testing.T) {
	r := &Report{Confidence: 0.95, Margin: 0.1, ErrorMargin: 0.01, AtLeast: 5 * time.Minute, Slots: 60, Width: 1e9, Notes: []string{"a note"}, Differences: []Difference{
		{Scope: "all", Metric: "p99", A: 0.1, B: 0.15, Change: 0.5, Low: 0.3, High: 0.7, Finding: Worse},
		{Scope: "journey checkout", Metric: "p50", A: 0.0042, B: 0.0040, Change: -0.05, Low: -0.09, High: -0.01, Finding: Better},
		{Scope: "all", Metric: "errors", A: 0.001, B: 0.0011, Change: 0.0001, Low: -0.0005, High: 0.0007, Finding: Same},
		{Scope: "all", Metric: "p95", A: 0.02, B: 0.03, Change: 0.5, Low: -0.1, High: 1.5, Finding: Unclear, Run: 5 * time.Minute},
	}}
	var b bytes.Buffer
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	const want = `b is worse in p99 of all; b is better in p50 of journey checkout; cannot tell about p95 of all: run at least 5m

             scope  metric        a        b     change       from         to
               all     p99    100ms    150ms    +50.0 %    +30.0 %    +70.0 %  slower
  journey checkout     p50    4.2ms      4ms     -5.0 %     -9.0 %     -1.0 %  faster
               all  errors  0.100 %  0.110 %  +0.010 pp  -0.050 pp  +0.070 pp  no difference that matters
               all     p95     20ms     30ms    +50.0 %    -10.0 %   +150.0 %  cannot tell: run at least 5m

intervals hold together at 95 % confidence; block bootstrap over 60 slots of 1s
changes within 10 % of a latency and 1 percentage points of errors do not matter (--margin, --error-margin)
what changes between runs but not within one cannot be seen from two runs
a note
`
	if b.String() != want {
		t.Errorf("text:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestStudent(t *testing.T) {
	z := normalQuantile(0.95)
	for freedom, want := range map[float64]float64{5: 2.571, 10: 2.228, 30: 2.042, 1e9: 1.960} { // from common tables
		if got := student(z, freedom); math.Abs(got-want) > 0.005 {
			t.Errorf("t at %g degrees of freedom = %.3f, want %.3f", freedom, got, want)
		}
	}
}
