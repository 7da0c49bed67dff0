package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
	"firedrill/internal/machine/machinetest"
)

// bodySize is the size of the dependency's answers, in bytes.
const bodySize = 4096

// edge is a caller and its dependency, with an injector for faults between them.
type edge struct {
	*caller
	upstream string
	injector *Injector
}

func newEdge(t *testing.T) *edge {
	t.Helper()
	e := &edge{caller: newCaller(t)}
	e.upstream = strings.TrimPrefix(serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", bodySize))
	})), "http://")
	e.injector = e.plan().injector()
	return e
}

func (e *edge) plan() plan { return plan{Admin: e.admin, Token: token, Upstream: e.upstream} }

// call sends a request to the dependency as the caller does. It returns how long that took.
func (e *edge) call(ctx context.Context, client *http.Client) (time.Duration, error) {
	began := time.Now()
	_, err := e.dialed(ctx, client)
	return time.Since(began), err
}

// direct fails the test unless a call succeeds over a direct connection to the dependency. It does not measure time,
// because a slow machine can make a direct call as slow as a detour.
func (e *edge) direct(t *testing.T) {
	t.Helper()
	machinetest.Await(t, "a call goes straight to the dependency", func() (string, bool) {
		peer, err := e.dialed(t.Context(), e.http)
		return fmt.Sprintf("it went to %q, %v", peer, err), err == nil && peer == e.upstream
	})
}

// dialed sends a request to the dependency. It returns the address that the connection
// leads to.
func (e *edge) dialed(ctx context.Context, client *http.Client) (peer string, err error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		peer = info.Conn.RemoteAddr().String()
	}})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.upstream, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return peer, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && len(body) != bodySize {
		err = fmt.Errorf("%d bytes came, want %d", len(body), bodySize)
	}
	return peer, err
}

