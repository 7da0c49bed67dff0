package verify

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"firedrill/internal/topology"
)

// Names of the services.
const (
	gateway  = "gateway"
	catalog  = "catalog"
	orders   = "orders"
	payments = "payments"
	shipping = "shipping"
	broker   = "broker" // has metrics only
	bank     = "bank"   // has no telemetry: only its callers show it
)

func services() []string { return topology.Traced() }

// arrivals returns the checks that something arrived. Each is repeated until it holds.
func arrivals() []check {
	var all []check
	for _, part := range [][]check{requestChecks(), serviceChecks(), edgeChecks(), linkChecks(), stackChecks()} {
		all = append(all, part...)
	}
	return all
}

// absences returns the checks that something did not arrive. They mean something only when everything else has
// arrived.
func absences() []check {
	return []check{
		{"links", "another trace → none of these lines", "holds", otherTraceHasOtherLines},
		{"stack", "telemetry lost by the services: none", "holds", nothingDropped},
	}
}

// requestChecks returns the checks of each request of the run: its answer, its trace, its log line.
func requestChecks() []check {
	var all []check
	for _, st := range steps() {
		all = append(all, check{"requests", st.name, "answer", answerOf(st.name)})
		if st.rootless {
			continue // its trace id is not known beforehand: see linkChecks
		}
		all = append(all,
			check{"requests", st.name, "trace", traceOf(st)},
			check{"requests", st.name, "logs", linesOf(st)})
	}
	return all
}

func answerOf(step string) func(context.Context, *run) finding {
	return func(_ context.Context, r *run) finding {
		for i := len(r.sent) - 1; i >= 0; i-- {
			s := r.sent[i]
			if s.step != step {
				continue
			}
			asked := fmt.Sprintf("gateway: %s %s%s", s.method, r.cfg.Gateway, s.path)
			f := holds(asked, "status %d", s.status)
			if s.err != nil {
				f = lacks(asked, "%v", s.err)
			}
			f.final, f.refuted = true, s.refuted()
			return f
		}
		return moot("an earlier request failed")
	}
}

// traceOf checks that the trace has the gateway's span with the status that the client received, as a child of
// the span that the client sent.
func traceOf(st step) func(context.Context, *run) finding {
	return func(ctx context.Context, r *run) finding {
		s, f, ok := r.want(st.name)
		if !ok {
			return f
		}
		asked := "tempo: trace " + s.traceID
		trace, err := r.on.tempo.Trace(ctx, s.traceID)
		if err != nil {
			return lacks(asked, "%v", err)
		}
		for _, span := range trace.Spans {
			if span.Service == gateway && span.ParentID == s.spanID && span.TraceID == s.traceID &&
				span.Attributes["http.response.status_code"] == strconv.Itoa(s.status) {
				return holds(asked, "%q with status %d", span.Name, s.status)
			}
		}
		return lacks(asked, "%d spans, none of them the gateway's child of %s with status %d", len(trace.Spans), s.spanID, s.status)
	}
}

// linesOf checks that the gateway's log line of the request is found by trace id.
func linesOf(st step) func(context.Context, *run) finding {
	return func(ctx context.Context, r *run) finding {
		s, f, ok := r.want(st.name)
		if !ok {
			return f
		}
		return r.serviceLines(ctx, gateway, s.traceID)
	}
}

// serviceChecks returns one check for each service and signal.
func serviceChecks() []check {
	var all []check
	for _, s := range services() {
		all = append(all,
			check{"services", s, "up", up(s)},
			check{"services", s, "metrics", metricsOf(s)},
			check{"services", s, "logs", logsOf(s)},
			check{"services", s, "traces", spansOf(s)})
	}
	return append(all, check{"services", broker, "up", up(broker)})
}

// up checks that Prometheus scraped the service after the run began, and that the service was up then.
func up(service string) func(context.Context, *run) finding {
	return func(ctx context.Context, r *run) finding {
		q := fmt.Sprintf("up{job=%q}", service)
		asked := "prometheus: " + q + " and timestamp(" + q + ")"
		value, err := r.on.prometheus.Query(ctx, q, time.Now())
		if err != nil {
			return lacks(asked, "%v", err)
		}
		when, err := r.on.prometheus.Query(ctx, "timestamp("+q+")", time.Now())
		if err != nil {
			return lacks(asked, "%v", err)
		}
		if len(value) == 0 || len(value) != len(when) {
			return lacks(asked, "no such target")
		}
		for i := range value {
			if value[i].Value != 1 {
				return lacks(asked, "%s is down", value[i].Metric["instance"])
			}
			if t := unix(when[i].Value); t.Before(r.began) {
				return lacks(asked, "the last scrape was at %s, before the run began at %s", at(t), at(r.began))
			}
		}
		return holds(asked, "%d up", len(value))
	}
}

// metricsOf checks that the service counted the requests that the run caused.
func metricsOf(service string) func(context.Context, *run) finding {
	done := selector{"job": service, "http_request_method": http.MethodPost, "http_response_status_code": "2*"}
	switch service {
	case gateway:
		return gatewayCounted
	case shipping: // no HTTP server for requests; calls orders
		done["peer"] = orders
		return func(ctx context.Context, r *run) finding {
			return r.grewBy(ctx, clientRequests, done, r.confirmed())
		}
	default:
		return func(ctx context.Context, r *run) finding {
			return r.grewBy(ctx, serverRequests, done, r.confirmed())
		}
	}
}

// gatewayCounted checks that the gateway counted each method and status at least as often as the run received
// it.
func gatewayCounted(ctx context.Context, r *run) finding {
	last := moot("the gateway answered nothing")
	total := 0
	for key, n := range r.tally() {
		last = r.grewBy(ctx, serverRequests, selector{
			"job": gateway, "http_request_method": key[0], "http_response_status_code": key[1],
		}, n)
		if !last.ok {
			return last
		}
		total += n
	}
	if last.ok {
		return holds("prometheus: "+serverRequests+", of it job="+gateway, "it grew by at least the %d answers, by method and status", total)
	}
	return last
}

func logsOf(service string) func(context.Context, *run) finding {
	return func(ctx context.Context, r *run) finding {
		s, f, ok := r.want(stepOrder)
		if !ok {
			return f
		}
		return r.serviceLines(ctx, service, s.traceID)
	}
}

func spansOf(service string) func(context.Context, *run) finding {
	return func(ctx context.Context, r *run) finding {
		s, f, ok := r.want(stepOrder)
		if !ok {
			return f
		}
		asked := "tempo: trace " + s.traceID
		trace, err := r.on.tempo.Trace(ctx, s.traceID)
		if err != nil {
			return lacks(asked, "%v", err)
		}
		n := 0
		for _, span := range trace.Spans {
			if span.Service == service && span.TraceID == s.traceID {
				n++
			}
		}
		if n == 0 {
			return lacks(asked, "spans by service: %v", trace.Services())
		}
		return holds(asked, "%d spans", n)
	}
}
