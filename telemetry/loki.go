package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/go-kit/kit/log"
	"github.com/grafana/loki-client-go/loki"
	"github.com/grafana/loki-client-go/pkg/backoff"
	"github.com/grafana/loki-client-go/pkg/urlutil"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/common/model"
)

// line is one log line for Loki. traceID and spanID are substrings of text, or
// empty.
type line struct {
	at              time.Time
	level           slog.Level
	text            string
	traceID, spanID string
}

// lineOverhead is the memory of a queued line without its text, in bytes.
const lineOverhead = 96

const maxAnswer = 4 << 10 // maximum bytes read of a response from a backend

func (l line) cost() int { return len(l.text) + lineOverhead }

// lokiSender sends batches of lines with loki-client-go.
//
// That client does not report the result of a push. It takes lines one by one,
// sends them when it chooses, retries for minutes while it accepts no new
// lines, and only logs the final error. But its Stop method sends the buffered
// lines before it returns. So each batch uses a new client that makes one
// attempt, and the transport reports the response.
type lokiSender struct {
	cfg       loki.Config
	transport *http.Transport
	labels    map[slog.Level]model.LabelSet
}

func newLokiSender(cfg Config) (*lokiSender, error) {
	var url urlutil.URLValue
	if err := url.Set(strings.TrimSuffix(cfg.Logs.LokiURL, "/") + "/loki/api/v1/push"); err != nil {
		return nil, err
	}
	s := &lokiSender{
		cfg: loki.Config{
			URL:           url,
			TenantID:      cfg.Logs.Tenant,
			Timeout:       cfg.Logs.Timeout,
			BatchWait:     time.Hour, // only Stop sends
			BatchSize:     math.MaxInt,
			BackoffConfig: backoff.BackoffConfig{MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond, MaxRetries: 1},
		},
		transport: cfg.transport(),
		labels:    map[slog.Level]model.LabelSet{},
	}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		s.labels[level] = model.LabelSet{
			"service_name": model.LabelValue(cfg.Service),
			"level":        model.LabelValue(levelName(level)),
		}
	}
	probe, err := s.client(&attempt{}) // fail now, not at the first line
	if err != nil {
		return nil, err
	}
	probe.Stop()
	return s, nil
}

func (s *lokiSender) send(ctx context.Context, lines []line) error {
	if err := ctx.Err(); err != nil {
		return err // the fence gives up, so make no attempt
	}
	try := &attempt{ctx: ctx, next: s.transport}
	client, err := s.client(try)
	if err != nil {
		return err
	}
	ids := make(push.LabelsAdapter, 0, 2*len(lines)) // ids of all lines in one allocation
	for _, l := range lines {
		first := len(ids)
		ids = l.appendIDs(ids)
		_ = client.HandleWithMetadata(s.labels[severity(l.level)], l.at, l.text, ids[first:]) // never fails
	}
	client.Stop()
	return try.outcome(len(lines))
}

func (s *lokiSender) close() { s.transport.CloseIdleConnections() }

// appendIDs appends the trace and span ids as structured metadata. They have
// too many values to be labels.
func (l line) appendIDs(ids push.LabelsAdapter) push.LabelsAdapter {
	if l.traceID == "" {
		return ids
	}
	return append(ids,
		push.LabelAdapter{Name: "trace_id", Value: l.traceID}, push.LabelAdapter{Name: "span_id", Value: l.spanID})
}

// client returns a client that sends through try.
func (s *lokiSender) client(try *attempt) (*loki.Client, error) {
	client, err := loki.NewWithLogger(s.cfg, log.NewNopLogger())
	if err != nil {
		return nil, err
	}
	// The library has no option for a transport; see docs/decisions.
	field := reflect.ValueOf(client).Elem().FieldByName("client")
	if field.Kind() != reflect.Pointer || field.Type() != reflect.TypeFor[*http.Client]() {
		return nil, errors.New("set the transport of loki-client-go: its Client has no field client of type *http.Client")
	}
	(*http.Client)(field.UnsafePointer()).Transport = try
	return client, nil
}

// attempt is the transport of one batch. It ends the request when ctx ends and
// records the response.
type attempt struct {
	ctx    context.Context //nolint:containedctx // the client has no parameter for it
	next   http.RoundTripper
	made   bool
	status int
	answer string
	err    error
}

// outcome returns nil if Loki accepted the lines, else the error. lines is
// their number.
func (a *attempt) outcome(lines int) error {
	switch {
	case a.err != nil:
		return fmt.Errorf("push to Loki: %w", a.err)
	case !a.made:
		return errors.New("push to Loki: the client made no attempt")
	case a.status/100 == 2:
		return nil
	}
	err := fmt.Errorf("push to Loki: status %d: %s", a.status, a.answer)
	if finalStatus(a.status) {
		return &rejectedError{items: lines, err: err}
	}
	return err
}

// RoundTrip implements http.RoundTripper. The client calls it in one goroutine,
// which ends before Stop returns.
func (a *attempt) RoundTrip(req *http.Request) (*http.Response, error) {
	a.made = true
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	defer context.AfterFunc(a.ctx, cancel)() //nolint:contextcheck // two contexts bound the request
	resp, err := a.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		a.err = err
		return nil, err
	}
	defer resp.Body.Close()
	// Read the whole body so that the connection can be reused.
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		a.err = err
		return nil, err
	}
	a.status, a.answer = resp.StatusCode, string(answer)
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, nil
}
