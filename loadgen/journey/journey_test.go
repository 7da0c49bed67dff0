package journey_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"firedrill/loadgen/journey"
)

func TestSameSeedSameRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := walks(checkout(t, 5, 77), 300)
		b, _ := walks(checkout(t, 5, 77), 300)
		if !bytes.Equal(a.asked.Bytes(), b.asked.Bytes()) {
			t.Error("the same seed and run gave other requests")
		}
		// Another run must differ only in values that must be unique.
		c, _ := walks(checkout(t, 5, 78), 300)
		unique := regexp.MustCompile(`(traceparent|Idempotency-Key): [0-9a-f-]+`)
		strip := func(w *world) string { return unique.ReplaceAllString(w.asked.String(), "$1") }
		if bytes.Equal(a.asked.Bytes(), c.asked.Bytes()) || strip(a) != strip(c) {
			t.Error("another run must differ in trace ids and UUIDs only")
		}
		d, _ := walks(checkout(t, 6, 77), 300)
		if strip(a) == strip(d) {
			t.Error("another seed gave the same requests")
		}
	})
}

func TestOrderOfArrivalsDoesNotMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := checkout(t, 5, 77)
		of := func(numbers ...uint64) map[uint64]string {
			all := map[uint64]string{}
			w := newWorld(always(500, ""))
			walker := w.walker(p)
			for _, n := range numbers {
				w.asked.Reset()
				walker.Walk(journey.Arrival{Number: n})
				all[n] = w.asked.String()
			}
			return all
		}
		if up, down := of(0, 1, 2, 3, 4, 5), of(5, 4, 3, 2, 1, 0); !maps.Equal(up, down) {
			t.Errorf("arrivals depend on each other:\n%v\n%v", up, down)
		}
	})
}

func TestWeightsShareAndIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000
		w, all := walks(checkout(t, 1, 1), n)
		buys, sampled, repeats := 0.0, 0.0, 0
		for i, walk := range all {
			if walk.Scenario.Name == "buy" {
				buys++
			}
			if i > 0 && walk.Scenario == all[i-1].Scenario {
				repeats++
			}
		}
		for _, o := range w.outcomes {
			if !o.Later && o.Sampled {
				sampled++
			}
		}
		near := func(what string, got, want float64) {
			if math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/n) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		near("share of buyers", buys/n, 0.25)
		near("share of sampled arrivals", sampled/n, 0.3)
		near("same scenario twice in a row", float64(repeats)/n, 0.25*0.25+0.75*0.75) // consecutive arrivals are independent
		seen := map[string]bool{}
		for i, parent := range w.agreed {
			o := w.outcomes[i]
			want := fmt.Sprintf("00-%x-", o.TraceID)
			flag := map[bool]string{true: "-01", false: "-00"}[o.Sampled]
			if !bytes.HasPrefix(parent, []byte(want)) || !bytes.HasSuffix(parent, []byte(flag)) || len(parent) != 55 {
				t.Fatalf("traceparent %s of trace %x, sampled %v", parent, o.TraceID, o.Sampled)
			}
			seen[string(parent[3:35])] = true
		}
		if len(seen) != len(w.agreed) {
			t.Errorf("%d trace ids for %d requests", len(seen), len(w.agreed))
		}
	})
}

// buyer returns the plan with only its journey.
func buyer(t *testing.T) *journey.Plan {
	s := checkout(t, 1, 1).Settings
	s.Scenarios = s.Scenarios[1:]
	return plan(t, s)
}

type step struct {
	name      string
	due, done time.Duration
	status    int
	failure   string
	later     bool
}

func steps(w *world) (all []step) {
	for _, o := range w.outcomes {
		all = append(all, step{o.Step.Name, o.Due, o.Done, o.Status, o.Failure, o.Later})
	}
	return all
}

// script returns an exchange that answers with one line after the other, each after 100 ms.
func script(t *testing.T, lines ...string) func(*journey.Request, *journey.Response) (string, error) {
	return func(_ *journey.Request, resp *journey.Response) (string, error) {
		if len(lines) == 0 {
			t.Fatal("asked more than the script has")
		}
		line := lines[0]
		lines = lines[1:]
		time.Sleep(100 * time.Millisecond)
		if line == "cut" {
			return journey.FailConnection, errors.New("cut")
		}
		var body string
		if _, err := fmt.Sscanf(line, "%d %s", &resp.Status, &body); err != nil {
			t.Fatal(err)
		}
		resp.Body = []byte(body)
		return "", nil
	}
}

