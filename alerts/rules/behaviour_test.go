package rules_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

const (
	page   = "ShopOkBurn/page"
	ticket = "ShopOkBurn/ticket"
	absent = "SLIAbsent/page"
	spent  = "ErrorBudgetSpent/ticket"
)

func series(name string) string { return name + `{service="shop",slo="ok",scale="60"}` }

func TestIdleServiceIsNoFailure(t *testing.T) {
	r := newReplay(t, spec(t), slo.Workshop())
	r.run(2*time.Minute, requests(10, 0))
	r.run(3*time.Minute, requests(0, 0)) // longer than the window of two hours
	for name, nans := range r.series() {
		if nans > 0 {
			t.Errorf("%s: %d samples are NaN", name, nans)
		}
	}
	for _, name := range []string{slo.SeriesErrorRatio(2 * time.Hour), slo.SeriesBurnRate(2 * time.Hour), slo.SeriesBurnRate(30 * 24 * time.Hour)} {
		if got := r.value(series(name)); got != 0 {
			t.Errorf("%s is %v without requests, want 0", name, got)
		}
	}
	if got := r.value(series(slo.SeriesBudgetRemaining)); got != 1 {
		t.Errorf("budget remaining %v, want 1", got)
	}
	if len(r.fired) > 0 {
		t.Errorf("fired: %+v", r.fired)
	}
}

// The series of bad events does not exist before the first error, as in servers that create one
// series per status.
func TestNoBadSeriesIsNoError(t *testing.T) {
	r := newReplay(t, spec(t), slo.Workshop())
	r.run(time.Minute, func(add func(string, float64)) { add(`requests_total{code="200"}`, 10) })
	if got := r.value(series(slo.SeriesErrorRatio(5 * time.Minute))); got != 0 {
		t.Errorf("error ratio %v, want 0", got)
	}
	if len(r.of(absent)) > 0 {
		t.Error("SLIAbsent fires for a service that is well")
	}
}

// With 25 minutes of history and 1 % errors for five of them, every window from 30m to 30d holds
// the same samples, but none of the long windows is full.
func TestFreshPrometheusTakesNoBlipForBadDays(t *testing.T) {
	r := newReplay(t, spec(t), slo.Workshop())
	r.run(10*time.Second, requests(100, 0))
	r.run(5*time.Second, requests(99, 1))
	r.run(10*time.Second, requests(100, 0))
	ratio := r.value(series(slo.SeriesErrorRatio(3 * 24 * time.Hour)))
	if ratio < 0.001 || ratio > 0.003 {
		t.Errorf("error ratio over three days %v: want what was measured, about 0.002", ratio)
	}
	if got := r.value(series(slo.SeriesBurnRate(3 * 24 * time.Hour))); got > 0.02 {
		t.Errorf("burn rate over three days %v: want at most 0.02, for 25 minutes are 0.6 %% of it", got)
	}
	if len(r.fired) > 0 {
		t.Errorf("fired: %+v", r.fired)
	}
	// Alerts still work: an outage pages as soon as it would with a long history.
	begin := r.now
	r.run(5*time.Second, requests(0, 100))
	if got := r.of(page); len(got) != 1 || got[0].from-begin > 3*time.Second {
		t.Errorf("an outage on a fresh Prometheus pages %+v, want once within 3 s of %v", got, begin)
	}
}

// Synthetic history fills the long windows. It must not make the short windows, which read
// counters, count as full. Otherwise a blip would page after a fresh "make up".
func TestMadeUpHistoryMakesNoYoungCountersOld(t *testing.T) {
	r := newReplay(t, spec(t), slo.Workshop())
	r.makeUp(12 * time.Minute)
	r.run(30*time.Second, requests(100, 0))
	r.run(5*time.Second, requests(96, 4)) // 4 % errors for five minutes of SLO time
	r.run(10*time.Second, requests(100, 0))
	if got := r.of(page); len(got) > 0 {
		t.Errorf("a blip pages: %+v", got)
	}
	if got := r.value(series(slo.SeriesBurnRate(3 * time.Hour))); got > 1.2 {
		t.Errorf("burn rate over three hours %v: want 1.1, for 20 bad events of a quarter of the window", got)
	}
	if got := r.value(slo.SeriesTotalEvents(3*24*time.Hour) + ` * 4320`); math.Abs(got-(12*60*100+45*100)) > 600 {
		t.Errorf("%v events in three days, want 72,000 made up and 4,500 counted", got)
	}
}

