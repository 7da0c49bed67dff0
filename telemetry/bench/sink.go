package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
)

// sink is an OTLP receiver and a Loki that only count.
type sink struct {
	coltracepb.UnimplementedTraceServiceServer
	where        Backends
	spans, lines atomic.Int64
	grpc         *grpc.Server
	http         *http.Server
}

func startSink(ctx context.Context) (*sink, error) {
	var lc net.ListenConfig
	s := &sink{grpc: grpc.NewServer()}
	otlp, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for OTLP: %w", err)
	}
	loki, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for Loki: %w", err), otlp.Close())
	}
	coltracepb.RegisterTraceServiceServer(s.grpc, s)
	s.http = &http.Server{Handler: http.HandlerFunc(s.push), ReadHeaderTimeout: 10 * time.Second}
	s.where = Backends{OTLP: "http://" + otlp.Addr().String(), Loki: "http://" + loki.Addr().String()}
	go func() { _ = s.grpc.Serve(otlp) }() // ends with close
	go func() { _ = s.http.Serve(loki) }()
	return s, nil
}

// Export implements the OTLP service.
func (s *sink) Export(_ context.Context, req *coltracepb.ExportTraceServiceRequest,
) (*coltracepb.ExportTraceServiceResponse, error) {
	for _, rs := range req.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			s.spans.Add(int64(len(ss.GetSpans())))
		}
	}
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

func (s *sink) push(w http.ResponseWriter, r *http.Request) {
	n, err := countLines(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.lines.Add(int64(n))
	w.WriteHeader(http.StatusNoContent)
}

func countLines(body io.Reader) (int, error) {
	packed, err := io.ReadAll(body)
	if err != nil {
		return 0, err
	}
	raw, err := snappy.Decode(nil, packed)
	if err != nil {
		return 0, err
	}
	var req push.PushRequest
	if err := req.Unmarshal(raw); err != nil {
		return 0, err
	}
	n := 0
	for _, stream := range req.Streams {
		n += len(stream.Entries)
	}
	return n, nil
}

// Sink makes a sink callable by the parent process.
type Sink struct{ *sink }

// Counts are the numbers of items that a sink has received.
type Counts struct{ Spans, Lines int }

// Where returns the sink's addresses.
func (s *Sink) Where(_ bool, b *Backends) error { //nolint:unparam // required by net/rpc
	*b = s.where
	return nil
}

// Count returns the numbers received so far.
func (s *Sink) Count(_ bool, c *Counts) error { //nolint:unparam // required by net/rpc
	*c = Counts{int(s.spans.Load()), int(s.lines.Load())}
	return nil
}

func (s *sink) close() {
	s.grpc.Stop()
	_ = s.http.Close()
}
