package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

func objective(t *testing.T) slo.SLO {
	t.Helper()
	s, err := Objective()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compiled(t *testing.T, set RuleSet) []*rule {
	t.Helper()
	all, err := set.compile()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// newRanger returns a ranger for a timeline.
func newRanger(t *testing.T, line timeline) *ranger {
	t.Helper()
	r := &ranger{
		engine: newEngine(), counters: line.counters(ownCounters()), start: epoch(), length: line.length(),
		done: func() {}, ranges: map[string]*cached{},
	}
	t.Cleanup(func() { r.engine.Close() })
	return r
}

// outage returns a month with one incident, after a long time without errors.
func outage(start time.Duration, o slo.Outage) Catalogue {
	return Catalogue{Rate: o.Rate, Incidents: []Incident{{Name: "outage", Start: start, Duration: o.Length, Shape: Constant(o.Ratio), Rate: o.Rate}}}
}

// The formulas match the simulation within a scrape and an evaluation, for random policies and
// outages. The arithmetic simulates them. Its results equal Prometheus's exactly
// (TestEnginesAgree…).
func TestFormulasEqualSimulation(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	s := objective(t)
	const start = day
	pick := func(from []slo.Pair) slo.Pair { return from[random.IntN(len(from))] }
	where := searched()
	detected := 0
	for range 60 {
		policy := slo.Policy{
			Period: Period, Page: slo.Alert{Pairs: []slo.Pair{pick(where.fast), pick(where.slow)}}, Ticket: slo.Alert{Pairs: []slo.Pair{pick(where.day), pick(where.days)}},
		}
		o := rules.Options{Policy: policy, Clock: slo.Production()}
		set, err := Own(s, o)
		if err != nil {
			t.Fatal(err)
		}
		out := slo.Outage{
			Ratio:  math.Pow(10, -3*random.Float64()),
			Length: (time.Duration(1+random.IntN(100)) * 5 * time.Minute).Round(Resolution), Rate: 1000,
		}
		fires := newArithmetic(outage(start, out).replay(8*day, 5*day), s.Budget()).fires(set.Model)
		for _, severity := range []slo.Severity{slo.Page, slo.Ticket} {
			want := rules.Predict(s, o, severity, out)
			got := notice(Incident{Start: start, Duration: out.Length}, 8*day, fires[severity])
			name := fmt.Sprintf("%v %v of %+v", severity, out, policy)
			// Close to the threshold, one scrape decides whether the alert fires.
			edge := 2*time.Duration(want.Slack) + 5*time.Minute
			if want.Fires != got.Fires && (!want.Fires || out.Length-time.Duration(want.Detection) > edge) && (!got.Fires || out.Length-got.Detection > edge) {
				t.Errorf("%s: fires %v, predicted %v", name, got, want)
			}
			if want.Fires && got.Fires {
				detected++
				// A rate over W covers one scrape less than W. Sums of rates blur the time of an
				// error by the window that they sum.
				smear := time.Duration(0)
				if severity == slo.Ticket {
					smear = policy.Windows()[0] / 2
				}
				if off := got.Detection - time.Duration(want.Detection); off < -Resolution-smear || off > time.Duration(want.Slack)+smear {
					t.Errorf("%s: detected after %v, predicted %v", name, got.Detection, time.Duration(want.Detection))
				}
			}
		}
	}
	if detected < 30 {
		t.Errorf("%d were detected: that proves nothing", detected)
	}
}

// Results at scale k equal results at scale 1 with times divided by k, in Prometheus's own engine.
func TestScaleDividesTime(t *testing.T) {
	const k = 60
	s := objective(t)
	c := outage(time.Hour, slo.Outage{Ratio: 0.2, Length: 20 * time.Minute, Rate: 100})
	line := c.replay(10*time.Hour, 4*day)
	fast := line
	fast.step /= k
	clock := slo.NewClock(k, Resolution/k)
	fires := map[float64]Firing{}
	for scale, one := range map[float64]struct {
		line  timeline
		clock slo.Clock
	}{1: {line, slo.Production()}, k: {fast, clock}} {
		set, err := Own(s, rules.Options{Policy: slo.Default(), Clock: one.clock})
		if err != nil {
			t.Fatal(err)
		}
		done, err := newRanger(t, one.line).run(t.Context(), compiled(t, set))
		if err != nil {
			t.Fatal(err)
		}
		fires[scale] = bySeverity(done.fires)
	}
	if len(fires[1][slo.Page]) != 1 || len(fires[1][slo.Ticket]) == 0 {
		t.Fatalf("scale 1 fires %v", fires[1])
	}
	for severity, spans := range fires[1] {
		want := slices.Clone(spans)
		for i := range want {
			want[i].From /= k
			want[i].To /= k
		}
		if got := fires[k][severity]; !reflect.DeepEqual(got, want) {
			t.Errorf("scale %d, %s: %v, want %v", k, severity, got, want)
		}
	}
}

// An hour without incidents fires no alert of any rule set.
func TestQuietHourFiresNothing(t *testing.T) {
	c := catalogue(t)
	c.Incidents = []Incident{{Name: "none", Start: 0, Duration: time.Hour, Shape: Constant(c.Background), Rate: c.Rate}}
	report, err := Replay(t.Context(), c, sets(t), Options{length: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Results {
		if len(r.Fires[slo.Page])+len(r.Fires[slo.Ticket]) > 0 {
			t.Errorf("%s fires %v", r.Set.Name, r.Fires)
		}
	}
}

// The remaining budget that the generated rules record is negative only if the objective is missed
// over the period, however the errors are distributed.
func TestBudgetIsNegativeOnlyBelowTheObjective(t *testing.T) {
	s := objective(t)
	for seed := range uint64(3) {
		for _, over := range []bool{false, true} {
			c := Random(seed, s.Budget())
			line := c.replay(Period+day, day) // a day longer, so that the last evaluation covers the whole month
			// Errors at the end of the month raise the total to 95 % or 105 % of the budget.
			spent := line.spent(Span{0, Period}, s.Budget())
			factor := 0.95 / spent
			if over {
				factor = 1.05 / spent
			}
			for i := range line.bad {
				line.bad[i] = past/2 + math.Floor((line.bad[i]-past/2)*factor)
			}
			least := leastBudget(t, s, line)
			if (least < 0) != over {
				t.Errorf("seed %d: at %.0f %% of the budget the least that remains is %v", seed, 100*spent*factor, least)
			}
		}
	}
}

// leastBudget returns the lowest remaining budget that the rules record, evaluated once a day.
func leastBudget(t *testing.T, s slo.SLO, line timeline) float64 {
	t.Helper()
	set, err := Own(s, rules.Options{Policy: slo.Default(), Clock: slo.Production()})
	if err != nil {
		t.Fatal(err)
	}
	var needed []*rule
	for _, r := range compiled(t, set) {
		switch base := slo.Format(slo.Default().Windows()[0]); {
		case strings.HasSuffix(r.record, "rate"+slo.Format(Period)), r.record == slo.SeriesBudgetRemaining:
			r.every, r.since = day, 0
		case strings.HasSuffix(r.record, "events:rate"+base):
			r.since = 0
		default:
			continue
		}
		needed = append(needed, r)
	}
	done, err := newRanger(t, line).run(t.Context(), needed)
	if err != nil {
		t.Fatal(err)
	}
	budget := done.known.series[len(done.known.series)-1]
	if len(budget.values) != int(Period/day)+1 {
		t.Fatalf("%d values of %s", len(budget.values), budget.labels)
	}
	return slices.Min(budget.values)
}

// The computed cost of rules equals the number of samples that Prometheus's engine reads.
func TestCostIsWhatTheEngineReads(t *testing.T) {
	c := catalogue(t)
	line := c.replay(time.Hour, 5*day)
	for _, set := range sets(t) {
		all := compiled(t, set)
		r := newRanger(t, line)
		done, err := r.run(t.Context(), all)
		if err != nil {
			t.Fatal(err)
		}
		for i, one := range all {
			if !one.needed() {
				continue
			}
			q, err := r.engine.NewInstantQuery(t.Context(), done.known, promql.NewPrometheusQueryOpts(false, 0), one.expr.String(), epoch().Add(30*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			if res := q.Exec(t.Context()); res.Err != nil {
				t.Fatal(res.Err)
			}
			got, want := float64(q.Stats().Samples.TotalSamples), one.cost(all[:i], Resolution, 1)*one.every.Seconds()
			if math.Abs(got-want) > 0.5 {
				t.Errorf("%s: %s reads %v samples, told was %v", set.Name, one.record+one.alert, got, want)
			}
			q.Close()
		}
	}
}
