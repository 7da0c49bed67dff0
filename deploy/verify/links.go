package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"firedrill/internal/backend"
)

// page is the most lines, exemplars or traces looked at in one answer. The run
// makes far fewer, so a full page means that a backend ignored the question.
const page = 1000

const (
	hopRow      = "one TraceQL query: gateway >> shipping"
	roundsApart = 7 // of questions, between two orders: some 5 s, out of step with the ingester's 5
)

// again places another order, now and then, while the query across the hop finds
// none. Every flush_check_period Tempo's ingester writes down the spans that it
// has, whether their trace is complete or not (2.8 does not heed
// trace_idle_period), and a query relates only those written together until the
// block is complete. Of several orders, a while apart, one is whole.
func (r *run) again(ctx context.Context, open []check) {
	r.rounds++
	_, ordered := r.answered(stepRooted)
	missing := slices.ContainsFunc(open, func(c check) bool { return c.row == hopRow })
	if ordered && missing && r.rounds%roundsApart == 0 {
		r.shopper.take(ctx, rooted())
	}
}

func linkChecks() []check {
	var all []check
	for _, s := range services() {
		all = append(all, check{"links", s + " exemplar → trace", "holds", exemplarLeadsToTrace(s)})
	}
	return append(all,
		check{"links", "trace → exactly its log lines", "holds", traceLeadsToLines},
		check{"links", "log line → its trace", "holds", lineLeadsToTrace},
		check{"links", hopRow, "holds", queryFindsTrace},
	)
}

// exemplarLeadsToTrace demands an exemplar on a latency histogram of the service
// that names a span, and that Tempo has this span, of this service, in that
// trace.
func exemplarLeadsToTrace(service string) func(context.Context, *run) finding {
	metric, kind := "http_server_request_duration_seconds", backend.Server
	if service == shipping {
		metric, kind = "http_client_request_duration_seconds", backend.Client
	}
	q := fmt.Sprintf(`{__name__=~"%s(_bucket)?",job=%q}`, metric, service)
	return func(ctx context.Context, r *run) finding {
		return r.exemplar(ctx, q, func(e backend.Exemplar, s backend.Span) bool {
			return s.ID == string(e.Labels["span_id"]) && s.Service == service && s.Kind == kind
		})
	}
}

// lines asks Loki for all lines of the run that a query selects.
func (r *run) lines(ctx context.Context, logql string) ([]backend.Line, error) {
	start, end := r.span()
	lines, err := r.on.loki.Lines(ctx, logql, start, end, page)
	if err == nil && len(lines) >= page {
		err = fmt.Errorf("%d lines or more, far more than the run made", page)
	}
	return lines, err
}

// byTrace is a query for the lines of a trace, of one service or of all.
func byTrace(service, traceID string) string {
	matcher := `service_name=~".+"`
	if service != "" {
		matcher = fmt.Sprintf("service_name=%q", service)
	}
	return fmt.Sprintf("{%s} | trace_id=%q", matcher, traceID)
}

// serviceLines demands lines of the service in the trace, and no others.
func (r *run) serviceLines(ctx context.Context, service, traceID string) finding {
	q := byTrace(service, traceID)
	asked := "loki: " + q
	lines, err := r.lines(ctx, q)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	if len(lines) == 0 {
		return lacks(asked, "no lines")
	}
	for _, l := range lines {
		if err := belongs(l, traceID); err != nil {
			return lacks(asked, "%v", err)
		}
		if l.Labels["service_name"] != service {
			return lacks(asked, "a line of %q", l.Labels["service_name"])
		}
	}
	return holds(asked, "%d lines", len(lines))
}

// belongs tells whether a line carries the trace id, as metadata and in its text.
func belongs(l backend.Line, traceID string) error {
	if got := l.Metadata["trace_id"]; got != traceID {
		return fmt.Errorf("a line with trace_id %q in its metadata: %s", got, excerpt([]byte(l.Text)))
	}
	var text struct {
		TraceID string `json:"trace_id"`
	}
	if err := json.Unmarshal([]byte(l.Text), &text); err != nil || text.TraceID != traceID {
		return fmt.Errorf("a line with trace_id %q in its text: %s", text.TraceID, excerpt([]byte(l.Text)))
	}
	return nil
}

// traceLeadsToLines demands that the lines found by metadata are just those that
// name the trace at all, and that each service with a span has one.
func traceLeadsToLines(ctx context.Context, r *run) finding {
	s, f, ok := r.want(stepOrder)
	if !ok {
		return f
	}
	asked := "loki: " + byTrace("", s.traceID)
	found, err := r.lines(ctx, byTrace("", s.traceID))
	if err != nil {
		return lacks(asked, "%v", err)
	}
	told := map[string]int{}
	for _, l := range found {
		if err := belongs(l, s.traceID); err != nil {
			return lacks(asked, "%v", err)
		}
		told[l.Labels["service_name"]]++
	}
	for _, service := range services() {
		if told[service] == 0 {
			return lacks(asked, "no line of %s; lines by service: %v", service, told)
		}
	}
	named := fmt.Sprintf(`{service_name=~".+"} |= %q`, s.traceID)
	naming, err := r.lines(ctx, named)
	if err != nil {
		return lacks("loki: "+named, "%v", err)
	}
	if !maps.Equal(texts(found), texts(naming)) {
		return lacks(asked, "%d lines, but %d name the trace in their text", len(found), len(naming))
	}
	return holds(asked, "%d lines, by service: %v", len(found), told)
}

