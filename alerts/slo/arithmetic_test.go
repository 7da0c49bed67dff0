package slo_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/quick"
	"time"

	"firedrill/alerts/slo"
)

const month = 30 * 24 * time.Hour

var threeNines = slo.Goal{Budget: 0.001}

func TestPublishedFigures(t *testing.T) {
	book := slo.Workbook()
	page, ticket := book.Page.Pairs, book.Ticket.Pairs
	for _, tc := range []struct {
		name      string
		got, want float64
	}{
		{"1h at 14.4x spends 2 %", page[0].SpentAtDetection(month), 0.02},
		{"6h at 6x spends 5 %", page[1].SpentAtDetection(month), 0.05},
		{"24h at 3x spends 10 %", ticket[0].SpentAtDetection(month), 0.10},
		{"3d at 1x spends 10 %", ticket[1].SpentAtDetection(month), 0.10},
		{"1x lasts 30 days", slo.TimeToExhaustion(1, month).Hours(), 30 * 24},
		{"2x lasts 15 days", slo.TimeToExhaustion(2, month).Hours(), 15 * 24},
		{"10x lasts 3 days", slo.TimeToExhaustion(10, month).Hours(), 3 * 24},
		{"1000x lasts 43 min", slo.TimeToExhaustion(1000, month).Minutes(), 43.2},
		{"99.999 % is spent by a total outage in 26 s", slo.TimeToExhaustion(1/0.00001, month).Seconds(), 25.92},
		{"10 requests an hour: one failure is 13.9 % of the budget", slo.Outage{Ratio: 0.1, Length: time.Hour}.Spent(0.001, month), 100.0 / 720},
		{"10 minutes of total outage are 23 %", slo.Outage{Ratio: 1, Length: 10 * time.Minute}.Spent(0.001, month), 0.2315},
		{"6 hours of 0.7 % are 5.8 %", slo.Outage{Ratio: 0.007, Length: 6 * time.Hour}.Spent(0.001, month), 0.0583},
		{"one of 69 is just below 14.4x", page[0].LeastEvents(0.001), 69.44},
	} {
		if math.Abs(tc.got-tc.want) > 1e-3*tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, tc.got, tc.want)
		}
	}
	if (slo.Pair{Burn: 14.4}).CanHold(0.1) {
		t.Error("a 90 % objective can reach 14.4x; it cannot: 144 %")
	}
}

// The expected figures come from a replay in plain Go with samples every 15 s. One sample more or
// less at either end of a window changes a result by up to two steps.
func TestPageOfTheWorkbookOnTheReferenceIncidents(t *testing.T) {
	const step = 15 * time.Second
	page := slo.Workbook().Page
	for _, tc := range []struct {
		name              string
		outage            slo.Outage
		detected, cleared time.Duration // results of the replay
	}{
		{"100 % for 10 min", slo.Outage{Ratio: 1, Length: 10 * time.Minute}, time.Minute, 29*time.Minute + 45*time.Second},
		{"15 % for 10 min", slo.Outage{Ratio: 0.15, Length: 10 * time.Minute}, 5*time.Minute + 45*time.Second, 4*time.Minute + 30*time.Second},
		{"5 % for 1 h", slo.Outage{Ratio: 0.05, Length: time.Hour}, 17*time.Minute + 15*time.Second, 26*time.Minute + 15*time.Second},
		{"0.7 % for 6 h", slo.Outage{Ratio: 0.007, Length: 6 * time.Hour}, 5*time.Hour + 8*time.Minute + 15*time.Second, 4*time.Minute + 30*time.Second},
	} {
		detected, fires := page.Detection(threeNines, tc.outage)
		if late := tc.detected - detected; !fires || late < -2*step || late > 2*step {
			t.Errorf("%s: detected after %v (%v), the replay says %v", tc.name, detected, fires, tc.detected)
		}
		reset := page.Reset(threeNines, tc.outage)
		if early := reset - tc.cleared; early < -2*step || early > 2*step {
			t.Errorf("%s: clears after %v, the replay says %v", tc.name, reset, tc.cleared)
		}
	}
}

