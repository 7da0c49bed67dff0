package backend

import (
	"encoding/hex"
	"strconv"
	"time"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Trace holds the spans of one trace.
type Trace struct {
	ID    string
	Spans []Span
}

// Kind is a span's side of a call.
type Kind string

// Kinds of OpenTelemetry.
const (
	Internal Kind = "internal"
	Server   Kind = "server"
	Client   Kind = "client"
	Producer Kind = "producer"
	Consumer Kind = "consumer"
)

// Span is one span of a trace. Ids are hex digits.
type Span struct {
	Service    string // service.name of its resource
	Name       string
	Kind       Kind
	TraceID    string
	ID         string
	ParentID   string // empty for a root
	Links      []Link
	Attributes map[string]string // values as strings
	Failed     bool              // its status is Error
	Start, End time.Time
}

// Link refers to a span, possibly of another trace.
type Link struct{ TraceID, SpanID string }

// Span returns the span with an id.
func (t Trace) Span(id string) (Span, bool) {
	for _, s := range t.Spans {
		if s.ID == id {
			return s, true
		}
	}
	return Span{}, false
}

// Services counts the spans of each service.
func (t Trace) Services() map[string]int {
	all := map[string]int{}
	for _, s := range t.Spans {
		all[s.Service]++
	}
	return all
}

func spans(data *tracev1.TracesData) []Span {
	var all []Span
	for _, rs := range data.GetResourceSpans() {
		service := attributes(rs.GetResource().GetAttributes())["service.name"]
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				all = append(all, span(service, s))
			}
		}
	}
	return all
}

func span(service string, s *tracev1.Span) Span {
	out := Span{
		Service:    service,
		Name:       s.GetName(),
		Kind:       kind(s.GetKind()),
		TraceID:    hex.EncodeToString(s.GetTraceId()),
		ID:         hex.EncodeToString(s.GetSpanId()),
		ParentID:   hex.EncodeToString(s.GetParentSpanId()),
		Attributes: attributes(s.GetAttributes()),
		Failed:     s.GetStatus().GetCode() == tracev1.Status_STATUS_CODE_ERROR,
		Start:      nanos(s.GetStartTimeUnixNano()),
		End:        nanos(s.GetEndTimeUnixNano()),
	}
	for _, l := range s.GetLinks() {
		out.Links = append(out.Links, Link{hex.EncodeToString(l.GetTraceId()), hex.EncodeToString(l.GetSpanId())})
	}
	return out
}

func kind(k tracev1.Span_SpanKind) Kind {
	switch k {
	case tracev1.Span_SPAN_KIND_SERVER:
		return Server
	case tracev1.Span_SPAN_KIND_CLIENT:
		return Client
	case tracev1.Span_SPAN_KIND_PRODUCER:
		return Producer
	case tracev1.Span_SPAN_KIND_CONSUMER:
		return Consumer
	default:
		return Internal
	}
}

func attributes(list []*commonv1.KeyValue) map[string]string {
	all := make(map[string]string, len(list))
	for _, a := range list {
		all[a.GetKey()] = text(a.GetValue())
	}
	return all
}

func text(value *commonv1.AnyValue) string {
	switch v := value.GetValue().(type) {
	case *commonv1.AnyValue_StringValue:
		return v.StringValue
	case *commonv1.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	case *commonv1.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *commonv1.AnyValue_DoubleValue:
		return strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
	default: // lists, maps and bytes, which are not compared
		return value.String()
	}
}

func nanos(ns uint64) time.Time { return time.Unix(0, int64(ns)) } // valid until the year 2262
