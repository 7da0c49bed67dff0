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

// page is the limit of lines, exemplars or traces in one answer. The run makes far fewer, so a full page means
// that a backend ignored the query.
const page = 1000

const (
	hopRow      = "one TraceQL query: gateway >> shipping"
	roundsApart = 7 // rounds of queries between two orders: about 5 s, so not in step with the ingester's 5 s
)

// again places another order every few rounds while the query across the hop finds none. Tempo's ingester
// writes its spans every flush_check_period, whether or not their trace is complete (2.8 ignores
// trace_idle_period). Until the block is complete, a query relates only spans that were written together. Among
// several orders at different times, one is written whole.
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

// exemplarLeadsToTrace checks that a latency histogram of the service has an exemplar that names a span, and
// that Tempo has this span, of this service, in that trace.
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

// lines returns all lines of the run that a LogQL query selects. It returns an error if there are page lines or
// more.
func (r *run) lines(ctx context.Context, logql string) ([]backend.Line, error) {
	start, end := r.span()
	lines, err := r.on.loki.Lines(ctx, logql, start, end, page)
	if err == nil && len(lines) >= page {
		err = fmt.Errorf("%d lines or more, far more than the run made", page)
	}
	return lines, err
}

// byTrace returns a query for the lines of a trace: of one service, or of all if service is "".
func byTrace(service, traceID string) string {
	matcher := `service_name=~".+"`
	if service != "" {
		matcher = fmt.Sprintf("service_name=%q", service)
	}
	return fmt.Sprintf("{%s} | trace_id=%q", matcher, traceID)
}

// serviceLines checks that the service has lines in the trace, and that the answer has no others.
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

// belongs returns an error unless the line has the trace id in its metadata and in its text.
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

// traceLeadsToLines checks that the lines found by metadata are the same as the lines whose text has the trace
// id, and that each service with a span has a line.
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

// texts counts equal lines. Its keys consist of time, service and text.
func texts(lines []backend.Line) map[string]int {
	all := map[string]int{}
	for _, l := range lines {
		all[l.Time.String()+l.Labels["service_name"]+l.Text]++
	}
	return all
}

// lineLeadsToTrace finds lines without any id, by the run's user agent. It checks that the trace and the span
// that each line names exist.
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

// queryFindsTrace checks that one TraceQL query across the asynchronous hop finds an order. Tempo relates the
// spans of a trace only when it has the root span, so the traces of these orders begin at the gateway. They are
// recognized by their user agent, and by the trace id of the answer if the gateway sent it.
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

// isRooted checks that a trace belongs to an order and that it began at the gateway.
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

// otherTraceHasOtherLines checks that another request's trace has lines, and that none of them belongs to the
// order.
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
