package attack_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"firedrill/internal/machine/machinetest"
	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
)

// get returns a plan of GET requests to a URL, which may be a template.
func get(t testing.TB, url string) *journey.Plan {
	t.Helper()
	address, err := journey.Compile(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := journey.NewPlan(journey.Settings{
		Scenarios: []journey.Scenario{{
			Name: "get", Weight: 1, Steps: []journey.Step{{Method: http.MethodGet, URL: address}},
		}},
		Run: 1, Seed: 1, Sampled: 0.1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func whole(t testing.TB, stages ...schedule.Stage) schedule.Part {
	t.Helper()
	s, err := schedule.New(stages, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s.Part(schedule.Shard{})
}

func constant(rate float64, length time.Duration) schedule.Stage {
	return schedule.Stage{Shape: schedule.Constant(rate, length)}
}

// prepare makes an attack and its collector. It sets defaults in the config.
func prepare(t testing.TB, cfg attack.Config) (*attack.Attack, *result.Collector) {
	t.Helper()
	collector := result.New(result.Meta{}, result.Options{Intended: cfg.Schedule.Count})
	cfg.Record = attack.Recorders{collector}
	if cfg.Timeout == 0 {
		cfg.Timeout = machinetest.Patience(t, 0)
	}
	if cfg.Overrun == 0 {
		cfg.Overrun = machinetest.Patience(t, 0)
	}
	if cfg.Workers == 0 {
		cfg.Workers = 20
	}
	a, err := attack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a, collector
}

func run(t testing.TB, cfg attack.Config) *result.Result {
	t.Helper()
	a, collector := prepare(t, cfg)
	return collector.Finish(a.Run(t.Context()))
}

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func transports() []string { return []string{attack.Fast, attack.Standard} }

// failures returns the number of requests by failure class; "" is success.
func failures(r *result.Result) map[string]uint64 {
	all := map[string]uint64{}
	for i := range r.Groups {
		all[""] += r.Groups[i].Requests - r.Groups[i].Failed
		for class, n := range r.Groups[i].Failures {
			all[class] += n
		}
	}
	return all
}

func TestEveryRequestIsSentOnceAndAnswered(t *testing.T) {
	for _, transport := range transports() {
		t.Run(transport, func(t *testing.T) {
			var mu sync.Mutex
			seen := map[string]int{}
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				seen[r.URL.Query().Get("n")]++
				mu.Unlock()
				_, _ = io.WriteString(w, "hello")
			})
			part := whole(t, schedule.Stage{Shape: schedule.Linear{From: 0, To: 1000, For: time.Second}, Poisson: true}, constant(500, time.Second))
			r := run(t, attack.Config{Schedule: part, Plan: get(t, url+"/?n=${seq}"), Transport: transport})
			total := r.Total(nil)
			if total.Requests != 1000 || total.Failed != 0 || total.BytesIn != 5000 || r.Dropped != 0 || r.Interrupted {
				t.Errorf("%d requests, %d failed, %d bytes, %d dropped", total.Requests, total.Failed, total.BytesIn, r.Dropped)
			}
			for n := range 1000 {
				if seen[strconv.Itoa(n)] != 1 {
					t.Fatalf("request %d was sent %d times", n, seen[strconv.Itoa(n)])
				}
			}
			for stage := range 2 {
				in := r.Total(func(k result.Key) bool { return k.Stage == stage })
				if in.Requests != 500 {
					t.Errorf("stage %d has %d requests, want 500", stage, in.Requests)
				}
			}
		})
	}
}

func TestFailureClasses(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections, but never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	})
	half := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
			conn.Close()
		}
	})
	broken := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	moved := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	tests := map[string]struct{ url, want string }{
		"refused":           {"http://" + closed.Addr().String(), "connection"},
		"no answer":         {"http://" + silent.Addr().String(), "timeout"},
		"cut":               {cut, "connection"},
		"half a body":       {half, "connection"},
		"status":            {broken, "status"},
		"a redirect is one": {moved, ""},
	}
	for name, tt := range tests {
		for _, transport := range transports() {
			t.Run(name+", "+transport, func(t *testing.T) {
				cfg := attack.Config{Schedule: whole(t, constant(50, 100*time.Millisecond)), Plan: get(t, tt.url), Transport: transport}
				if tt.want == "timeout" {
					cfg.Timeout = 300 * time.Millisecond
				}
				a, collector := prepare(t, cfg)
				r := collector.Finish(a.Run(t.Context()))
				if got := failures(r); got[tt.want] != 5 {
					t.Errorf("failures %v, want 5 of %q", got, tt.want)
				}
				if got := a.Errors(); (tt.want == "timeout" || tt.want == "connection") != (got[tt.want] != "") {
					t.Errorf("texts of the errors: %v", got)
				}
			})
		}
	}
}