func (e *edge) begin(t *testing.T, kind string, params map[string]any) run.Injection {
	t.Helper()
	i, err := e.injector.Begin(t.Context(), drill.Fault{Kind: kind, Target: "orders -> payments", Params: params}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (e *edge) proxied() bool {
	e.injector.wires.mu.Lock()
	defer e.injector.wires.mu.Unlock()
	return len(e.injector.wires.open) > 0
}

// wireCase is a test case for one fault on the wire: the effect on a call. It has no upper bound for the length of a call,
// because a slow machine makes calls longer.
type wireCase struct {
	name, kind string
	params     map[string]any
	atLeast    time.Duration
	fails      func(error) bool // nil: the call must succeed
}

// silence is how long a caller waits for an answer that never comes.
const silence = time.Second

// limit sets a timeout for the caller, but only for a fault after which no answer comes.
func (c wireCase) limit(client *http.Client) {
	if c.atLeast == silence {
		client.Timeout = silence
	}
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func wireCases() []wireCase {
	return []wireCase{
		{"latency", "wire_latency", map[string]any{"latency": "300ms"}, 300 * time.Millisecond, nil},
		{"latency of requests", "wire_latency", map[string]any{"latency": "300ms", "stream": "upstream"}, 300 * time.Millisecond, nil},
		{"jitter", "wire_latency", map[string]any{"latency": "300ms", "jitter": "100ms"}, 200 * time.Millisecond, nil},
		// 4 KB and the headers at 8 KB/s
		{"bandwidth", "wire_bandwidth", map[string]any{"rate": 8}, 500 * time.Millisecond, nil},
		{"reset", "wire_reset", nil, 0, is(syscall.ECONNRESET)},
		{"reset after a while", "wire_reset", map[string]any{"after": "200ms"}, 200 * time.Millisecond, is(syscall.ECONNRESET)},
		{"silence", "wire_timeout", nil, silence, os.IsTimeout},
		{"silence, then a close", "wire_timeout", map[string]any{"after": "200ms"}, 200 * time.Millisecond, is(io.EOF)},
		{"down", "wire_down", nil, 0, is(syscall.ECONNREFUSED)},
		// 4096 / 128 pieces, 10 ms each
		{"slicer", "wire_slicer", map[string]any{"size": 128, "delay": "10ms"}, 300 * time.Millisecond, nil},
	}
}

func TestWireFaultsShowAndEnd(t *testing.T) {
	for _, c := range wireCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			if _, err := e.call(t.Context(), e.http); err != nil {
				t.Fatal(err) // the call leaves a connection open for when the fault begins
			}
			i := e.begin(t, c.kind, c.params)
			patient := *e.http
			c.limit(e.http)
			took, err := e.call(t.Context(), e.http)
			if c.fails == nil && err != nil || c.fails != nil && !c.fails(err) {
				t.Errorf("the call gives %v", err)
			}
			if took < c.atLeast {
				t.Errorf("the call took %v, want at least %v", took, c.atLeast)
			}
			if err := i.Renew(t.Context()); err != nil {
				t.Error(err)
			}
			for range 2 { // ending twice does no harm
				if err := i.End(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if e.proxied() || len(e.set.Status().Active) > 0 {
				t.Error("the proxy or the detour is left")
			}
			e.http = &patient
			e.direct(t)
		})
	}
}

// TestToxicityIsPerConnection checks that toxicity is a share of connections, so that all requests over one connection
// are alike. If it were a share of requests, three quarters of the connections would have both kinds. If the machine
// stalls for longer than the latency, a few connections may seem to have both.
func TestToxicityIsPerConnection(t *testing.T) {
	e := newEdge(t)
	const latency = 1500 * time.Millisecond
	i := e.begin(t, "wire_latency", map[string]any{"latency": latency.String(), "toxicity": 0.5})
	defer func() { _ = i.End(t.Context()) }()
	const connections, requests, mostMixed = 24, 3, 6
	var slow [connections]int // slow requests by connection
	var all sync.WaitGroup
	for c := range connections {
		all.Go(func() {
			transport := e.http.Transport.(*http.Transport).Clone()
			transport.MaxConnsPerHost = 1
			defer transport.CloseIdleConnections()
			for range requests {
				took, err := e.call(t.Context(), &http.Client{Transport: transport})
				if err != nil {
					t.Error(err)
				}
				if took >= latency {
					slow[c]++
				}
			}
		})
	}
	all.Wait()
	toxic, mixed := 0, 0
	for _, n := range slow {
		switch n {
		case 0:
		case requests:
			toxic++
		default:
			mixed++
		}
	}
	if mixed > mostMixed {
		t.Errorf("the requests over %d of %d connections are not alike; slow of %d are %v", mixed, connections, requests, slow)
	}
	// Each of the two has a chance of 2^-24, which is one in seventeen million.
	if toxic == 0 || toxic == connections {
		t.Errorf("%d of %d connections are slow, want some", toxic, connections)
	}
}

// TestFaultsOnOneWireShareAProxy checks that two faults on one wire share a proxy, and that
// each ends by itself.
func TestFaultsOnOneWireShareAProxy(t *testing.T) {
	e := newEdge(t)
	slow := e.begin(t, "wire_latency", map[string]any{"latency": "200ms"})
	slower := e.begin(t, "wire_latency", map[string]any{"latency": "400ms", "stream": "upstream"})
	down := e.begin(t, "wire_down", nil)
	if n := len(e.set.Status().Active); n != 1 {
		t.Errorf("the caller makes %d detours, want one", n)
	}
	if _, err := e.call(t.Context(), e.http); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("with the wire down a call gives %v", err)
	}
	if err := down.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took, err := e.call(t.Context(), e.http); err != nil || took < 600*time.Millisecond {
		t.Errorf("with both delays a call took %v, %v", took, err)
	}
	if err := slow.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took, err := e.call(t.Context(), e.http); err != nil || took < 400*time.Millisecond {
		t.Errorf("with the second delay a call took %v, %v", took, err)
	}
	if err := slower.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e.proxied() {
		t.Error("the proxy is left")
	}
}

func TestWireFaultThatCannotBeginLeavesNothing(t *testing.T) {
	e := newEdge(t)
	p := e.plan()
	p.Token = "wrong"
	e.injector = p.injector()
	_, err := e.injector.Begin(t.Context(), drill.Fault{Kind: "wire_down", Target: "orders -> payments"}, time.Minute)
	if err == nil || !strings.Contains(err.Error(), `begin wire_down on "orders -> payments"`) {
		t.Errorf("error %v", err)
	}
	if e.proxied() {
		t.Error("the proxy is left")
	}
	if _, err := e.call(t.Context(), e.http); err != nil {
		t.Error(err)
	}
}

// TestWireFaultsEndWhenTheRunnerIsKilled checks that the caller dials the dependency
// directly again when the lease ends. The proxy ends with the runner.
func TestWireFaultsEndWhenTheRunnerIsKilled(t *testing.T) {
	for _, c := range wireCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := newEdge(t)
			p := e.plan()
			p.Fault = drill.Fault{Kind: c.kind, Target: "orders -> payments", Params: c.params}
			p.Lease = shortLease
			runner := startRunner(t, p)
			patient := *e.http
			c.limit(e.http)
			if took, err := e.call(t.Context(), e.http); c.fails != nil && !c.fails(err) || took < c.atLeast {
				t.Errorf("the call took %v and gives %v", took, err)
			}
			killNow(t, runner.Process.Pid)
			e.http = &patient
			e.direct(t)
			if n := len(e.set.Status().Active); n != 0 {
				t.Errorf("the caller still makes %d detours", n)
			}
		})
	}
}

// TestWireCarriesAnyBytes checks that protocols other than HTTP are proxied as well.
func TestWireCarriesAnyBytes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	e := newEdge(t)
	e.upstream = l.Addr().String()
	e.injector = e.plan().injector()
	i := e.begin(t, "wire_latency", map[string]any{"latency": "100ms"})
	dial := e.http.Transport.(*http.Transport).DialContext
	c, err := dial(t.Context(), "tcp", e.upstream)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := io.WriteString(c, "PING\r\n"); err != nil {
		t.Fatal(err)
	}
	echo := make([]byte, 6)
	if _, err := io.ReadFull(c, echo); err != nil || string(echo) != "PING\r\n" || time.Since(began) < 100*time.Millisecond {
		t.Errorf("%q came after %v, %v", echo, time.Since(began), err)
	}
	if err := i.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(echo); err == nil {
		t.Error("the connection through the proxy is still open")
	}
}
