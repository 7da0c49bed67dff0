package attack_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"firedrill/loadgen/attack"
)

// certificate returns a certificate for tests.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	return server.TLS.Certificates[0]
}

// encrypted starts a server that runs a script for each connection after the handshake.
func encrypted(t *testing.T, protocol string, serve func(*tls.Conn)) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, NextProtos: []string{protocol}}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if over := tls.Server(c, cfg); over.Handshake() == nil {
					serve(over)
				}
			}()
		}
	}()
	return "https://" + listener.Addr().String()
}

// streams serves HTTP/2 on a connection. begin is called with each request, and returns false to end the connection.
func streams(c *tls.Conn, settings []http2.Setting, begin func(f *http2.Framer, n int, stream uint32) bool) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c, preface); err != nil {
		return
	}
	framer := http2.NewFramer(c, c)
	_ = framer.WriteSettings(settings...)
	for n := 0; ; {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				_ = framer.WritePing(true, f.Data)
			}
		case *http2.HeadersFrame:
			n++
			if !begin(framer, n, f.StreamID) {
				return
			}
		}
	}
}

// answer answers a stream with 204.
func answer(f *http2.Framer, stream uint32) {
	var block bytes.Buffer
	_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "204"})
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
}

func TestHTTP2(t *testing.T) {
	tests := map[string]struct {
		settings []http2.Setting
		begin    func(f *http2.Framer, n int, stream uint32) bool
		failed   uint64
		resent   uint64
		reason   string
	}{
		"one stream at a time": {
			settings: []http2.Setting{{ID: http2.SettingMaxConcurrentStreams, Val: 1}},
			begin:    func(f *http2.Framer, _ int, stream uint32) bool { answer(f, stream); return true },
		},
		"GOAWAY before every second request is taken": {
			begin: func(f *http2.Framer, n int, stream uint32) bool {
				if n == 2 {
					_ = f.WriteGoAway(stream-2, http2.ErrCodeNo, nil)
					return false
				}
				answer(f, stream)
				return true
			},
			resent: 9,
		},
		"every second request is refused": {
			begin: func(f *http2.Framer, n int, stream uint32) bool {
				if n%2 == 0 {
					_ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
					return true
				}
				answer(f, stream)
				return true
			},
			resent: 9,
		},
		"every request is reset": {
			begin: func(f *http2.Framer, _ int, stream uint32) bool {
				_ = f.WriteRSTStream(stream, http2.ErrCodeInternal)
				return true
			},
			failed: 10, reason: "INTERNAL_ERROR",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var arrived atomic.Uint64
			url := encrypted(t, "h2", func(c *tls.Conn) {
				streams(c, tt.settings, func(f *http2.Framer, n int, stream uint32) bool {
					arrived.Add(1)
					return tt.begin(f, n, stream)
				})
			})
			a, collector := prepare(t, attack.Config{
				Schedule: whole(t, constant(50, 200*time.Millisecond)), Plan: get(t, url), Transport: attack.Standard, Insecure: true, Workers: 1,
			})
			total := collector.Finish(a.Run(t.Context())).Total(nil)
			if total.Requests != 10 || total.Failed != tt.failed || total.Resent != tt.resent {
				t.Errorf("%d requests, %d failed, %d sent again; want 10, %d, %d: %v", total.Requests, total.Failed, total.Resent, tt.failed, tt.resent, a.Errors())
			}
			if got := arrived.Load(); got != total.Requests+total.Resent {
				t.Errorf("%d requests arrived of %d and %d sent again", got, total.Requests, total.Resent)
			}
			if got := a.Errors()["connection"]; !strings.Contains(got, tt.reason) {
				t.Errorf("the reason is %q, want %q in it", got, tt.reason)
			}
		})
	}
}

// TestEndWithoutNotify closes TLS connections without close_notify, between two records. As in browsers, the end of the
// connection then ends the body.
func TestEndWithoutNotify(t *testing.T) {
	for _, text := range []string{fine, "HTTP/1.1 200 OK\r\n\r\nuntil the end"} {
		for _, transport := range transports() {
			t.Run(transport, func(t *testing.T) {
				var mu sync.Mutex
				arrived := uint64(0)
				url := encrypted(t, "http/1.1", func(c *tls.Conn) {
					buf := make([]byte, 4096)
					if _, err := c.Read(buf); err == nil {
						mu.Lock()
						arrived++
						mu.Unlock()
						_, _ = io.WriteString(c, text)
					}
				})
				a, collector := prepare(t, attack.Config{
					Schedule: whole(t, constant(50, 200*time.Millisecond)), Plan: get(t, url), Transport: transport, Insecure: true, Workers: 1,
				})
				total := collector.Finish(a.Run(t.Context())).Total(nil)
				if total.Requests != 10 || total.Failed != 0 {
					t.Errorf("%d of %d failed: %v", total.Failed, total.Requests, a.Errors())
				}
				mu.Lock()
				defer mu.Unlock()
				if arrived < 10 || arrived > 10+total.Resent {
					t.Errorf("%d requests arrived of 10 that were due and %d sent again", arrived, total.Resent)
				}
			})
		}
	}
}
