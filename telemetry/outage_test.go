package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// self returns the value of one of the telemetry_* metrics of tel.
func self(t testing.TB, tel *telemetry.Telemetry, name, signal, reason string) float64 {
	t.Helper()
	families, err := tel.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			l := map[string]string{}
			for _, p := range m.GetLabel() {
				l[p.GetName()] = p.GetValue()
			}
			if l["signal"] == signal && l["reason"] == reason {
				return value(m)
			}
		}
	}
	t.Fatalf("no %s with signal %q and reason %q", name, signal, reason)
	return 0
}

func value(m *dto.Metric) float64 {
	if m.GetCounter() != nil {
		return m.GetCounter().GetValue()
	}
	return m.GetGauge().GetValue()
}

// patience is the longest time that a test waits for a condition. It is only
// spent when a test fails.
const patience = 5 * time.Minute

// eventually waits until ok returns true, at most patience.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("after %v, still not true: %s", patience, what)
}

func emit(tel *telemetry.Telemetry, n int) {
	for i := range n {
		ctx, span := tel.TracerProvider().Tracer("test").Start(context.Background(), fmt.Sprint("span ", i))
		tel.Logger().InfoContext(ctx, fmt.Sprint("line ", i))
		span.End()
	}
}

// impatient makes cfg send at once. Attempts have a long timeout: on a slow
// machine, a short one would send data twice that has already arrived.
func impatient(cfg telemetry.Config) telemetry.Config {
	cfg.Traces.Delay, cfg.Logs.Delay = 10*time.Millisecond, 10*time.Millisecond
	cfg.Traces.Timeout, cfg.Logs.Timeout = patience, patience
	return cfg
}

func TestNothingIsLostWhileBackendFails(t *testing.T) {
	failures := map[string]func(http.ResponseWriter, *http.Request) bool{
		"429": telemetrytest.Status(http.StatusTooManyRequests),
		"500": telemetrytest.Status(http.StatusInternalServerError),
		"503": telemetrytest.Status(http.StatusServiceUnavailable),
		"slow": func(_ http.ResponseWriter, r *http.Request) bool {
			<-r.Context().Done() // until the client gives up
			return true
		},
		"hangs up": func(w http.ResponseWriter, _ *http.Request) bool {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				conn.Close()
			}
			return true
		},
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := telemetrytest.NewBackend(t)
			b.Answer(fail)
			cfg := impatient(b.Config("shop"))
			if name == "slow" {
				cfg.Traces.Timeout, cfg.Logs.Timeout = 200*time.Millisecond, 200*time.Millisecond
			}
			tel := telemetrytest.New(t, cfg)
			emit(tel, 10)
			eventually(t, "both signals were tried twice", func() bool {
				return attempts(t, tel, "logs", "retry") >= 2 && attempts(t, tel, "traces", "retry") >= 2
			})
			b.Answer(nil)
			eventually(t, "the queued items arrived", func() bool {
				return len(b.Spans()) >= 10 && len(b.Lines()) >= 11 // one more line says that telemetry started
			})
			for _, signal := range []string{"logs", "traces"} {
				for _, reason := range []string{"queue_full", "rejected", "shutdown"} {
					if n := self(t, tel, "telemetry_dropped_items_total", signal, reason); n != 0 {
						t.Errorf("%v %s lost: %s", n, signal, reason)
					}
				}
			}
		})
	}
}

func attempts(t testing.TB, tel *telemetry.Telemetry, signal, outcome string) uint64 {
	t.Helper()
	families, err := tel.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "telemetry_export_duration_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == outcome && m.GetLabel()[1].GetValue() == signal {
				return m.GetHistogram().GetSampleCount()
			}
		}
	}
	return 0
}

func TestRejectedItemsAreCountedAndDoNotBlock(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	b.Answer(telemetrytest.Status(http.StatusBadRequest))
	tel := telemetrytest.New(t, impatient(b.Config("shop")))
	emit(tel, 3)
	eventually(t, "the rejected items were counted", func() bool {
		return self(t, tel, "telemetry_dropped_items_total", "logs", "rejected") == 4 &&
			self(t, tel, "telemetry_dropped_items_total", "traces", "rejected") == 3
	})
	b.Answer(nil)
	emit(tel, 2)
	eventually(t, "later items arrived", func() bool { return len(b.Spans()) == 2 && len(b.Lines()) == 2 })
}

func TestBackendStartsLater(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()

	b := telemetrytest.NewBackend(t)
	cfg := impatient(b.Config("shop"))
	cfg.Logs.LokiURL, cfg.Traces.Endpoint = "http://"+addr, "http://"+addr+"/v1/traces"
	tel := telemetrytest.New(t, cfg)
	emit(tel, 5)
	eventually(t, "both were tried", func() bool {
		return attempts(t, tel, "logs", "retry") >= 1 && attempts(t, tel, "traces", "retry") >= 1
	})
	// The port may be somebody's for a moment, as the near end of a connection.
	eventually(t, "the port is free again", func() bool {
		listener, err = net.Listen("tcp", addr)
		return err == nil
	})
	srv := &http.Server{Handler: b}
	go srv.Serve(listener)
	defer srv.Close()
	eventually(t, "the queued items arrived", func() bool { return len(b.Spans()) == 5 && len(b.Lines()) == 6 })
}

