package sim

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"firedrill/alerts/slo"
	"firedrill/internal/junit"
)

func TestJudge(t *testing.T) {
	const h, m = time.Hour, time.Minute
	c := Catalogue{Rate: 100, Incidents: []Incident{
		{Name: "big", Start: 24 * h, Duration: 10 * m, Shape: Constant(1), Rate: 100},       // 23 %
		{Name: "small", Start: 48 * h, Duration: 15 * m, Shape: Constant(0.01), Rate: 100},  // 0.3 %
		{Name: "slow", Start: 72 * h, Duration: 48 * h, Shape: Constant(0.002), Rate: 100},  // 13 %
		{Name: "masked", Start: 240 * h, Duration: h, Shape: Constant(0.05), Rate: 100},     // 7 %
		{Name: "missed", Start: 480 * h, Duration: 2 * h, Shape: Constant(0.02), Rate: 100}, // 6 %
	}}
	j := judge(c, c.replay(Period, day), 0.001, Firing{
		slo.Page:   {{24*h + m, 24*h + 40*m}, {25 * h, 26 * h}, {239 * h, 242 * h}},
		slo.Ticket: {{48*h + 5*m, 50 * h}, {80 * h, 119 * h}},
	})
	big, small, slow, masked, missed := j.Incidents[0], j.Incidents[1], j.Incidents[2], j.Incidents[3], j.Incidents[4]
	if want := (Notice{Fires: true, Detection: m, Reset: 26*h - (24*h + 10*m), Spent: big.Page.Spent, Times: 2}); big.Page != want {
		t.Errorf("big: %+v, want %+v", big.Page, want)
	}
	if math.Abs(big.Page.Spent-0.0231) > 0.0002 || math.Abs(big.Spent-0.231) > 0.002 {
		t.Errorf("big: %v of %v spent at the page, want 2.3 %% of 23.1 %%", big.Page.Spent, big.Spent)
	}
	if small.Significant || !small.Ticket.Fires {
		t.Errorf("small: %+v", small)
	}
	if slow.Ticket.Detection != 8*h || slow.Ticket.Reset != -h || slow.First() != slow.Ticket {
		t.Errorf("slow: %+v", slow.Ticket)
	}
	if !masked.Page.Masked || masked.Detected() {
		t.Errorf("masked: %+v", masked.Page)
	}
	if missed.Detected() || missed.Page.Masked {
		t.Errorf("missed: %+v", missed)
	}
	if j.Pages != 3 || j.Tickets != 2 || j.Strays != 1 || j.Precision != 2.0/4 || j.Recall != 2.0/4 {
		t.Errorf("pages %d, tickets %d, precision %v, recall %v", j.Pages, j.Tickets, j.Precision, j.Recall)
	}

	// The same judgement as test suites.
	proof := &Proof{Differences: []string{"one sample"}}
	suites := Report{Results: []Result{{Set: RuleSet{Name: "mine"}, Judgement: j, Proof: proof, Unjudged: []string{"Month"}}}}.Suites()
	got := map[string]junit.Outcome{}
	for _, c := range suites[0].Cases {
		got[c.Name] = c.Outcome
	}
	want := map[string]junit.Outcome{
		"big": junit.Passed, "small": junit.Passed, "slow": junit.Passed, "masked": junit.Passed, "missed": junit.Failed,
		"alerts without an incident": junit.Failed, "Prometheus's rule groups agree": junit.Failed, "Month": junit.Skipped,
	}
	if len(suites) != 1 || suites[0].Name != "slo.sim.mine" || !reflect.DeepEqual(got, want) {
		t.Errorf("suites %+v, want the outcomes %v", suites, want)
	}
}

func TestUnion(t *testing.T) {
	s := func(from, to int) Span { return Span{time.Duration(from), time.Duration(to)} }
	for _, tc := range []struct {
		name       string
		a, b, want []Span
	}{
		{"none", nil, nil, nil},
		{"one", []Span{s(1, 2)}, nil, []Span{s(1, 2)}},
		{"apart", []Span{s(1, 2)}, []Span{s(3, 4)}, []Span{s(1, 2), s(3, 4)}},
		{"touch", []Span{s(1, 2)}, []Span{s(2, 4)}, []Span{s(1, 4)}},
		{"within", []Span{s(1, 9)}, []Span{s(2, 4), s(8, 12)}, []Span{s(1, 12)}},
	} {
		if got := union(tc.a, tc.b); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
		if got := union(tc.b, tc.a); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s, the other way round: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestFrontIsWhatNothingBeats(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []point
	for range 500 {
		all = append(all, point{
			detection: time.Duration(random.IntN(20)), precision: float64(random.IntN(10)) / 10, cost: float64(random.IntN(20)),
		})
	}
	kept := front(all)
	if len(kept) < 2 || len(kept) > 100 {
		t.Fatalf("%d of %d are on the front", len(kept), len(all))
	}
	for _, p := range all {
		as := 0
		for _, k := range kept {
			if p.beats(k) {
				t.Errorf("%+v beats %+v, which is on the front", p, k)
			}
			if k.asGood(p) {
				as++
			}
		}
		if as == 0 {
			t.Errorf("%+v is not on the front, and nothing there is as good", p)
		}
	}
}
