package verify

import (
	"context"
	"net/http"

	"firedrill/telemetry/query"
)

// edge is one service calling another, and the request of the run that makes it.
type edge struct {
	parent, child string
	how           hop
	step          string
}

type hop int

const (
	twoSided hop = iota // over HTTP, both ends tell
	silent              // over HTTP, only the caller tells
	message             // through the broker
)

// edges are all that the shop has.
func edges() []edge {
	return []edge{
		{gateway, catalog, twoSided, stepProducts},
		{gateway, orders, twoSided, stepOrder},
		{orders, catalog, twoSided, stepOrder},
		{orders, payments, twoSided, stepOrder},
		{payments, bank, silent, stepOrder},
		{orders, shipping, message, stepOrder},
		{shipping, orders, twoSided, stepOrder},
	}
}

func edgeChecks() []check {
	var all []check
	for _, e := range edges() {
		row := e.parent + " → " + e.child
		all = append(all,
			check{"edges", row, "trace", e.inTrace},
			check{"edges", row, "graph", e.inGraph})
	}
	return all
}

// inTrace demands the edge in the trace of the request that makes it.
func (e edge) inTrace(ctx context.Context, r *run) finding {
	s, f, ok := r.want(e.step)
	if !ok {
		return f
	}
	asked := "tempo: trace " + s.traceID
	trace, err := r.on.tempo.Trace(ctx, s.traceID)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	for _, span := range trace.Spans {
		if span.TraceID == s.traceID && e.ends(trace, span) {
			return holds(asked, "%s span %q, %s", span.Kind, span.Name, span.ID)
		}
	}
	return lacks(asked, "%d spans without this edge; by service: %v", len(trace.Spans), trace.Services())
}

// ends tells whether the edge ends in the span.
func (e edge) ends(trace query.Trace, span query.Span) bool {
	if e.how == silent {
		return span.Service == e.parent && span.Kind == query.Client &&
			(span.Attributes["peer.service"] == e.child || span.Attributes["service.peer.name"] == e.child)
	}
	from, to := query.Client, query.Server
	if e.how == message {
		from, to = query.Producer, query.Consumer
	}
	if span.Service != e.child || span.Kind != to {
		return false
	}
	begins := func(id string) bool {
		parent, ok := trace.Span(id)
		return ok && parent.Service == e.parent && parent.Kind == from
	}
	if begins(span.ParentID) {
		return true
	}
	for _, link := range span.Links { // a consumer may be linked to its producer instead
		if e.how == message && link.TraceID == trace.ID && begins(link.SpanID) {
			return true
		}
	}
	return false
}

// inGraph demands that Tempo's service graph counted the edge for this run.
func (e edge) inGraph(ctx context.Context, r *run) finding {
	least := r.confirmed()
	if e.step != stepOrder {
		least = 0
		if s, ok := r.answered(e.step); ok && s.status < http.StatusBadRequest {
			least = 1
		}
	}
	return r.grewBy(ctx, graphRequests, selector{"client": e.parent, "server": e.child}, least)
}