func TestForAndKeepFiring(t *testing.T) {
	a := slo.Alert{Pairs: slo.Workbook().Page.Pairs[:1], For: 2 * time.Minute, KeepFiring: 3 * time.Minute}
	// At 100 % errors the pair holds from 51.84 s after they begin until 295.68 s after they end.
	long := slo.Outage{Ratio: 1, Length: 10 * time.Minute}
	if got, ok := a.Detection(threeNines, long); !ok || got != 171840*time.Millisecond {
		t.Errorf("detection %v (%v), want 2m51.84s", got, ok)
	}
	if got := a.Reset(threeNines, long); got != 475680*time.Millisecond {
		t.Errorf("reset %v, want 7m55.68s", got)
	}
	// The errors end before For has passed, but the windows still hold.
	if got, ok := a.Detection(threeNines, slo.Outage{Ratio: 1, Length: time.Minute}); !ok || got != 171840*time.Millisecond {
		t.Errorf("short outage: detection %v (%v), want 2m51.84s", got, ok)
	}
	a.For = 10 * time.Minute
	if got, ok := a.Detection(threeNines, slo.Outage{Ratio: 1, Length: time.Minute}); ok {
		t.Errorf("an outage of a minute fires after %v, though the pair holds for less than 10 minutes", got)
	}
	if got := a.Reset(threeNines, slo.Outage{Ratio: 1, Length: time.Minute}); got != 0 {
		t.Errorf("what never fired resets after %v", got)
	}
}

func TestGuardAtLowTraffic(t *testing.T) {
	page := slo.Alert{Pairs: slo.Workbook().Page.Pairs[:1]}
	perHour := func(n float64) float64 { return n / 3600 }
	for _, tc := range []struct {
		name  string
		goal  slo.Goal
		rate  float64
		after time.Duration // 0: never
	}{
		{"plenty", slo.Goal{Budget: 0.001, MinBadEvents: 5}, perHour(1e6), 51840 * time.Millisecond},
		{"ten an hour: five failures take half an hour", slo.Goal{Budget: 0.001, MinBadEvents: 5}, perHour(10), 30 * time.Minute},
		{"four an hour never are five", slo.Goal{Budget: 0.001, MinBadEvents: 5}, perHour(4), 0},
		{"no guard", slo.Goal{Budget: 0.001}, perHour(4), 51840 * time.Millisecond},
	} {
		got, fires := page.Detection(tc.goal, slo.Outage{Ratio: 1, Length: 2 * time.Hour, Rate: tc.rate})
		if fires != (tc.after > 0) || got != tc.after {
			t.Errorf("%s: %v (%v), want %v", tc.name, got, fires, tc.after)
		}
	}
}

// ratioIn returns the error ratio of a window that ends at t, for an outage that begins at 0.
func ratioIn(window, t time.Duration, o slo.Outage) float64 {
	bad := min(t, o.Length) - max(t-window, 0)
	return o.Ratio * max(bad, 0).Seconds() / window.Seconds()
}

// The formulas match a simulation within one step, for every alert, objective and outage.
func TestFormulasEqualSimulation(t *testing.T) {
	const step = time.Second
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		short := time.Duration(1+random.IntN(20)) * time.Minute
		a := slo.Alert{Pairs: []slo.Pair{
			{Long: short * time.Duration(2+random.IntN(12)), Short: short, Burn: 1 + 20*random.Float64()},
			{Long: short * time.Duration(13+random.IntN(6)), Short: 2 * short, Burn: 0.5 + 5*random.Float64()},
		}, For: time.Duration(random.IntN(2)) * 40 * time.Second}
		g := slo.Goal{Budget: []float64{0.1, 0.01, 0.001}[random.IntN(3)]}
		o := slo.Outage{Ratio: math.Pow(random.Float64(), 2), Length: time.Duration(1+random.IntN(120)) * time.Minute}

		var firedAt, endedAt, since time.Duration
		since = -1
		fired := false
		for now := time.Duration(0); now <= o.Length+6*time.Hour; now += step {
			holds := false
			for _, p := range a.Pairs {
				theta := p.Threshold(g.Budget)
				holds = holds || ratioIn(p.Long, now, o) > theta && ratioIn(p.Short, now, o) > theta
			}
			switch {
			case !holds:
				since = -1
				continue
			case since < 0:
				since = now
			}
			if now-since >= a.For {
				if !fired {
					fired, firedAt = true, now
				}
				endedAt = now
			}
		}
		detected, fires := a.Detection(g, o)
		if !fired && fires && o.Length-detected < 2*step && o.Length-detected > -2*step || a.Reset(g, o) < 2*step && !fired {
			continue // too close to the threshold for the simulation's step
		}
		if fired != fires {
			t.Fatalf("%+v of %+v: simulation fires %v, formula %v (%v)", o, a, fired, fires, detected)
		}
		if !fired {
			continue
		}
		if late := firedAt - detected; late < 0 || late > 2*step {
			t.Fatalf("%+v of %+v: simulation fires after %v, formula says %v", o, a, firedAt, detected)
		}
		if diff := endedAt - o.Length - a.Reset(g, o); diff > step || diff < -2*step {
			t.Fatalf("%+v of %+v: simulation ends %v after the errors, formula says %v", o, a, endedAt-o.Length, a.Reset(g, o))
		}
	}
}

