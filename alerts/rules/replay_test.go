package rules_test

import (
	"context"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

// replay evaluates the generated rules with Prometheus's own rule groups. The test increases the
// counters that they read.
type replay struct {
	t        *testing.T
	db       *tsdb.DB
	engine   *promql.Engine
	groups   []*promrules.Group
	clock    slo.Clock
	start    time.Time
	now      time.Duration // since start
	counters map[string]float64
	fired    []span // times in which alerts fired or still fire
}

// span is a time in which an alert fired.
type span struct {
	alert    string // name/severity
	from, to time.Duration
	open     bool
}

// newReplay loads the rules of a spec.
func newReplay(t *testing.T, spec slo.Spec, clock slo.Clock) *replay {
	t.Helper()
	text, err := rules.Render(spec, rules.Options{Policy: slo.Default(), Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	opts := tsdb.DefaultOptions()
	opts.MinBlockDuration = int64(100 * 24 * time.Hour / time.Millisecond) // keep all samples in the head
	opts.MaxBlockDuration = opts.MinBlockDuration
	opts.WALSegmentSize = -1 // no write-ahead log
	quiet := slog.New(slog.DiscardHandler)
	db, err := tsdb.Open(t.TempDir(), quiet, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	engine := promql.NewEngine(promql.EngineOpts{
		Logger: quiet, MaxSamples: 5e7, Timeout: time.Hour, LookbackDelta: 5 * time.Minute,
	})
	t.Cleanup(func() { engine.Close() })
	r := &replay{
		t: t, db: db, engine: engine, clock: clock,
		start: time.Unix(1_800_000_000, 0), counters: map[string]float64{},
	}
	manager := promrules.NewManager(&promrules.ManagerOptions{
		Context: t.Context(), Logger: quiet, Appendable: db, Queryable: db,
		QueryFunc:  promrules.EngineQueryFunc(engine, db),
		NotifyFunc: func(context.Context, string, ...*promrules.Alert) {},
	})
	groups, errs := manager.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, file)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range groups {
		r.groups = append(r.groups, g)
	}
	// Within a file, the groups of an objective are in the order in which they use each other's
	// results.
	slices.SortFunc(r.groups, func(a, b *promrules.Group) int { return strings.Compare(a.Name(), b.Name()) })
	return r
}

// run advances time, with scrapes and evaluations. turn increases the counters at each scrape.
func (r *replay) run(length time.Duration, turn func(add func(series string, by float64))) {
	r.t.Helper()
	for end := r.now + length; r.now < end; {
		r.now += r.clock.Scrape
		if turn != nil {
			turn(func(series string, by float64) { r.counters[series] += by })
			r.scrape()
		}
		for _, g := range r.groups {
			if r.now%g.Interval() == 0 {
				g.Eval(r.t.Context(), r.start.Add(r.now))
				r.check(g)
			}
		}
	}
}

func (r *replay) scrape() {
	r.t.Helper()
	app := r.db.Appender(r.t.Context())
	for series, v := range r.counters {
		metric, err := parser.ParseMetric(series)
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := app.Append(0, metric, r.start.Add(r.now).UnixMilli(), v); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		r.t.Fatal(err)
	}
}

// makeUp writes the recorded series of a healthy past, as backfill does: 100 events per second.
func (r *replay) makeUp(length time.Duration) {
	r.t.Helper()
	app := r.db.Appender(r.t.Context())
	for at := -length; at < 0; at += r.clock.Interval {
		for name, v := range map[string]float64{slo.SeriesBadEvents(5 * time.Minute): 0, slo.SeriesTotalEvents(5 * time.Minute): 100} {
			made := labels.FromStrings(labels.MetricName, name, "service", "shop", "slo", "ok", "scale", "60", "synthetic", "true")
			if _, err := app.Append(0, made, r.start.Add(at).UnixMilli(), v); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	for _, name := range []string{slo.SeriesBadEvents(5 * time.Minute), slo.SeriesTotalEvents(5 * time.Minute)} {
		made := labels.FromStrings(labels.MetricName, name, "service", "shop", "slo", "ok", "scale", "60", "synthetic", "true")
		if _, err := app.Append(0, made, r.start.UnixMilli(), math.Float64frombits(value.StaleNaN)); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		r.t.Fatal(err)
	}
}

// check fails the test if a rule of the group fails, and records which alerts fire.
func (r *replay) check(g *promrules.Group) {
	r.t.Helper()
	for _, rule := range g.Rules() {
		if err := rule.LastError(); err != nil {
			r.t.Fatalf("%s at %v: %v", rule.Name(), r.now, err)
		}
		alert, ok := rule.(*promrules.AlertingRule)
		if !ok {
			continue
		}
		name := alert.Name() + "/" + alert.Labels().Get("severity")
		i := slices.IndexFunc(r.fired, func(s span) bool { return s.open && s.alert == name })
		fires := slices.ContainsFunc(alert.ActiveAlerts(), func(a *promrules.Alert) bool { return a.State == promrules.StateFiring })
		switch {
		case fires && i < 0:
			r.fired = append(r.fired, span{alert: name, from: r.now, open: true})
		case !fires && i >= 0:
			r.fired[i].open, r.fired[i].to = false, r.now
		}
	}
}

// of returns the times in which an alert fired.
func (r *replay) of(alert string) []span {
	var all []span
	for _, s := range r.fired {
		if s.alert == alert {
			all = append(all, s)
		}
	}
	return all
}

// value returns the current value of a series or an expression.
func (r *replay) value(expr string) float64 {
	r.t.Helper()
	q, err := r.engine.NewInstantQuery(r.t.Context(), r.db, nil, expr, r.start.Add(r.now))
	if err != nil {
		r.t.Fatal(err)
	}
	defer q.Close()
	v, err := q.Exec(r.t.Context()).Vector()
	if err != nil || len(v) != 1 {
		r.t.Fatalf("%s is %v (%v), want one value", expr, v, err)
	}
	return v[0].F
}

// series returns the number of NaN samples of each recorded series, by name.
func (r *replay) series() map[string]int {
	r.t.Helper()
	q, err := r.db.Querier(r.start.UnixMilli(), r.start.Add(r.now).UnixMilli())
	if err != nil {
		r.t.Fatal(err)
	}
	defer q.Close()
	nans := map[string]int{}
	set := q.Select(r.t.Context(), false, &storage.SelectHints{Start: r.start.UnixMilli(), End: r.start.Add(r.now).UnixMilli()},
		labels.MustNewMatcher(labels.MatchRegexp, labels.MetricName, "slo:.*"))
	for set.Next() {
		name := set.At().Labels().Get(labels.MetricName)
		nans[name] += 0
		it := set.At().Iterator(nil)
		for it.Next() != 0 {
			if _, v := it.At(); math.IsNaN(v) {
				nans[name]++
			}
		}
	}
	if err := set.Err(); err != nil {
		r.t.Fatal(err)
	}
	return nans
}

const testSpec = `version: prometheus/v1
service: shop
slos:
  - name: ok
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(requests_total{code="500"}[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
`

func spec(t *testing.T, replace ...string) slo.Spec {
	t.Helper()
	s, err := slo.Parse("shop.yaml", []byte(strings.NewReplacer(replace...).Replace(testSpec)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// requests increases the counters of good and bad requests at each scrape.
func requests(good, bad float64) func(func(string, float64)) {
	return func(add func(string, float64)) {
		add(`requests_total{code="200"}`, good)
		add(`requests_total{code="500"}`, bad)
	}
}