// TestWaitingForAWorkerIsNotTheGeneratorsLag has one worker and a slow server, so each request waits for the requests before
// it. This wait must not count as the generator's own lag. The own lag of most requests must be a small part of the total,
// whatever the machine does to a few.
func TestWaitingForAWorkerIsNotTheGeneratorsLag(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) })
	r := run(t, attack.Config{Schedule: whole(t, constant(50, 200*time.Millisecond)), Plan: get(t, url), Workers: 1})
	total := r.Total(nil)
	if total.Requests != 10 || total.Lag.Max() < 700*time.Millisecond {
		t.Errorf("%d requests, the last sent %v late; want 10, late by most of a second", total.Requests, total.Lag.Max())
	}
	if own, all := r.OwnLag.Quantile(0.5), total.Lag.Quantile(0.5); own > all/2 {
		t.Errorf("own lag %v of %v, though every worker was busy", own, all)
	}
	t.Logf("own lag at most %v, all lag at most %v", r.OwnLag.Max(), total.Lag.Max())
}

func TestOverrunEndsAndCountsWhatWasDropped(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) { time.Sleep(50 * time.Millisecond) })
	r := run(t, attack.Config{
		Schedule: whole(t, constant(1000, 300*time.Millisecond)), Plan: get(t, url), Workers: 1, Overrun: 200 * time.Millisecond,
	})
	total := r.Total(nil)
	// One worker can send ten requests in the half second of the run. For half of all 300 it
	// would take seven seconds.
	if total.Requests > 150 || r.Dropped+total.Requests != 300 || r.Intended != 300 || r.Validity.Valid {
		t.Errorf("%d requests, %d dropped of %d, valid %v", total.Requests, r.Dropped, r.Intended, r.Validity.Valid)
	}
}

func TestInterrupted(t *testing.T) {
	for _, length := range []time.Duration{time.Hour, schedule.Forever} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var asked atomic.Int64
			url := serve(t, func(http.ResponseWriter, *http.Request) {
				if asked.Add(1) == 50 {
					cancel()
				}
			})
			before := runtime.NumGoroutine()
			a, collector := prepare(t, attack.Config{Schedule: whole(t, constant(200, length)), Plan: get(t, url)})
			r := collector.Finish(a.Run(ctx))
			total := r.Total(nil)
			if got := asked.Load(); int64(total.Requests) != got || total.Failed != 0 {
				t.Errorf("%d requests told, %d failed; the server had %d", total.Requests, total.Failed, got)
			}
			if endless := length == schedule.Forever; r.Interrupted == endless {
				t.Errorf("interrupted = %v", r.Interrupted)
			}
			if r.Elapsed < 200*time.Millisecond || r.Elapsed >= time.Hour { // the 50th is due after 245 ms
				t.Errorf("elapsed %v", r.Elapsed)
			}
			machinetest.Await(t, "its goroutines end", func() (string, bool) {
				now := runtime.NumGoroutine()
				return fmt.Sprintf("%d goroutines before, %d now", before, now), now <= before+3 // the server keeps some
			})
		})
	}
}