// Every event has the same weight, in a quiet night with errors and in a busy noon without.
func TestLongWindowsWeighEventsNotMinutes(t *testing.T) {
	r := newReplay(t, spec(t), slo.Workshop())
	r.run(3*time.Minute, requests(5, 5))  // 1,800 events, half of them bad
	r.run(3*time.Minute, requests(90, 0)) // 16,200 events
	want := 900.0 / (1800 + 16200)
	if got := r.value(series(slo.SeriesErrorRatio(3 * 24 * time.Hour))); math.Abs(got-want) > 0.02*want {
		t.Errorf("error ratio over three days %v, want %v; a mean of ratios would be 0.25", got, want)
	}
	events := r.value(series(slo.SeriesTotalEvents(3*24*time.Hour)) + " * 4320")
	if math.Abs(events-18000) > 0.02*18000 {
		t.Errorf("%v events in three days, want 18,000", events)
	}
}

func TestSingleFailuresAtLowTraffic(t *testing.T) {
	slow := func(bad float64) func(func(string, float64)) {
		n := 0
		return func(add func(string, float64)) { // a request every 6 s: ten in an hour of SLO time
			n++
			add(`requests_total{code="200"}`, 0)
			add(`requests_total{code="500"}`, 0)
			if n%6 == 0 {
				add(`requests_total{code="200"}`, 1-bad)
				add(`requests_total{code="500"}`, bad)
			}
		}
	}
	r := newReplay(t, spec(t), slo.Workshop())
	r.run(5*time.Minute, slow(0))
	r.run(6*time.Second, slow(1)) // one failure of ten requests: 100 times the budget
	r.run(2*time.Minute, slow(0))
	if len(r.of(page)) > 0 {
		t.Errorf("a single failure pages: %+v", r.fired)
	}
	begin := r.now
	r.run(90*time.Second, slow(1)) // the service is down
	if got := r.of(page); len(got) != 1 || got[0].from-begin > 37*time.Second {
		t.Errorf("an outage at ten requests an hour pages %+v, want once, after five failures (30 s; and 6 s for the first)", got)
	}
	unguarded := newReplay(t, spec(t, "    sli:", "    low_traffic: {min_bad_events: 0}\n    sli:"), slo.Workshop())
	unguarded.run(5*time.Minute, slow(0))
	unguarded.run(6*time.Second, slow(1))
	unguarded.run(time.Minute, slow(0))
	if len(unguarded.of(page)) == 0 {
		t.Error("without the guard a single failure does not page: the case above proves nothing")
	}
}

func TestAbsentDataPages(t *testing.T) {
	r := newReplay(t, spec(t), slo.Workshop())
	r.run(time.Minute, requests(10, 0))
	gone := r.now
	r.run(time.Minute, nil) // nothing is scraped
	got := r.of(absent)
	if len(got) != 1 || !got[0].open || got[0].from-gone > 40*time.Second {
		t.Fatalf("SLIAbsent fires %+v, want within 40 s of %v, and still", got, gone)
	}
	r.run(5*time.Second, requests(10, 0))
	if got := r.of(absent); len(got) != 1 || got[0].open {
		t.Errorf("with data again SLIAbsent fires %+v", got)
	}
	if len(r.of(page))+len(r.of(ticket)) > 0 {
		t.Errorf("a gap alerts: %+v", r.fired)
	}
}

func TestSpentBudgetIsTold(t *testing.T) {
	r := newReplay(t, spec(t), slo.Workshop())
	r.run(10*time.Second, requests(0, 0))
	begin := r.now
	r.run(time.Minute, requests(0, 100)) // a total outage spends 0.1 % of 12 h in 43 s
	got := r.of(spent)
	if len(got) != 1 || got[0].from-begin < 33*time.Second || got[0].from-begin > 50*time.Second {
		t.Fatalf("ErrorBudgetSpent fires %+v after %v, want after 43 s less the 10 s of nothing", got, begin)
	}
	if left := r.value(series(slo.SeriesBudgetRemaining)); math.Abs(left-(1-70/43.2)) > 0.1 {
		t.Errorf("budget remaining %v, want %v", left, 1-70/43.2)
	}
	if left := r.value(series(slo.SeriesTimeToExhaustion)); left != 0 {
		t.Errorf("time to exhaustion %v, want 0", left)
	}
}

func TestTimeToExhaustion(t *testing.T) {
	r := newReplay(t, spec(t, "99.9", "99"), slo.Workshop())
	r.run(2*time.Minute, requests(95, 5)) // burn rate 5 for 2h24m of the 12 h
	left := r.value(series(slo.SeriesTimeToExhaustion))
	want := 144 * 60 * (1 - 5*2.0/720)
	if math.Abs(left-want) > 0.01*want {
		t.Errorf("time to exhaustion %v s, want %v", left, want)
	}
}

