package telemetry_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// detour dials the address that to maps an address to. Unknown addresses fail.
type detour struct {
	to map[string]string

	mu   sync.Mutex // guards seen
	seen []string
}

func (d *detour) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	d.seen = append(d.seen, addr)
	d.mu.Unlock()
	return new(net.Dialer).DialContext(ctx, network, d.to[addr])
}

// TestDialContext uses addresses where nothing listens, so data arrives only if
// the exporters call DialContext.
func TestDialContext(t *testing.T) {
	const loki, otlp = "127.0.0.1:1", "127.0.0.2:1"
	for _, protocol := range []telemetry.Protocol{telemetry.ProtocolHTTP, telemetry.ProtocolGRPC} {
		t.Run(string(protocol), func(t *testing.T) {
			b := telemetrytest.NewBackend(t)
			at := strings.TrimPrefix(b.URL, "http://")
			d := &detour{to: map[string]string{loki: at, otlp: at}}
			cfg := b.Config("shop")
			cfg.DialContext, cfg.Logs.LokiURL = d.dial, "http://"+loki
			cfg.Traces.Protocol, cfg.Traces.Endpoint = protocol, "http://"+otlp+"/v1/traces"
			if protocol == telemetry.ProtocolGRPC {
				d.to[otlp] = strings.TrimPrefix(b.GRPC(t), "http://")
			}
			tel := telemetrytest.New(t, cfg)
			ctx, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "work")
			tel.Logger().InfoContext(ctx, "working")
			span.End()
			telemetrytest.Flush(t, tel)
			if lines, spans := len(b.Lines()), len(b.Spans()); lines == 0 || spans != 1 {
				t.Errorf("%d lines and %d spans arrived, want at least 1 line and 1 span; dialled %v", lines, spans, d.seen)
			}
		})
	}
}
