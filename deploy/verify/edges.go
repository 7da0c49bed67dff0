package verify

import (
	"context"
	"fmt"

	"firedrill/internal/backend"
)

// edge is one service that calls another, and the step of the run that causes the call.
type edge struct {
	parent, child string
	how           hop
	step          string
}

type hop int

const (
	twoSided hop = iota // over HTTP, both services have spans
	silent              // over HTTP, only the caller has a span
	message             // through the broker
)

// edges returns all edges of the shop.
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

// inTrace checks that the trace of the request has the edge.
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

// ends reports whether the edge ends in the span.
func (e edge) ends(trace backend.Trace, span backend.Span) bool {
	if e.how == silent {
		return span.Service == e.parent && span.Kind == backend.Client &&
			(span.Attributes["peer.service"] == e.child || span.Attributes["service.peer.name"] == e.child)
	}
	from, to := backend.Client, backend.Server
	if e.how == message {
		from, to = backend.Producer, backend.Consumer
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
	for _, link := range span.Links { // a consumer may have a link to its producer instead of a parent
		if e.how == message && link.TraceID == trace.ID && begins(link.SpanID) {
			return true
		}
	}
	return false
}

// inGraph checks that Tempo's service graph counted the edge for this run: that it grew by at least what the
// run caused, and that an exemplar leads to a trace with the edge. Growth alone does not prove it: the graph
// lags by many seconds, so others may have caused the growth.
func (e edge) inGraph(ctx context.Context, r *run) finding {
	labels := selector{"client": e.parent, "server": e.child, "connection_type": e.how.connection()}
	f := r.grewBy(ctx, graphRequests, labels, e.uses(r))
	if !f.ok {
		return f
	}
	q := fmt.Sprintf(`{__name__=~"traces_service_graph_request_client_seconds(_bucket)?",client=%q,server=%q,connection_type=%q}`,
		e.parent, e.child, e.how.connection())
	return r.exemplarIn(ctx, q, func(_ backend.Exemplar, t backend.Trace, s backend.Span) bool { return e.ends(t, s) })
}

// uses returns the number of times that the run surely used the edge.
func (e edge) uses(r *run) int {
	if e.step == stepOrder {
		return r.confirmed()
	}
	if _, ok := r.answered(e.step); ok {
		return 1
	}
	return 0
}

// connection returns Tempo's connection_type of the edge. Calls without a span of the called service, such as
// health checks, do not have the two-sided type.
func (h hop) connection() string {
	switch h {
	case silent:
		return "virtual_node"
	case message:
		return "messaging_system"
	default:
		return ""
	}
}