// texts counts lines by what they are.
func texts(lines []backend.Line) map[string]int {
	all := map[string]int{}
	for _, l := range lines {
		all[l.Time.String()+l.Labels["service_name"]+l.Text]++
	}
	return all
}

// lineLeadsToTrace starts from lines that are found without any id, by the run's
// user agent, and demands the trace and the very span that each names.
func lineLeadsToTrace(ctx context.Context, r *run) finding {
	q := fmt.Sprintf(`{service_name=%q} |= %q`, gateway, r.agent(stepOrder))
	asked := "loki: " + q
	lines, err := r.lines(ctx, q)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	if len(lines) == 0 {
		return lacks(asked, "no lines")
	}
	var f finding
	for _, l := range lines {
		traceID, spanID := l.Metadata["trace_id"], l.Metadata["span_id"]
		asked := fmt.Sprintf("tempo: trace %q, from the line %s", traceID, excerpt([]byte(l.Text)))
		if !r.ours(traceID) {
			return lacks(asked, "the run sent no such trace id")
		}
		trace, err := r.on.tempo.Trace(ctx, traceID)
		if err != nil {
			return lacks(asked, "%v", err)
		}
		span, ok := trace.Span(spanID)
		if !ok || span.TraceID != traceID || span.Service != l.Labels["service_name"] {
			return lacks(asked, "%d spans, none is %q of %s", len(trace.Spans), spanID, l.Labels["service_name"])
		}
		f = holds(asked, "%q, %s", span.Name, spanID)
	}
	return f
}

// queryFindsTrace demands that one TraceQL query across the asynchronous hop
// selects an order. Tempo relates spans of a trace only when it has the root, so
// the traces of these orders begin at the gateway; they are known by their user
// agent, and by what the gateway called them if it did.
func queryFindsTrace(ctx context.Context, r *run) finding {
	if _, f, ok := r.want(stepRooted); !ok {
		return f
	}
	q := fmt.Sprintf(`{ resource.service.name = %q && span.user_agent.original = %q } >> { resource.service.name = %q }`,
		gateway, r.agent(stepRooted), shipping)
	asked := "tempo: " + q
	start, end := r.span()
	found, err := r.on.tempo.Search(ctx, q, start, end, page)
	if err != nil {
		return lacks(asked, "%v", err)
	}
	if len(found) == 0 {
		return lacks(asked, "no traces: is each trace that the gateway begins sampled, "+
			"and the ingester's flush_check_period longer than the services take to send their spans?")
	}
	f := finding{}
	for _, one := range found[:min(len(found), tries)] {
		if f = r.isRooted(ctx, asked, one.TraceID); f.ok {
			return f
		}
	}
	return f
}

// isRooted demands that a trace is that of an order which the gateway began.
func (r *run) isRooted(ctx context.Context, asked, traceID string) finding {
	named := slices.ContainsFunc(r.sent, func(s sent) bool {
		return s.step == stepRooted && (s.named == "" || s.named == traceID)
	})
	if !named {
		return lacks(asked, "trace %s, which the gateway named in no answer", traceID)
	}
	trace, err := r.on.tempo.Trace(ctx, traceID)
	if err != nil {
		return lacks(asked, "trace %s, but %v", traceID, err)
	}
	for _, span := range trace.Spans {
		if span.Service == gateway && span.ParentID == "" && span.Attributes["user_agent.original"] == r.agent(stepRooted) &&
			trace.Services()[shipping] > 0 {
			return holds(asked, "trace %s, %d spans", trace.ID, len(trace.Spans))
		}
	}
	return lacks(asked, "trace %s, which is not that of such an order", traceID)
}

// otherTraceHasOtherLines demands that lines of another request's trace exist
// and are none of the order's.
func otherTraceHasOtherLines(ctx context.Context, r *run) finding {
	s, f, ok := r.want(stepOrder)
	if !ok {
		return f
	}
	other, f, ok := r.want(stepRefused)
	if !ok {
		return f
	}
	asked := "loki: " + byTrace("", other.traceID)
	lines, err := r.lines(ctx, byTrace("", other.traceID))
	if err != nil {
		return lacks(asked, "%v", err)
	}
	if len(lines) == 0 {
		return lacks(asked, "no lines")
	}
	for _, l := range lines {
		if err := belongs(l, other.traceID); err != nil {
			return lacks(asked, "%v", err)
		}
		if strings.Contains(l.Text, s.traceID) {
			return lacks(asked, "a line that names the order's trace %s", s.traceID)
		}
	}
	return holds(asked, "%d lines", len(lines))
}
