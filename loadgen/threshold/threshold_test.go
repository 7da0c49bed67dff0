package threshold

import (
	"errors"
	"strings"
	"testing"
	"time"

	"firedrill/loadgen/result"
)

// run returns a result with 1,000 requests of browse that take 1 to 1,000 ms, 10 of which failed. The second stage has
// 100 requests of checkout that take 2 s, and 100 journeys that take 3 s, half of which failed.
func run() *result.Result {
	c := result.New(result.Meta{
		Length: 20 * time.Second,
		Stages: []result.Stage{{Name: "warm up", Length: 10 * time.Second}, {Name: "peak", Begin: 10 * time.Second, Length: 10 * time.Second}},
	}, result.Options{})
	for i := range 1000 {
		s := result.Sample{Scenario: "browse", Due: time.Second, Sent: time.Second + 5*time.Millisecond, Status: 200}
		s.Done = s.Due + time.Duration(i+1)*time.Millisecond
		if i < 10 {
			s.Failure = "status"
		}
		c.Add(s)
	}
	for i := range 100 {
		due := 11 * time.Second
		c.Add(result.Sample{Scenario: "checkout", Step: "pay", Stage: 1, Due: due, Sent: due, Done: due + 2*time.Second, Status: 201})
		c.AddJourney(result.JourneySample{Scenario: "checkout", Stage: 1, Due: due, Done: due + 3*time.Second, Failed: i%2 == 0, FailedStep: "pay"})
	}
	return c.Finish(result.Ending{Elapsed: 20 * time.Second})
}

func TestEvaluate(t *testing.T) {
	tests := []struct {
		expression, actual string
		ok                 bool
	}{
		{"p50 < 600ms", "550.399ms", true},
		{"  p50<551ms ", "550.399ms", true},
		{"scenario.browse.p99 < 980ms", "990.207ms", false},
		{"scenario.browse.response.p99 <= 991ms", "990.207ms", true},
		{"scenario.browse.service.min <= 0s", "0s", true},
		{"scenario.browse.service.max < 1s", "995ms", true},
		{"lag.max < 5ms", "5ms", false},
		{"lag.max <= 5ms", "5ms", true},
		{"scenario.browse.mean < 1s", "500.5ms", true},
		{"errors < 0.1%", "0.9091%", false},
		{"errors < 0.01", "0.9091%", true},
		{"scenario.browse.errors <= 1%", "1%", true},
		{"journey.checkout.p95 < 3s", "3s", false},
		{"journey.checkout.response.p95 <= 3s", "3s", true},
		{"journey.checkout.errors < 60 %", "50%", true},
		{"journey.checkout.count >= 100", "100", true},
		{"rate > 50/s", "55/s", true},
		{"stage.peak.rate > 10/s", "10/s", false},
		{`stage."warm up".rate >= 100`, "100/s", true},
		{"stage.peak.scenario.checkout.step.pay.p99.9 < 2.1s", "2s", true},
		{"scenario.cart.p99 < 1s", "no data", false},
		{"journey.cart.errors < 100%", "no data", false},
	}
	r := run()
	for _, test := range tests {
		parsed, err := Parse(test.expression)
		if err != nil {
			t.Error(err)
			continue
		}
		got := parsed.Evaluate(r)
		if got.Actual != test.actual || got.OK != test.ok || got.Expression != strings.TrimSpace(test.expression) {
			t.Errorf("%s: %+v, want %s, %v", test.expression, got, test.actual, test.ok)
		}
	}
}

// Where the generator, and not the target, decides whether a threshold holds, it is unclear.
func TestUnclear(t *testing.T) {
	late := func(own time.Duration, validity result.Validity, interrupted bool) *result.Result {
		c := result.New(result.Meta{}, result.Options{})
		for i := range 100 {
			s := result.Sample{Scenario: "browse", Due: time.Duration(i) * time.Millisecond, Status: 200}
			s.Sent = s.Due + own
			s.Done = s.Sent + 100*time.Millisecond
			c.Add(s)
		}
		r := c.Finish(result.Ending{Elapsed: time.Second, Interrupted: interrupted})
		r.Validity = validity
		return r
	}
	valid, invalid := result.Validity{Valid: true}, result.Validity{}
	for _, tc := range []struct {
		name, expression string
		r                *result.Result
		ok, unclear      bool
	}{
		{"holds either way", "p99 < 300ms", late(50*time.Millisecond, valid, false), true, false},
		{"broken either way", "p99 < 90ms", late(50*time.Millisecond, valid, false), false, false},
		{"broken by the lag alone", "p99 < 120ms", late(50*time.Millisecond, valid, false), false, true},
		{"held by the lag alone", "p99 > 120ms", late(50*time.Millisecond, valid, false), false, true},
		{"the lag is no matter of service times", "service.p99 < 120ms", late(50*time.Millisecond, valid, false), true, false},
		{"a rate that the generator did not reach", "rate > 200/s", late(0, invalid, false), false, true},
		{"a rate that was not reached", "rate > 200/s", late(0, valid, false), false, false},
		{"a rate that was passed", "rate < 50/s", late(0, invalid, false), false, false},
		{"latency of a run of another load", "p99 < 90ms", late(0, invalid, false), false, false},
		{"the rest is missing", "p99 < 90ms", late(0, invalid, true), false, true},
	} {
		parsed, err := Parse(tc.expression)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Evaluate(tc.r); got.OK != tc.ok || got.Unclear != tc.unclear {
			t.Errorf("%s: %+v, want ok %v, unclear %v", tc.name, got, tc.ok, tc.unclear)
		}
	}
}