func TestJourney(t *testing.T) {
	const ms = time.Millisecond
	login, order := step{"login", 50 * ms, 100 * ms, 200, "", false}, step{"order", 1100 * ms, 1200 * ms, 201, "", true}
	tests := []struct {
		name   string
		script []string
		want   []step
		failed string
	}{
		{
			"well",
			[]string{`200 {"token":"x"}`, `201 {"id":1}`, `200 {"status":"pending"}`, `200 {"status":"shipped"}`},
			[]step{login, order, {"shipped", 1200 * ms, 1300 * ms, 200, "", true}, {"shipped", 2300 * ms, 2400 * ms, 200, "", true}},
			"",
		},
		{"status", []string{`200 {"token":"x"}`, `500 {}`}, []step{login, {"order", 1100 * ms, 1200 * ms, 500, "status", true}}, "order"},
		{"ends well", []string{`200 {"token":"x"}`, `402 {}`}, []step{login, {"order", 1100 * ms, 1200 * ms, 402, "", true}}, ""},
		{"nothing to take", []string{`200 {}`}, []step{{"login", 50 * ms, 100 * ms, 200, "check", false}}, "login"},
		{"cut", []string{`200 {"token":"x"}`, `cut`}, []step{login, {"order", 1100 * ms, 1200 * ms, 0, "connection", true}}, "order"},
		{
			"never will", []string{`200 {"token":"x"}`, `201 {"id":1}`, `200 {"status":"failed"}`},
			[]step{login, order, {"shipped", 1200 * ms, 1300 * ms, 200, "check", true}}, "shipped",
		},
		{
			"not in time",
			[]string{
				`200 {"token":"x"}`, `201 {"id":1}`, `200 {"status":"a"}`, `200 {"status":"b"}`, `200 {"status":"c"}`,
				`200 {"status":"d"}`, `200 {"status":"e"}`,
			},
			[]step{
				login, order,
				{"shipped", 1200 * ms, 1300 * ms, 200, "", true}, {"shipped", 2300 * ms, 2400 * ms, 200, "", true},
				{"shipped", 3400 * ms, 3500 * ms, 200, "", true}, {"shipped", 4500 * ms, 4600 * ms, 200, "", true},
				{"shipped", 5600 * ms, 5700 * ms, 200, "unmet", true},
			},
			"shipped",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(script(t, tt.script...))
				walk := w.walker(buyer(t)).Walk(journey.Arrival{Number: 0, Due: 50 * ms}) // sent early: the clock is at 0
				if got := steps(w); !slices.Equal(got, tt.want) {
					t.Errorf("got  %v\nwant %v", got, tt.want)
				}
				if walk.Failed != (tt.failed != "") || walk.FailedStep != tt.failed || walk.Abandoned {
					t.Errorf("walk %+v, want failed step %q", walk, tt.failed)
				}
				if last := tt.want[len(tt.want)-1]; walk.Done != last.done {
					t.Errorf("the walk was done at %v, its last step at %v", walk.Done, last.done)
				}
			})
		})
	}
}

func TestValuesFeedTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(script(t, `200 {"token":"t1"}`, `201 {"id":"o9"}`, `200 {"status":"shipped"}`))
		w.walker(buyer(t)).Walk(journey.Arrival{})
		for _, want := range []string{`{"user":"user-`, "Authorization: Bearer t1\n", "GET http://h/orders/o9\n"} {
			if !bytes.Contains(w.asked.Bytes(), []byte(want)) {
				t.Errorf("%q was not asked:\n%s", want, &w.asked)
			}
		}
	})
}

func TestStopEndsAJourneyBetweenItsSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(script(t, `200 {"token":"t1"}`))
		time.AfterFunc(500*time.Millisecond, func() { close(w.stop) })
		walk := w.walker(buyer(t)).Walk(journey.Arrival{})
		if !walk.Abandoned || walk.Failed || len(w.outcomes) != 1 || time.Since(w.began) != 500*time.Millisecond {
			t.Errorf("walk %+v, %d requests, after %v", walk, len(w.outcomes), time.Since(w.began))
		}
	})
}

