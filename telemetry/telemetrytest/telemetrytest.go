// Package telemetrytest helps to test what a service tells: it stands in for
// the backends and reads a registry as Prometheus would.
package telemetrytest

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"firedrill/telemetry"
)

// Backend is a Loki and an OTLP receiver over HTTP that keeps what it is sent.
// Answer may be changed at any time to make it fail.
type Backend struct {
	URL string

	mu     sync.Mutex
	answer func(http.ResponseWriter, *http.Request) bool
	refuse func(*coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error)
	lines  []Line
	spans  []*tracepb.Span
}

// Line is one log line as Loki got it.
type Line struct {
	Labels   string
	Text     string
	Metadata map[string]string
	Fields   map[string]any // of Text
}

// NewBackend starts a backend that ends with the test.
func NewBackend(t testing.TB) *Backend {
	t.Helper()
	b := &Backend{}
	srv := httptest.NewServer(b)
	t.Cleanup(srv.Close)
	b.URL = srv.URL
	return b
}

// Answer makes the backend call f before it takes a request; f returns true when
// it has answered itself. nil makes the backend healthy again.
func (b *Backend) Answer(f func(http.ResponseWriter, *http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = f
}

// Status makes the backend answer with a status.
func Status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, http.StatusText(code), code)
		return true
	}
}

// Lines returns the log lines so far.
func (b *Backend) Lines() []Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Line(nil), b.lines...)
}

// Spans returns the spans so far.
func (b *Backend) Spans() []*tracepb.Span {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*tracepb.Span(nil), b.spans...)
}

// ServeHTTP implements http.Handler.
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	answer := b.answer
	b.mu.Unlock()
	body, err := io.ReadAll(r.Body) // before answer, or the server would not see the client leave
	if answer != nil && answer(w, r) {
		return
	}
	if err == nil {
		switch r.URL.Path {
		case "/loki/api/v1/push":
			err = b.takeLines(body)
		case "/v1/traces":
			err = b.takeSpans(body)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (b *Backend) takeLines(body []byte) error {
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		return err
	}
	var req push.PushRequest
	if err := req.Unmarshal(raw); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, stream := range req.Streams {
		for _, e := range stream.Entries {
			l := Line{Labels: stream.Labels, Text: e.Line, Metadata: map[string]string{}}
			for _, m := range e.StructuredMetadata {
				l.Metadata[m.Name] = m.Value
			}
			if err := json.Unmarshal([]byte(e.Line), &l.Fields); err != nil {
				return err
			}
			b.lines = append(b.lines, l)
		}
	}
	return nil
}

func (b *Backend) takeSpans(body []byte) error {
	var req coltracepb.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &req); err != nil {
		return err
	}
	b.keepSpans(&req)
	return nil
}

func (b *Backend) keepSpans(req *coltracepb.ExportTraceServiceRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, rs := range req.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			b.spans = append(b.spans, ss.Spans...)
		}
	}
}

// GRPC serves OTLP over gRPC too, until the test ends, and returns its URL.
func (b *Backend) GRPC(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	coltracepb.RegisterTraceServiceServer(srv, &traceService{backend: b})
	go srv.Serve(listener)
	t.Cleanup(srv.Stop)
	return "http://" + listener.Addr().String()
}

type traceService struct {
	coltracepb.UnimplementedTraceServiceServer
	backend *Backend
}

func (s *traceService) Export(_ context.Context, req *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	s.backend.mu.Lock()
	refuse := s.backend.refuse
	s.backend.mu.Unlock()
	if refuse != nil {
		return refuse(req)
	}
	s.backend.keepSpans(req)
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

// Refuse makes the gRPC receiver answer with f. nil makes it healthy again.
func (b *Backend) Refuse(f func(*coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = f
}

// Config sends a service's telemetry to the backend; edit it further as needed.
func (b *Backend) Config(service string) telemetry.Config {
	return telemetry.Config{
		Service: service,
		Version: "test",
		Traces: telemetry.TracesConfig{
			Endpoint: b.URL + "/v1/traces", Protocol: telemetry.ProtocolHTTP,
			Sampler: telemetry.SamplerParentAlways, Ratio: 1,
		},
		Logs: telemetry.LogsConfig{LokiURL: b.URL},
	}
}

// New starts telemetry and stops it when the test ends.
func New(t testing.TB, cfg telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	if cfg.Logs.LokiURL == "" && cfg.Logs.Output == nil {
		cfg.Logs.Output = io.Discard
	}
	tel, err := telemetry.New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // a test that wants what is queued has flushed
		_ = tel.Shutdown(ctx)
	})
	return tel
}

// Flush shuts tel down so that the backend has everything.
func Flush(t testing.TB, tel *telemetry.Telemetry) {
	t.Helper()
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}
