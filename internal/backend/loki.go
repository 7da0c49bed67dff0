package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// Loki is a client of Loki's HTTP API.
type Loki struct{ backend backend }

// NewLoki returns a client of the server at base, such as
// http://127.0.0.1:3100. A nil client means http.DefaultClient.
func NewLoki(base string, client *http.Client) (*Loki, error) {
	b, err := newBackend("loki", base, client)
	if err != nil {
		return nil, err
	}
	return &Loki{b}, nil
}

// Line is one log line.
type Line struct {
	Time     time.Time
	Text     string
	Labels   map[string]string // of its stream
	Metadata map[string]string // structured metadata, such as trace_id
	Parsed   map[string]string // labels that the query's parsers extracted
}

// Lines returns the lines that a log query selects from start to end, oldest first and at most limit of them.
// If it returns limit lines, there may be more.
func (l *Loki) Lines(ctx context.Context, logql string, start, end time.Time, limit int) ([]Line, error) {
	q := question{
		path:  "/loki/api/v1/query_range",
		query: logql,
		params: url.Values{
			"query":     {logql},
			"start":     {strconv.FormatInt(start.UnixNano(), 10)},
			"end":       {strconv.FormatInt(end.UnixNano(), 10)},
			"limit":     {strconv.Itoa(limit)},
			"direction": {"forward"},
		},
		// Without this header Loki mixes metadata into the stream's labels.
		header: http.Header{"X-Loki-Response-Encoding-Flags": {"categorize-labels"}},
	}
	var streams []lokiStream
	if err := l.ask(ctx, q, "streams", &streams); err != nil {
		return nil, err
	}
	var all []Line
	for _, s := range streams {
		for _, v := range s.Values {
			v.Labels = s.Labels
			all = append(all, Line(v))
		}
	}
	slices.SortStableFunc(all, func(a, b Line) int { return a.Time.Compare(b.Time) })
	return all, nil
}

// Query evaluates a metric query at one time. An empty vector is no error.
func (l *Loki) Query(ctx context.Context, logql string, at time.Time) (model.Vector, error) {
	q := question{
		path:   "/loki/api/v1/query",
		query:  logql,
		params: url.Values{"query": {logql}, "time": {strconv.FormatInt(at.UnixNano(), 10)}},
	}
	var vector model.Vector
	return vector, l.ask(ctx, q, "vector", &vector)
}

// QueryRange evaluates a metric query at each step of a time range.
func (l *Loki) QueryRange(ctx context.Context, logql string, start, end time.Time, step time.Duration) (model.Matrix, error) {
	q := question{
		path:  "/loki/api/v1/query_range",
		query: logql,
		params: url.Values{
			"query": {logql},
			"start": {strconv.FormatInt(start.UnixNano(), 10)},
			"end":   {strconv.FormatInt(end.UnixNano(), 10)},
			"step":  {seconds(step)},
		},
	}
	var matrix model.Matrix
	return matrix, l.ask(ctx, q, "matrix", &matrix)
}

// ask decodes the result into v. A result of another type than want is an error.
func (l *Loki) ask(ctx context.Context, q question, want string, v any) error {
	body, err := l.backend.get(ctx, q)
	if err != nil {
		return err
	}
	var answer struct {
		Status string
		Error  string
		Data   struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	err = json.Unmarshal(body, &answer)
	switch {
	case err != nil:
		err = fmt.Errorf("decode the answer: %w", err)
	case answer.Status != "success":
		err = fmt.Errorf("status %q: %s", answer.Status, answer.Error)
	case answer.Data.ResultType != want:
		err = fmt.Errorf("the answer is of type %q, not %q", answer.Data.ResultType, want)
	default:
		err = json.Unmarshal(answer.Data.Result, v)
	}
	if err != nil {
		return l.backend.fail(q, err)
	}
	return nil
}

// lokiStream is one stream of an answer to a log query.
// https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time
type lokiStream struct {
	Labels map[string]string `json:"stream"`
	Values []lokiValue       `json:"values"`
}

// lokiValue is encoded as an array: time in ns, text, and categorized labels.
type lokiValue Line

func (v *lokiValue) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return fmt.Errorf("decode a log line: %w", err)
	}
	if len(parts) < 2 {
		return fmt.Errorf("decode a log line: it has %d parts, not time and text", len(parts))
	}
	var ns int64
	if err := json.Unmarshal(parts[0], (*textInt)(&ns)); err != nil {
		return fmt.Errorf("decode the time of a log line: %w", err)
	}
	if err := json.Unmarshal(parts[1], &v.Text); err != nil {
		return fmt.Errorf("decode the text of a log line: %w", err)
	}
	v.Time = time.Unix(0, ns)
	if len(parts) < 3 {
		return nil
	}
	var labels struct{ StructuredMetadata, Parsed map[string]string }
	if err := json.Unmarshal(parts[2], &labels); err != nil {
		return fmt.Errorf("decode the labels of a log line: %w", err)
	}
	v.Metadata, v.Parsed = labels.StructuredMetadata, labels.Parsed
	return nil
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
