package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"firedrill/internal/backend"
)

// exemplar checks that a series of the query has an exemplar whose trace is in Tempo, with a span that began
// during this run and for which shows returns true. Exemplars of the run's own requests are tried first. On a
// busy shop, exemplars of other requests may have replaced them, but exemplars from before the run never count.
func (r *run) exemplar(ctx context.Context, promql string, shows func(backend.Exemplar, backend.Span) bool) finding {
	return r.exemplarIn(ctx, promql, func(e backend.Exemplar, _ backend.Trace, s backend.Span) bool { return shows(e, s) })
}

func (r *run) exemplarIn(ctx context.Context, promql string, shows func(backend.Exemplar, backend.Trace, backend.Span) bool) finding {
	asked := "prometheus: exemplars of " + promql
	start, end := r.span()
	all, err := r.on.prometheus.Exemplars(ctx, promql, start, end)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	fresh := r.fresh(all)
	f := lacks(asked, "%d exemplars, none since the run began at %s", len(all), at(r.began))
	const most = 5 // queries to Tempo
	for _, e := range fresh[:min(most, len(fresh))] {
		id := traceOfExemplar(e)
		asked := fmt.Sprintf("tempo: trace %s, from an exemplar of %v at %s", id, e.Series, at(e.Time))
		trace, err := r.on.tempo.Trace(ctx, id)
		if err != nil {
			f = lacks(asked, "%v", err)
			continue
		}
		f = lacks(asked, "%d spans, none of this run is what the exemplar is for", len(trace.Spans))
		for _, s := range trace.Spans {
			if s.TraceID == id && !s.Start.Before(r.began) && shows(e, trace, s) {
				return holds(asked, "%s span %q, %s", s.Kind, s.Name, s.ID)
			}
		}
	}
	return f
}

// fresh returns the exemplars since the run began, those of the run first.
func (r *run) fresh(all []backend.Exemplar) []backend.Exemplar {
	all = slices.DeleteFunc(slices.Clone(all), func(e backend.Exemplar) bool { return e.Time.Before(r.began) })
	slices.SortStableFunc(all, func(a, b backend.Exemplar) int {
		switch oursA, oursB := r.ours(traceOfExemplar(a)), r.ours(traceOfExemplar(b)); {
		case oursA && !oursB:
			return -1
		case oursB && !oursA:
			return 1
		}
		return b.Time.Compare(a.Time)
	})
	return all
}

// traceOfExemplar returns the trace id with 32 digits. Tempo's own metrics spell the label differently and omit
// leading zeros.
func traceOfExemplar(e backend.Exemplar) string {
	id := string(e.Labels["trace_id"])
	if id == "" {
		id = string(e.Labels["traceID"])
	}
	return strings.Repeat("0", max(0, 32-len(id))) + id
}