func TestJourneysAreTold(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/b" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	step := func(name string) journey.Step {
		return journey.Step{Name: name, Method: http.MethodGet, URL: journey.Literal([]byte(url + "/" + name)), Think: 20 * time.Millisecond}
	}
	plan, err := journey.NewPlan(journey.Settings{Scenarios: []journey.Scenario{
		{Name: "well", Weight: 1, Kind: journey.Journey, Steps: []journey.Step{step("a"), step("c")}},
		{Name: "ill", Weight: 1, Kind: journey.Journey, Steps: []journey.Step{step("a"), step("b"), step("c")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, attack.Config{Schedule: whole(t, constant(200, 500*time.Millisecond)), Plan: plan})
	var ended, failed uint64
	for _, j := range r.Journeys {
		ended += j.Ended
		failed += j.Failed
		if j.Scenario == "ill" && (j.Failed != j.Ended || j.FailedSteps["b"] != j.Failed) || j.Scenario == "well" && j.Failed > 0 {
			t.Errorf("journeys %+v", j)
		}
		if j.Response.Min() < 20*time.Millisecond {
			t.Errorf("a journey took %v, less than it thinks", j.Response.Min())
		}
	}
	total := r.Total(nil)
	if ended != 100 || failed == 0 || failed == ended || total.Requests != 200 || total.Arrivals != 100 {
		t.Errorf("%d journeys, %d failed; %d requests, %d arrivals", ended, failed, total.Requests, total.Arrivals)
	}
}

// TestMemoryIsConstant runs against a target that fails half of the requests. Half of these have a unique error text.
// All requests are due at once, so they are sent as fast as the machine can: the test counts requests, not time.
// FIREDRILL_LONG=1000000 sends a million.
func TestMemoryIsConstant(t *testing.T) {
	if testing.Short() {
		t.Skip("sends 40,000 requests") // skip-ok: no target of the Makefile says -short
	}
	total := int64(40_000)
	if text := os.Getenv("FIREDRILL_LONG"); text != "" {
		var err error
		if total, err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		switch n.Add(1) % 4 {
		case 0:
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(net.Conn) {}) // closes the connection: the error text contains the port
		case 1:
			ctx.SetStatusCode(http.StatusServiceUnavailable)
		}
	}}
	go server.Serve(listener)
	defer server.Shutdown()
	a, collector := prepare(t, attack.Config{
		Schedule: whole(t, constant(float64(total), time.Second)), Workers: 50, Plan: get(t, "http://"+listener.Addr().String()+"/?n=${seq}"),
		Overrun: time.Hour,
	})
	done := make(chan result.Ending, 1)
	go func() { done <- a.Run(t.Context()) }()
	heapAfter := func(requests int64) int64 {
		machinetest.Eventually(t, fmt.Sprintf("%d requests are sent", requests), func() bool { return n.Load() >= requests })
		return heap()
	}
	warm, end := heapAfter(total/4), heapAfter(total*7/8)
	r := collector.Finish(<-done)
	got := failures(r)
	if got["connection"] == 0 || got["status"] == 0 || int64(r.Total(nil).Requests) != total {
		t.Errorf("%d requests of %d, failures %v", r.Total(nil).Requests, total, got)
	}
	const most = 2 << 20                  // less than half the size of 25,000 samples
	if got := a.Errors(); len(got) != 1 { // only "connection": a failed status has no error text
		t.Errorf("%d texts of errors are kept, want the first", len(got))
	}
	if grown := end - warm; grown > most {
		t.Errorf("the heap grew from %d to %d bytes", warm, end)
	}
	t.Logf("%d requests; heap %d kB after a quarter, %d kB near the end", r.Total(nil).Requests, warm>>10, end>>10)
}

// heap returns the number of live bytes on the heap.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestConfigsThatCannotRun(t *testing.T) {
	part := whole(t, constant(1, time.Second))
	for name, cfg := range map[string]attack.Config{
		"no workers": {Schedule: part, Plan: get(t, "http://h"), Timeout: 1},
		"no timeout": {Schedule: part, Plan: get(t, "http://h"), Workers: 1},
		"transport":  {Schedule: part, Plan: get(t, "http://h"), Workers: 1, Timeout: 1, Transport: "pigeon"},
	} {
		if _, err := attack.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