// The rules, evaluated by Prometheus's engine, do what the formulas predict for an outage, within
// one evaluation.
func TestRulesDoWhatIsPredicted(t *testing.T) {
	for _, tc := range []struct {
		objective string
		ratio     float64
		length    time.Duration
		after     time.Duration // how long to watch after the outage
	}{
		{"99.9", 1, 10 * time.Second, time.Minute},
		{"99.9", 0.15, 10 * time.Second, 7 * time.Minute}, // until the ticket ends
		{"99.9", 0.05, time.Minute, time.Minute},
		{"99", 0.5, 30 * time.Second, time.Minute},
		{"99", 0.08, 6 * time.Minute, time.Minute},
		{"99.9", 0.012, 8 * time.Minute, time.Minute},
		{"99.9", 0.005, time.Minute, time.Minute},
	} {
		t.Run(fmt.Sprintf("%v of %s for %v", tc.ratio, tc.objective, tc.length), func(t *testing.T) {
			t.Parallel()
			const rate = 1000
			sp := spec(t, "99.9", tc.objective)
			options := rules.Options{Policy: slo.Default(), Clock: slo.Workshop()}
			r := newReplay(t, sp, options.Clock)
			r.run(time.Minute, requests(rate, 0))
			begin := r.now
			r.run(tc.length, requests(rate*(1-tc.ratio), rate*tc.ratio))
			end := r.now
			r.run(tc.after, requests(rate, 0))
			for alert, severity := range map[string]slo.Severity{page: slo.Page, ticket: slo.Ticket} {
				want := rules.Predict(sp.SLOs[0], options, severity, slo.Outage{Ratio: tc.ratio, Length: tc.length, Rate: rate})
				got := r.of(alert)
				if !want.Fires {
					if len(got) > 0 {
						t.Errorf("%s fires %+v, predicted was nothing", alert, got)
					}
					continue
				}
				if len(got) != 1 {
					t.Errorf("%s fires %+v, want once", alert, got)
					continue
				}
				within(t, alert+" detected", got[0].from-begin, want.Detection, want.Slack)
				if time.Duration(want.Reset) < tc.after {
					within(t, alert+" reset", got[0].to-end, want.Reset, want.Slack)
				}
			}
		})
	}
}

// within checks a duration. It allows for an evaluation and a scrape at both ends, because a rate
// over a few samples is extrapolated.
func within(t *testing.T, what string, got time.Duration, want, slack rules.Seconds) {
	t.Helper()
	if diff := got - time.Duration(want); diff < -time.Duration(slack) || diff > time.Duration(slack) {
		t.Errorf("%s after %v, predicted %v (within %v)", what, got, time.Duration(want), time.Duration(slack))
	}
}

// The rules at scale k, with samples k times as frequent, record the same values as at scale 1.
func TestScaleOnlyDividesTime(t *testing.T) {
	sp := spec(t)
	plain := newReplay(t, sp, slo.Clock{Scale: 1, Scrape: 15 * time.Second, Interval: 15 * time.Second})
	fast := newReplay(t, sp, slo.Clock{Scale: 15, Scrape: time.Second, Interval: time.Second})
	for i, phase := range []struct {
		samples   int
		good, bad float64
	}{{120, 50, 0}, {30, 40, 10}, {60, 50, 0}, {100, 0, 0}, {40, 45, 5}} {
		plain.run(time.Duration(phase.samples)*15*time.Second, requests(phase.good, phase.bad))
		fast.run(time.Duration(phase.samples)*time.Second, requests(phase.good, phase.bad))
		for _, w := range slo.Default().Windows() {
			name := slo.SeriesBurnRate(w)
			a, b := plain.value(name+`{scale="1"}`), fast.value(name+`{scale="15"}`)
			if math.Abs(a-b) > 1e-9*math.Abs(a) {
				t.Errorf("phase %d: %s is %v at scale 1 and %v at scale 15", i, name, a, b)
			}
		}
	}
	if len(plain.fired) == 0 || len(plain.fired) != len(fast.fired) {
		t.Fatalf("fired at scale 1: %+v, at scale 15: %+v", plain.fired, fast.fired)
	}
	for i, a := range plain.fired {
		if b := fast.fired[i]; a.alert != b.alert || a.from != 15*b.from || a.to != 15*b.to {
			t.Errorf("fired at scale 1: %+v, at scale 15: %+v", a, b)
		}
	}
}
