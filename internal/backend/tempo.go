package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Tempo is a client of Tempo's HTTP API.
type Tempo struct{ backend backend }

// NewTempo returns a client of the server at base, such as
// http://127.0.0.1:3200. A nil client means http.DefaultClient.
func NewTempo(base string, client *http.Client) (*Tempo, error) {
	b, err := newBackend("tempo", base, client)
	if err != nil {
		return nil, err
	}
	return &Tempo{b}, nil
}

// Trace returns all spans of a trace with the given id of 32 hex digits. The error is ErrNotFound if Tempo has
// none.
func (t *Tempo) Trace(ctx context.Context, id string) (Trace, error) {
	q := question{
		path:   "/api/traces/" + url.PathEscape(id),
		query:  "trace " + id,
		header: http.Header{"Accept": {"application/protobuf"}},
	}
	body, err := t.backend.get(ctx, q)
	if err != nil {
		return Trace{}, err
	}
	var data tracev1.TracesData // Tempo's own message has the same fields
	if err := proto.Unmarshal(body, &data); err != nil {
		return Trace{}, t.backend.fail(q, fmt.Errorf("decode the trace: %w", err))
	}
	trace := Trace{ID: id, Spans: spans(&data)}
	if len(trace.Spans) == 0 {
		return Trace{}, t.backend.fail(q, fmt.Errorf("%w: the trace has no spans", ErrNotFound))
	}
	return trace, nil
}

// Found is one trace that a TraceQL query selected.
type Found struct {
	TraceID     string   // 32 hex digits
	RootService string   // "" if Tempo does not know it
	RootName    string   // "" if Tempo does not know it
	SpanIDs     []string // of some of the spans that matched
	Matched     int      // number of spans that matched
}

// Search returns at most limit traces that a TraceQL query selects from start to end. An empty list is no
// error.
func (t *Tempo) Search(ctx context.Context, traceql string, start, end time.Time, limit int) ([]Found, error) {
	q := question{
		path:   "/api/search",
		query:  traceql,
		params: tempoRange(traceql, start, end),
	}
	q.params.Set("limit", strconv.Itoa(limit))
	var answer struct {
		Traces []struct {
			TraceID         string
			RootServiceName string
			RootTraceName   string
			SpanSets        []struct {
				Matched int
				Spans   []struct{ SpanID string }
			}
		}
	}
	if err := t.ask(ctx, q, &answer); err != nil {
		return nil, err
	}
	var all []Found
	for _, tr := range answer.Traces {
		f := Found{TraceID: padID(tr.TraceID), RootService: tr.RootServiceName, RootName: tr.RootTraceName}
		for _, set := range tr.SpanSets {
			f.Matched += set.Matched
			for _, s := range set.Spans {
				f.SpanIDs = append(f.SpanIDs, s.SpanID)
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// Series is one series of a TraceQL metrics query.
type Series struct {
	Labels  map[string]string
	Samples []Sample // oldest first
}

// Sample is a value at a time.
type Sample struct {
	Time  time.Time
	Value float64
}

// QueryRange evaluates a TraceQL metrics query at each step from start to end. An empty list is no error.
func (t *Tempo) QueryRange(ctx context.Context, traceql string, start, end time.Time, step time.Duration) ([]Series, error) {
	q := question{
		path:   "/api/metrics/query_range",
		query:  traceql,
		params: tempoRange(traceql, start, end),
	}
	q.params.Set("step", seconds(step)+"s")
	var answer struct{ Series []tempoSeries }
	if err := t.ask(ctx, q, &answer); err != nil {
		return nil, err
	}
	var all []Series
	for _, s := range answer.Series {
		all = append(all, s.series())
	}
	return all, nil
}

func (t *Tempo) ask(ctx context.Context, q question, v any) error {
	body, err := t.backend.get(ctx, q)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return t.backend.fail(q, fmt.Errorf("decode the answer: %w", err))
	}
	return nil
}

// tempoRange returns the parameters of a query from start to end. It rounds outwards, because Tempo takes whole
// seconds.
func tempoRange(traceql string, start, end time.Time) url.Values {
	return url.Values{
		"q":     {traceql},
		"start": {strconv.FormatInt(start.Unix(), 10)},
		"end":   {strconv.FormatInt(end.Unix()+1, 10)},
	}
}

// padID adds the leading zeros that Tempo's search omits.
func padID(id string) string {
	return strings.Repeat("0", max(0, 32-len(id))) + id
}

// tempoSeries is a series in protobuf's JSON: 64-bit numbers are strings, and fields that are zero are missing.
type tempoSeries struct {
	Labels []struct {
		Key   string
		Value map[string]any
	}
	Samples []struct {
		TimestampMs textInt
		Value       float64
	}
}

func (s tempoSeries) series() Series {
	out := Series{Labels: make(map[string]string, len(s.Labels))}
	for _, l := range s.Labels {
		for _, v := range l.Value { // one of stringValue, intValue, …
			out.Labels[l.Key] = fmt.Sprint(v)
		}
	}
	for _, sample := range s.Samples {
		out.Samples = append(out.Samples, Sample{Time: time.UnixMilli(int64(sample.TimestampMs)), Value: sample.Value})
	}
	return out
}
