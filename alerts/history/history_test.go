package history

import (
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

var end = time.Unix(1_800_000_000, 0)

func objectives(t *testing.T) []slo.SLO {
	t.Helper()
	specs, err := slo.LoadAll("../specs")
	if err != nil {
		t.Fatal(err)
	}
	var all []slo.SLO
	for _, spec := range specs {
		all = append(all, spec.SLOs...)
	}
	return all
}

func workshop(seed uint64) Options {
	return Options{Policy: slo.Default(), Clock: slo.Workshop(), End: end, Seed: seed}
}

func TestSameSeedSamePast(t *testing.T) {
	s := objectives(t)[0]
	if !reflect.DeepEqual(makePast(s, workshop(1)), makePast(s, workshop(1))) {
		t.Error("the same seed gives another past")
	}
	if reflect.DeepEqual(makePast(s, workshop(1)), makePast(s, workshop(2))) {
		t.Error("another seed gives the same past")
	}
}

// For every seed, a past has incidents, leaves a part of the budget, and ends calm enough that no
// alert fires.
func TestPastIsPlausible(t *testing.T) {
	for _, s := range objectives(t) {
		for seed := range uint64(20) {
			p := makePast(s, workshop(seed))
			bad, total := prefix(p.bad), prefix(p.total)
			n := len(p.total)
			for i := range p.total {
				if p.total[i] <= 0 || p.bad[i] < 0 || p.bad[i] > p.total[i] {
					t.Fatalf("%s, seed %d, sample %d: %v bad of %v", s.ID(), seed, i, p.bad[i], p.total[i])
				}
			}
			if spent := window(bad, n-1, n) / window(total, n-1, n) / s.Budget(); spent < 0.15 || spent > 0.85 {
				t.Errorf("%s, seed %d: %.0f %% of the budget is spent", s.ID(), seed, 100*spent)
			}
			worst := 0.0
			hour := int(time.Minute / time.Second)
			for i := hour; i < n; i++ {
				worst = max(worst, window(bad, i, hour)/window(total, i, hour)/s.Budget())
			}
			if worst < 2 {
				t.Errorf("%s, seed %d: no incident: the worst hour burns %.1fx", s.ID(), seed, worst)
			}
			for _, pair := range append(slo.Default().Page.Pairs, slo.Default().Ticket.Pairs...) {
				w := int(workshop(0).Clock.Wall(pair.Long) / time.Second)
				if burn := window(bad, n-1, w) / window(total, n-1, w) / s.Budget(); burn > 0.5*pair.Burn {
					t.Errorf("%s, seed %d: at the end %v burns %.2fx, which is near %vx", s.ID(), seed, pair.Long, burn, pair.Burn)
				}
			}
		}
	}
}

func TestDataIsLeftAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "prometheus")
	if err := os.MkdirAll(filepath.Join(dir, "wal"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), dir, objectives(t), workshop(1)); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("got %v, want ErrNotEmpty", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v), want what it held", entries, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(dir)); len(entries) != 1 {
		t.Errorf("left beside it: %v", entries)
	}
}

func TestBadOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no end":   {Policy: slo.Default(), Clock: slo.Workshop()},
		"no scale": {Policy: slo.Default(), End: end},
		"no rules": {Clock: slo.Workshop(), End: end},
	} {
		if _, err := Write(t.Context(), t.TempDir(), objectives(t), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Prometheus's engine evaluates the generated rules at the end of the past and reads the blocks
// that were written. Every series is marked as synthetic.
func TestRulesReadTheBlocks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "prometheus")
	if err := os.Mkdir(dir, 0o755); err != nil { // "make up" may have left an empty folder
		t.Fatal(err)
	}
	s := objectives(t)[0]
	sum, err := Write(t.Context(), dir, []slo.SLO{s}, workshop(1))
	if err != nil {
		t.Fatal(err)
	}
	if sum.To.Sub(sum.From) != 12*time.Hour || sum.To.After(end) || sum.Objectives != 1 {
		t.Errorf("wrote %+v, want 12 h up to %v", sum, end)
	}
	db, err := tsdb.Open(dir, slog.New(slog.DiscardHandler), nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	allSynthetic(t, db, sum)

	engine := promql.NewEngine(promql.EngineOpts{Logger: slog.New(slog.DiscardHandler), MaxSamples: 5e7, Timeout: time.Hour})
	defer engine.Close()
	last := sum.To.Add(-time.Second)
	value := func(expr string, at time.Time) (float64, bool) {
		t.Helper()
		q, err := engine.NewInstantQuery(t.Context(), db, nil, expr, at)
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		v, err := q.Exec(t.Context()).Vector()
		if err != nil || len(v) > 1 {
			t.Fatalf("%s: %v (%v)", expr, v, err)
		}
		if len(v) == 0 {
			return 0, false
		}
		return v[0].F, true
	}
	p := makePast(s, workshop(1))
	bad, total := prefix(p.bad), prefix(p.total)
	n := len(p.total)
	groups, err := rules.BuildGroups(s, rules.Options{Policy: slo.Default(), Clock: slo.Workshop()})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range groups[1].Rules {
		var want float64
		switch rule.Record {
		case slo.SeriesBadEvents(30 * 24 * time.Hour):
			want = bad[n] / float64(n)
		case slo.SeriesTotalEvents(3 * 24 * time.Hour):
			want = window(total, n-1, 4320) / 4320
		default:
			continue
		}
		if got, ok := value(rule.Expr, last); !ok || math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s is %v, want %v", rule.Record, got, want)
		}
	}
	remaining := slo.SeriesBudgetRemaining + s.Selector(60)
	if got, ok := value(remaining, last); !ok || got < 0.15 || got > 0.85 {
		t.Errorf("%s is %v (%v) at the end", remaining, got, ok)
	}
	if _, ok := value(remaining, sum.To); ok {
		t.Error("a synthetic series goes on after its end: nobody could tell it from the present")
	}
}

func allSynthetic(t *testing.T, db *tsdb.DB, sum Summary) {
	t.Helper()
	q, err := db.Querier(sum.From.UnixMilli(), sum.To.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(t.Context(), false, nil, labels.MustNewMatcher(labels.MatchRegexp, labels.MetricName, ".+"))
	series := 0
	for set.Next() {
		series++
		if got := set.At().Labels(); got.Get(slo.LabelSynthetic) != "true" || got.Get(slo.LabelScale) != "60" {
			t.Errorf("%v is not labelled synthetic, or not with its scale", got)
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	if series != sum.Series || series < 15 {
		t.Errorf("%d series, want the %d that were told", series, sum.Series)
	}
}