func TestExpect(t *testing.T) {
	tests := []struct {
		name   string
		expect journey.Expect
		status int
		body   string
		want   string
	}{
		{"default", journey.Expect{}, 204, "", ""},
		{"redirect", journey.Expect{}, 302, "", ""},
		{"client error", journey.Expect{}, 404, "", "status"},
		{"server error", journey.Expect{}, 500, "", "status"},
		{"asked for", journey.Expect{Status: []int{404}}, 404, "", ""},
		{"not asked for", journey.Expect{Status: []int{404}}, 200, "", "status"},
		{"contains", journey.Expect{Contains: "ell"}, 200, "hello", ""},
		{"contains not", journey.Expect{Contains: "elk"}, 200, "hello", "check"},
		{"json", journey.Expect{JSON: []journey.Match{{Path: "a.1.b", Want: "7"}}}, 200, `{"a":[0,{"b":7}]}`, ""},
		{"json not", journey.Expect{JSON: []journey.Match{{Path: "a", Want: "7"}}}, 200, `{"a":8}`, "check"},
		{"json missing", journey.Expect{JSON: []journey.Match{{Path: "a", Want: ""}}}, 200, `{}`, "check"},
		{"no json", journey.Expect{JSON: []journey.Match{{Path: "a", Want: "7"}}}, 200, `<html>`, "check"},
	}
	for _, tt := range tests {
		p := plan(t, journey.Settings{Scenarios: []journey.Scenario{{
			Name: "a", Weight: 1, Steps: []journey.Step{{Method: "GET", URL: journey.Literal([]byte("http://h/")), Expect: tt.expect}},
		}}})
		w := newWorld(always(tt.status, tt.body))
		w.walker(p).Walk(journey.Arrival{})
		if got := w.outcomes[0].Failure; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestCycleTakesTurns(t *testing.T) {
	var all []journey.Step
	for _, name := range []string{"a", "b", "c"} {
		all = append(all, journey.Step{Method: "GET", URL: journey.Literal([]byte("http://h/" + name))})
	}
	p := plan(t, journey.Settings{Scenarios: []journey.Scenario{{Name: "targets", Weight: 1, Kind: journey.Cycle, Steps: all}}})
	w := newWorld(always(200, ""))
	walker := w.walker(p)
	for n := range uint64(7) {
		walker.Walk(journey.Arrival{Number: n})
	}
	got := regexp.MustCompile(`http://h/(.)`).FindAllString(w.asked.String(), -1)
	if want := []string{"http://h/a", "http://h/b", "http://h/c", "http://h/a", "http://h/b", "http://h/c", "http://h/a"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestUUIDsAreValidAndDiffer(t *testing.T) {
	p := plan(t, journey.Settings{Run: 9, Scenarios: []journey.Scenario{{
		Name: "a", Weight: 1, Steps: []journey.Step{{Method: "GET", URL: compile(t, "${uuid}/${uuid}", nil)}},
	}}})
	w := newWorld(always(200, ""))
	walker := w.walker(p)
	const n = 1000
	for i := range uint64(n) {
		walker.Walk(journey.Arrival{Number: i})
	}
	valid := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	all := valid.FindAllString(w.asked.String(), -1)
	slices.Sort(all)
	if len(all) != 2*n || len(slices.Compact(all)) != 2*n {
		t.Errorf("%d UUIDs, %d different ones, want %d", len(all), len(slices.Compact(all)), 2*n)
	}
}

func TestPlansThatDoNotHangTogether(t *testing.T) {
	ok := []journey.Step{{Method: "GET"}}
	for name, s := range map[string]journey.Settings{
		"none":     {},
		"no step":  {Scenarios: []journey.Scenario{{Name: "a", Weight: 1}}},
		"weight":   {Scenarios: []journey.Scenario{{Name: "a", Weight: -1, Steps: ok}}},
		"weight 0": {Scenarios: []journey.Scenario{{Name: "a", Steps: ok}}},
	} {
		if _, err := journey.NewPlan(s); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestWalkAllocates(t *testing.T) {
	p := plan(t, journey.Settings{Run: 9, Variables: 1, Data: []journey.Source{journey.Numbers{From: 1, To: 9}}, Scenarios: []journey.Scenario{{
		Name: "a", Weight: 1, Steps: []journey.Step{{Method: "GET", URL: compile(t, "http://h/${n}/${uuid}", journey.Names{"n": 0})}},
	}}})
	silent := answerer{}
	walker := journey.NewWalker(p, journey.World{
		Exchange: &silent, Now: func() time.Duration { return 0 }, Tell: func(*journey.Outcome) {},
	})
	n := uint64(0)
	if got := testing.AllocsPerRun(1000, func() { n++; walker.Walk(journey.Arrival{Number: n}) }); got != 0 {
		t.Errorf("a request costs %v allocations beside its exchange, want none", got)
	}
}

type answerer struct{}

func (answerer) Do(_ *journey.Request, resp *journey.Response) (string, error) {
	resp.Status = 200
	return "", nil
}