func TestLogQueueIsBoundedWhileLokiFails(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	b.Answer(telemetrytest.Status(http.StatusInternalServerError))
	cfg := impatient(b.Config("shop"))
	cfg.Logs.QueueBytes, cfg.Logs.BatchBytes = 64<<10, 8<<10
	tel := telemetrytest.New(t, cfg)
	for range 10_000 {
		tel.Logger().Info("a line of some length", "padding", strings.Repeat("x", 100))
	}
	if held := self(t, tel, "telemetry_queue_size", "logs", ""); held > 64<<10 {
		t.Errorf("the queue holds %v bytes, its limit is %v", held, 64<<10)
	}
	taken := self(t, tel, "telemetry_enqueued_items_total", "logs", "")
	lost := self(t, tel, "telemetry_dropped_items_total", "logs", "queue_full")
	if taken+lost != 10_001 {
		t.Errorf("%v lines taken and %v lost, want 10001 together", taken, lost)
	}
}

func TestShutdownAtDeadlineReportsDrops(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	b.Answer(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	cfg := b.Config("shop")
	cfg.Logs.Timeout, cfg.Traces.Timeout = time.Minute, time.Minute
	tel := telemetrytest.New(t, cfg)
	emit(tel, 5)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := tel.Shutdown(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown returned %v, want a deadline error", err)
	}
	if n := self(t, tel, "telemetry_dropped_items_total", "logs", "shutdown"); n != 6 {
		t.Errorf("%v lines counted as lost, want 6", n)
	}
	if n := self(t, tel, "telemetry_dropped_items_total", "traces", "shutdown"); n != 5 {
		t.Errorf("%v spans counted as lost, want 5", n)
	}
	emit(tel, 1) // after Shutdown, this must not panic or wait
}

func TestInvalidUTF8IsExported(t *testing.T) {
	for _, name := range []string{"http", "grpc"} {
		t.Run(name, func(t *testing.T) {
			b := telemetrytest.NewBackend(t) // of its own: another's last line may still arrive
			cfg := impatient(b.Config("shop"))
			if name == "grpc" {
				cfg.Traces.Protocol, cfg.Traces.Endpoint = telemetry.ProtocolGRPC, b.GRPC(t)
			}
			tel := telemetrytest.New(t, cfg)
			tel.Logger().Info("broken \xff text", "k\xfe", "v\xfd", "nil", error((*nilError)(nil)))
			eventually(t, "the line arrived", func() bool { return len(b.Lines()) == 2 })

			_, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "broken \xff name")
			span.End()
			emit(tel, 1)
			eventually(t, "both spans arrived", func() bool { return len(b.Spans()) == 2 })
		})
	}
}

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

func TestEmptyConfigWorks(t *testing.T) {
	tel, err := telemetry.New(t.Context(), telemetry.Config{Logs: telemetry.LogsConfig{Output: io.Discard}})
	if err != nil {
		t.Fatal(err)
	}
	emit(tel, 1)
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOTLPOverGRPC(t *testing.T) {
	tests := []struct {
		name     string
		refuse   func(*coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error)
		rejected float64 // of 4 spans, while the backend fails
		arrive   int     // spans that arrive after it recovers
	}{
		{"healthy", nil, 0, 4},
		{"unavailable is retried", failing(codes.Unavailable), 0, 4},
		{"resource exhausted is retried", failing(codes.ResourceExhausted), 0, 4},
		{"internal is retried", failing(codes.Internal), 0, 4},
		{"invalid argument is final", failing(codes.InvalidArgument), 4, 0},
		{"partial success", partly, 3, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := telemetrytest.NewBackend(t)
			b.Refuse(tt.refuse)
			cfg := impatient(b.Config("shop"))
			cfg.Traces.Protocol, cfg.Traces.Endpoint = telemetry.ProtocolGRPC, b.GRPC(t)
			cfg.Traces.Delay, cfg.Traces.BatchSpans = time.Hour, 4 // all 4 in one batch
			tel := telemetrytest.New(t, cfg)
			emit(tel, 4)
			eventually(t, "the first attempt ended", func() bool {
				return attempts(t, tel, "traces", "retry")+attempts(t, tel, "traces", "rejected")+attempts(t, tel, "traces", "success") > 0
			})
			b.Refuse(nil)
			eventually(t, "the queue is empty", func() bool { return self(t, tel, "telemetry_queue_items", "traces", "") == 0 })
			if n := self(t, tel, "telemetry_dropped_items_total", "traces", "rejected"); n != tt.rejected {
				t.Errorf("%v spans rejected, want %v", n, tt.rejected)
			}
			if n := len(b.Spans()); n != tt.arrive {
				t.Errorf("%d spans arrived, want %d", n, tt.arrive)
			}
		})
	}
}

func failing(code codes.Code) func(*coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	return func(*coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
		return nil, status.Error(code, "not now")
	}
}

func partly(*coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	return &coltracepb.ExportTraceServiceResponse{PartialSuccess: &coltracepb.ExportTracePartialSuccess{
		RejectedSpans: 3, ErrorMessage: "too old (and more)",
	}}, nil
}
