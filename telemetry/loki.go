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

// line is one log line on its way to Loki. traceID and spanID are parts of text,
// or empty.
type line struct {
	at              time.Time
	level           slog.Level
	text            string
	traceID, spanID string
}

// lineOverhead is what a queued line holds beside its text, in bytes.
const lineOverhead = 96

const maxAnswer = 4 << 10 // bytes read of what Loki says

func (l line) cost() int { return len(l.text) + lineOverhead }

// lokiSender sends batches of lines through loki-client-go.
//
// That client answers nobody: it takes lines one by one, sends them when it
// sees fit, repeats for minutes while its only reader is blocked, and tells a
// log file of the end. Its Stop, however, sends what it holds before it
// returns. So each batch gets a client of its own, allowed one attempt, and the
// transport that all of them share reports the answer.
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
		return err // giving up: do not bother the client
	}
	try := &attempt{ctx: ctx, next: s.transport}
	client, err := s.client(try)
	if err != nil {
		return err
	}
	ids := make(push.LabelsAdapter, 0, 2*len(lines)) // of all lines, in one allocation
	for _, l := range lines {
		first := len(ids)
		ids = l.appendIDs(ids)
		_ = client.HandleWithMetadata(s.labels[severity(l.level)], l.at, l.text, ids[first:]) // never fails
	}
	client.Stop()
	return try.outcome(len(lines))
}

func (s *lokiSender) close() { s.transport.CloseIdleConnections() }

// appendIDs appends the ids of the trace, which are too many to be labels.
func (l line) appendIDs(ids push.LabelsAdapter) push.LabelsAdapter {
	if l.traceID == "" {
		return ids
	}
	return append(ids,
		push.LabelAdapter{Name: "trace_id", Value: l.traceID}, push.LabelAdapter{Name: "span_id", Value: l.spanID})
}

// client makes a client whose attempts go through try.
func (s *lokiSender) client(try *attempt) (*loki.Client, error) {
	client, err := loki.NewWithLogger(s.cfg, log.NewNopLogger())
	if err != nil {
		return nil, err
	}
	// The library has no door for a transport; see docs/decisions.
	field := reflect.ValueOf(client).Elem().FieldByName("client")
	if field.Kind() != reflect.Pointer || field.Type() != reflect.TypeFor[*http.Client]() {
		return nil, errors.New("loki-client-go has changed: its Client has no field client *http.Client")
	}
	(*http.Client)(field.UnsafePointer()).Transport = try
	return client, nil
}

// attempt is the transport of one batch: it makes the request end with ctx and
// keeps the answer.
type attempt struct {
	ctx    context.Context //nolint:containedctx // the client has no parameter for it
	next   http.RoundTripper
	made   bool
	status int
	answer string
	err    error
}

// outcome says what became of the lines: nil when Loki took them.
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
	// All of it, so that the connection is used again.
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		a.err = err
		return nil, err
	}
	a.status, a.answer = resp.StatusCode, string(answer)
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, nil
}