func TestEvaluateAll(t *testing.T) {
	var list []Threshold
	for _, text := range []string{"p50 < 1s", "errors < 0.1%"} {
		parsed, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, parsed)
	}
	if outcomes, ok := EvaluateAll(list, run()); ok || !outcomes[0].OK || outcomes[1].OK {
		t.Errorf("all hold: %v, %+v", ok, outcomes)
	}
	if _, ok := EvaluateAll(list[:1], run()); !ok {
		t.Error("the first alone does not hold")
	}
}

func TestParseErrorsPoint(t *testing.T) {
	tests := []struct {
		expression, message string
		column              int
	}{
		{"", "a metric is missing", 1},
		{"p99", "one of < <= > >=", 4},
		{"p99 < ", "a value is missing, as 300ms", 7},
		{"p99 < fast", `"fast" is not a duration`, 7},
		{"p99 < 300", `"300" is not a duration`, 7},
		{"p99 < -1s", "is not a duration", 7},
		{"p99 = 1s", "one of < <= > >=", 5},
		{"p101 < 1s", `unknown metric "p101"`, 1},
		{"pNaN < 1s", `unknown metric "pNaN"`, 1},
		{"p99.x < 1s", `unknown metric "p99.x"`, 1},
		{"median < 1s", `unknown metric "median"`, 1},
		{"errors < 5", `"5" is more than all; did you mean 5%?`, 10},
		{"errors < 1ms", `"1ms" is not a value of errors, as 0.1%`, 10},
		{"errors < NaN", "is not a value of errors", 10},
		{"rate > 5%", "is not a value of rate, as 200/s", 8},
		{"count > Inf", "is not a value of count", 9},
		{"scenario < 1s", `"." and a name must follow scenario`, 9},
		{"scenario..p99 < 1s", "the name of a scenario is missing", 10},
		{`scenario."a < 1s`, "the quoted name does not end", 10},
		{"scenario.a < 1s", `"." and a metric must follow the name`, 11},
		{"scenario.a.scenario.b.p99 < 1s", "scenario comes twice", 12},
		{"lag < 1s", `"." and a metric must follow lag`, 4},
		{"lag.service.p99 < 1s", "a latency comes twice", 5},
		{"lag.errors < 1%", "errors is not a metric of a latency", 5},
		{"journey.c.lag.p99 < 1s", "a journey has no lag", 15},
		{"journey.c.step.s.p99 < 1s", "a journey is measured whole", 18},
		{`scenario."é".oops < 1s`, `unknown metric "oops"`, 14},
	}
	for _, test := range tests {
		_, err := Parse(test.expression)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: error %v", test.expression, err)
			continue
		}
		if syntax.Column != test.column || !strings.Contains(syntax.Message, test.message) {
			t.Errorf("%q: column %d: %s; want column %d: %s", test.expression, syntax.Column, syntax.Message, test.column, test.message)
		}
	}
}

func TestCheck(t *testing.T) {
	names := Names{Scenarios: []string{"browse", "checkout"}, Journeys: []string{"checkout"}, Steps: []string{"pay"}, Stages: []string{"peak"}}
	for expression, want := range map[string]string{
		"p99 < 1s": "",
		"stage.peak.scenario.checkout.step.pay.p99 < 1s": "",
		"journey.checkout.p99 < 1s":                      "",
		"scenario.brows.p99 < 1s":                        `column 10: there is no scenario "brows"; there is browse, checkout`,
		"journey.browse.p99 < 1s":                        `column 9: there is no journey "browse"; there is checkout`,
		"stage.peek.errors < 1%":                         `column 7: there is no stage "peek"`,
		"step.log-in.max < 1s":                           `column 6: there is no step "log-in"`,
	} {
		parsed, err := Parse(expression)
		if err != nil {
			t.Fatal(err)
		}
		err = parsed.Check(names)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", expression, err, want)
		}
	}
}

func TestBudgetLeft(t *testing.T) {
	r := run()
	r.Elapsed = 10 * time.Second // half of the run: 1,100 requests so far, 2,200 in all, 10 failed
	for expression, want := range map[string]float64{"errors < 1%": 1 - 10/22.0, "errors <= 0.1%": 1 - 10/2.2, "scenario.browse.errors < 1%": 0.5} {
		parsed, err := Parse(expression)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parsed.BudgetLeft(r); !ok || got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%s: %v left, want %v", expression, got, want)
		}
	}
	for _, expression := range []string{"p99 < 1s", "errors > 1%", "errors <= 0", "scenario.cart.errors < 1%"} {
		parsed, err := Parse(expression)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := parsed.BudgetLeft(r); ok {
			t.Errorf("%s has a budget", expression)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"p99 < 300ms", "errors<0.1%", "journey.checkout.p95 <= 1s", `stage."a \" b".scenario.x.step.y.lag.p99.99 > 1h2m`, "rate >= 1e3/s", "p", "scenario.",
	} {
		f.Add(seed)
	}
	r := run()
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := Parse(text)
		var syntax *SyntaxError
		if err != nil {
			if !errors.As(err, &syntax) || syntax.Column < 1 || syntax.Column > len([]rune(text))+1 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if parsed.String() != text {
			t.Fatalf("%q became %q", text, parsed)
		}
		outcome := parsed.Evaluate(r)
		if parsed.limit < 0 || outcome.Actual == "" || strings.Contains(outcome.Actual, "NaN") {
			t.Fatalf("%q: %+v of %v", text, outcome, parsed.limit)
		}
	})
}
