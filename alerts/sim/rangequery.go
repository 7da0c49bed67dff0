package sim

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"firedrill/alerts/slo"
)

// ranger evaluates rule sets with range queries. An expression that several sets share is evaluated
// once.
type ranger struct {
	engine   *promql.Engine
	counters *store
	start    time.Time
	length   time.Duration
	done     func() // called after each rule

	mu     sync.Mutex
	ranges map[string]*cached
}

// cached is the result of one expression.
type cached struct {
	once   sync.Once
	result promql.Matrix
	err    error
}

func newEngine() *promql.Engine {
	const (
		samples = 1 << 28 // Prometheus's default is too low for a whole period of a long window
		timeout = time.Hour
	)
	return promql.NewEngine(promql.EngineOpts{
		Logger: slog.New(slog.DiscardHandler), MaxSamples: samples, Timeout: timeout, LookbackDelta: 5 * time.Minute,
		NoStepSubqueryIntervalFn: func(int64) int64 { return Resolution.Milliseconds() },
	})
}

// outcome is the result of evaluating the rules of a set.
type outcome struct {
	fires, held map[*rule][]Span // for each alert, when it fires and when its condition holds
	known       *store           // counters and recorded series
}

// run evaluates the rules one after the other, each over the whole time, and keeps the series that
// they record.
func (r *ranger) run(ctx context.Context, rules []*rule) (outcome, error) {
	out := outcome{
		fires: map[*rule][]Span{}, held: map[*rule][]Span{},
		known: &store{series: slices.Clone(r.counters.series)},
	}
	for i, one := range rules {
		if !one.needed() {
			continue
		}
		from := r.start.Add(-ceil(one.since, one.every))
		result, err := r.query(ctx, out.known, one, from, readsAny(one, rules[:i]))
		if err != nil {
			return outcome{}, fmt.Errorf("evaluate %s: %w", one.record+one.alert, err)
		}
		if one.alert != "" {
			out.fires[one], out.held[one] = r.alert(one, result)
		} else {
			out.known.series = append(out.known.series, r.recorded(one, result, from)...)
		}
		r.done()
	}
	return out, nil
}

// ceil rounds d up to a multiple of step.
func ceil(d, step time.Duration) time.Duration {
	if rest := d % step; rest > 0 {
		return d + step - rest
	}
	return d
}

// readsAny reports whether an expression reads series that other rules record. Its result then
// depends on the set and cannot be shared.
func readsAny(one *rule, before []*rule) bool {
	return slices.ContainsFunc(one.reads, func(s read) bool { return anyRecords(before, s) })
}

func (r *ranger) query(ctx context.Context, known *store, one *rule, from time.Time, own bool) (promql.Matrix, error) {
	if own {
		return r.evaluate(ctx, known, one, from)
	}
	key := fmt.Sprintf("%s @%d %s", one.every, from.UnixMilli(), one.expr)
	r.mu.Lock()
	entry := r.ranges[key]
	if entry == nil {
		entry = &cached{}
		r.ranges[key] = entry
	}
	r.mu.Unlock()
	entry.once.Do(func() { entry.result, entry.err = r.evaluate(ctx, known, one, from) })
	return entry.result, entry.err
}

func (r *ranger) evaluate(ctx context.Context, known *store, one *rule, from time.Time) (promql.Matrix, error) {
	q, err := r.engine.NewRangeQuery(ctx, known, nil, one.expr.String(), from, r.start.Add(r.length-time.Millisecond), one.every)
	if err != nil {
		return nil, err
	}
	// The query is not closed, because Close would reuse the memory of the result.
	return q.Exec(ctx).Matrix()
}

// recorded returns the series that a rule records: the series of the result, with the rule's name
// and labels.
func (r *ranger) recorded(one *rule, result promql.Matrix, from time.Time) []*series {
	var all []*series
	for _, found := range result {
		b := labels.NewBuilder(found.Metric)
		b.Set(labels.MetricName, one.record)
		one.labels.Range(func(l labels.Label) { b.Set(l.Name, l.Value) })
		s := &series{labels: b.Labels(), start: from.UnixMilli(), step: one.every.Milliseconds()}
		s.values = make([]float64, s.index(r.start.Add(r.length).UnixMilli()))
		for i := range s.values {
			s.values[i] = stale()
		}
		for _, p := range found.Floats {
			s.values[s.index(p.T)] = p.F
		}
		all = append(all, s)
	}
	return all
}

// alert returns the times in which an alert fires for any series of its result, and the times in
// which its condition holds.
func (r *ranger) alert(one *rule, result promql.Matrix) (fires, held []Span) {
	for _, times := range holding(result) {
		state := lifecycle{hold: one.hold, keep: one.keep}
		var firing, holds spans
		for now := time.Duration(0); now < r.length; now += one.every {
			is := times[r.start.Add(now).UnixMilli()]
			holds.at(now, is)
			firing.at(now, state.at(now, is))
		}
		fires = union(fires, firing.end(r.length))
		held = union(held, holds.end(r.length))
	}
	return fires, held
}

// holding returns the times at which the condition of each alert held. Series that differ only in
// their name, as on the two sides of an "or", belong to the same alert.
func holding(result promql.Matrix) map[string]map[int64]bool {
	all := map[string]map[int64]bool{}
	for _, found := range result {
		identity := found.Metric.DropMetricName().String()
		if all[identity] == nil {
			all[identity] = make(map[int64]bool, len(found.Floats))
		}
		for _, p := range found.Floats {
			all[identity][p.T] = true
		}
	}
	return all
}

// bySeverity returns the times in which any alert of a severity fires.
func bySeverity(fires map[*rule][]Span) Firing {
	out := Firing{slo.Page: nil, slo.Ticket: nil}
	for r, spans := range fires {
		out[r.severity] = union(out[r.severity], spans)
	}
	return out
}
