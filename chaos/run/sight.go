package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/backend"
)

// trackedSight is a Sight while the run looks for it.
type trackedSight struct {
	Sight // protected by the record's lock
	gaps  gaps

	look    func(ctx context.Context, from, to time.Time) (value float64, trace string, err error)
	holds   func(before *float64, value float64) bool
	closer  func(a, b float64) bool // reports whether a shows the fault better than b
	mayLack bool                    // there may be no value before the faults
}

// newSights returns everything that metrics, traces and logs must show.
func newSights(e drill.Expectations, p Prober) []*trackedSight {
	var all []*trackedSight
	for _, m := range e.Metrics {
		all = append(all, metricSight(m, p))
	}
	for _, t := range e.Traces {
		all = append(all, traceSight(t, p))
	}
	for _, l := range e.Logs {
		all = append(all, logSight(l, p))
	}
	return all
}

func metricSight(m drill.MetricExpectation, p Prober) *trackedSight {
	var want []string
	closer := drill.Comparison.Closer
	telling := m.During
	if m.During != nil {
		want = append(want, m.During.String())
	}
	if m.Change != nil {
		want = append(want, m.Change.String()+" times the value before")
		telling = m.Change
	}
	return &trackedSight{
		Sight: Sight{Signal: SignalMetric, Name: m.Name, Query: m.PromQL, Want: strings.Join(want, " and "), Needs: m.Needs},
		look:  asker(p, drill.Query{Language: drill.PromQL, Text: m.PromQL}),
		holds: func(before *float64, v float64) bool {
			during := m.During == nil || m.During.Holds(v)
			return during && (m.Change == nil || before != nil && m.Change.Holds(v / *before))
		},
		closer:  func(a, b float64) bool { return closer(*telling, a, b) },
		mayLack: m.Change == nil,
	}
}

func logSight(l drill.LogExpectation, p Prober) *trackedSight {
	return &trackedSight{
		Sight:   Sight{Signal: SignalLog, Name: l.Name, Query: l.LogQL, Want: l.Is.String(), Needs: l.Needs},
		look:    asker(p, drill.Query{Language: drill.LogQL, Text: l.LogQL}),
		holds:   func(_ *float64, v float64) bool { return l.Is.Holds(v) },
		closer:  l.Is.Closer,
		mayLack: true,
	}
}

func asker(p Prober, q drill.Query) func(ctx context.Context, from, to time.Time) (float64, string, error) {
	return func(ctx context.Context, from, to time.Time) (float64, string, error) {
		value, err := p.Ask(ctx, q, from, to)
		return value, "", err
	}
}

// traceSight counts the spans in question in each trace that is found, and keeps the
// trace with the most.
func traceSight(t drill.TraceExpectation, p Prober) *trackedSight {
	span := strings.TrimSpace(t.Service + " " + t.Span)
	if t.Failed {
		span += ", failed"
	}
	return &trackedSight{
		Sight: Sight{
			Signal: SignalTrace, Name: t.Name, Query: t.TraceQL, Needs: t.Needs, Want: fmt.Sprintf("a trace with %d of %s", t.AtLeast, span),
		},
		look: func(ctx context.Context, from, to time.Time) (float64, string, error) {
			traces, err := p.Traces(ctx, t.TraceQL, from, to)
			most, id := 0, ""
			for _, trace := range traces {
				if n := culprits(t, trace); n > most {
					most, id = n, trace.ID
				}
			}
			return float64(most), id, err
		},
		holds:   func(_ *float64, v float64) bool { return v >= float64(t.AtLeast) },
		closer:  func(a, b float64) bool { return a > b },
		mayLack: true,
	}
}

func culprits(t drill.TraceExpectation, trace backend.Trace) int {
	n := 0
	for i := range trace.Spans {
		if s := &trace.Spans[i]; s.Service == t.Service && (t.Span == "" || s.Name == t.Span) && (s.Failed || !t.Failed) {
			n++
		}
	}
	return n
}

// baseline looks at the time before the faults. A signal that is as expected then proves
// nothing.
func (r *run) baseline(ctx context.Context, s *trackedSight, from, to time.Time) error {
	value, _, err := s.look(ctx, from, to)
	switch {
	case errors.Is(err, ErrNoData) && s.mayLack:
		r.rec.noteNoBaseline(s)
		return nil
	case err != nil:
		return err
	}
	r.rec.noteBaseline(s, value)
	return nil
}

// glance looks once while there are faults, or afterwards at the time of the faults.
func (r *run) glance(ctx context.Context, s *trackedSight) {
	from, to := r.rec.faultTime()
	active := r.rec.anyActive()
	if from.IsZero() || s.Signal == SignalMetric && !active || s.Signal != SignalMetric && r.rec.isFound(s) {
		return
	}
	value, trace, err := s.look(ctx, from, to)
	if s.Signal == SignalMetric && !r.rec.anyActive() || errors.Is(err, context.Canceled) {
		return // the answer may be about the time after the faults
	}
	link := ""
	if trace != "" && r.TraceLink != "" {
		link = strings.ReplaceAll(r.TraceLink, "{trace_id}", trace)
	}
	r.rec.noteLook(s, value, trace, link, err)
}
