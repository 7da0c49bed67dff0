package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"firedrill/internal/backend"
)

// exemplar demands an exemplar of the series that a query selects whose trace
// Tempo has, with a span that began during this run and that shows what the
// series says. Exemplars of the run's own requests are looked at first; on a
// busy shop others may have taken their place, but never ones from before.
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
	const most = 5 // questions to Tempo
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

// fresh keeps the exemplars since the run began, the run's own first.
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

// traceOfExemplar is the trace id of 32 digits. Tempo's own metrics spell the
// label differently and leave leading zeros out.
func traceOfExemplar(e backend.Exemplar) string {
	id := string(e.Labels["trace_id"])
	if id == "" {
		id = string(e.Labels["traceID"])
	}
	return strings.Repeat("0", max(0, 32-len(id))) + id
}