func TestBudgetNeverBelowZeroWithinTheObjective(t *testing.T) {
	within := func(share, length float64) bool {
		budget := 0.001
		o := slo.Outage{Ratio: budget * math.Mod(math.Abs(share), 1), Length: time.Duration(math.Mod(math.Abs(length), 1) * float64(month))}
		return o.Spent(budget, month) <= 1
	}
	if err := quick.Check(within, nil); err != nil {
		t.Error(err)
	}
}

// Results at scale k equal results at scale 1 with times divided by k.
func TestScaleDividesTime(t *testing.T) {
	for _, k := range []float64{2, 7, 60, 100} {
		clock := slo.NewClock(k, time.Second)
		page := slo.Workbook().Page
		fast := slo.Alert{For: clock.Wall(page.For), KeepFiring: clock.Wall(page.KeepFiring)}
		for _, p := range page.Pairs {
			fast.Pairs = append(fast.Pairs, slo.Pair{Long: clock.Wall(p.Long), Short: clock.Wall(p.Short), Burn: p.Burn})
		}
		for _, ratio := range []float64{1, 0.15, 0.05, 0.02} {
			o := slo.Outage{Ratio: ratio, Length: 10 * time.Hour}
			quick := slo.Outage{Ratio: ratio, Length: clock.Wall(o.Length)}
			slow, _ := page.Detection(threeNines, o)
			short, _ := fast.Detection(threeNines, quick)
			if diff := clock.Wall(slow) - short; diff < -2*time.Millisecond || diff > 2*time.Millisecond {
				t.Errorf("scale %v, %v: detected after %v, want %v", k, ratio, short, clock.Wall(slow))
			}
			if diff := clock.Wall(page.Reset(threeNines, o)) - fast.Reset(threeNines, quick); diff < -2*time.Millisecond || diff > 2*time.Millisecond {
				t.Errorf("scale %v, %v: resets differ by %v", k, ratio, diff)
			}
		}
	}
}

func TestClockRefusesWindowsBelowTwoScrapes(t *testing.T) {
	for _, tc := range []struct {
		name  string
		clock slo.Clock
		ok    bool
	}{
		{"production", slo.Production(), true},
		{"workshop", slo.Workshop(), true},
		{"5m is exactly two scrapes", slo.NewClock(150, time.Second), true},
		{"5m is 1.5 scrapes", slo.NewClock(200, time.Second), false},
		{"5m rounds to nothing", slo.NewClock(1e9, time.Second), false},
		{"scraped each minute", slo.NewClock(1, time.Minute), true},
		{"scraped each three minutes", slo.NewClock(1, 3*time.Minute), false},
		{"no scale", slo.Clock{Scrape: time.Second, Interval: time.Second}, false},
	} {
		if err := tc.clock.Validate(slo.Workbook()); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	err := slo.NewClock(200, time.Second).Validate(slo.Workbook())
	want := "scale 200 makes the window of 5m 1s500ms long: it must hold 2 scrapes (one every 1s) and an evaluation (every 1s)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPolicyValidate(t *testing.T) {
	for name, p := range map[string]slo.Policy{
		"none":           {Period: month},
		"short not less": {Period: month, Page: slo.Alert{Pairs: []slo.Pair{{Long: time.Hour, Short: time.Hour, Burn: 1}}}},
		"past period":    {Period: time.Hour, Page: slo.Alert{Pairs: []slo.Pair{{Long: 2 * time.Hour, Short: time.Minute, Burn: 1}}}},
		"no burn":        {Period: month, Ticket: slo.Alert{Pairs: []slo.Pair{{Long: 2 * time.Hour, Short: time.Minute}}}},
	} {
		if p.Validate() == nil {
			t.Errorf("%s: valid", name)
		}
	}
	if err := slo.Default().Validate(); err != nil {
		t.Error(err)
	}
}
