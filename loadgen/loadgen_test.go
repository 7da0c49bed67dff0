package loadgen

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/profile"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
)

// server counts the requests that it receives, by method and path.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]int
}

func newServer(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *server {
	t.Helper()
	s := &server{asked: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked[r.Method+" "+r.URL.Path]++
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// total returns the number of requests received.
func (s *server) total() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, times := range s.asked {
		n += times
	}
	return n
}

// tolerant has limits so wide that a run on a busy machine stays valid.
const tolerant = "limits: {lag_p99: 60s, rate_error: 1, overrun: 10m, timeout: 10m}\n"

// profileFor writes a profile that sends 30 arrivals in two stages to url. It returns the
// path.
func profileFor(t *testing.T, url, rest string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.yaml")
	text := "target: " + url + `
teaches: how two stages look
stages:
  - {name: low, constant: {rate: 50/s, for: 200ms}}
  - {name: high, constant: {rate: 100/s, for: 200ms}}
scenarios:
  - {name: read, weight: 2, request: GET /a}
  - {name: buy, steps: [{name: one, request: POST /b, body: '{}'}, {name: two, request: GET /c}]}
` + rest
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func prepare(t *testing.T, cfg Config) *Run {
	t.Helper()
	run, err := Prepare(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	return run
}

func TestPrepareSendsNothing(t *testing.T) {
	s := newServer(t, nil)
	run := prepare(t, Config{Profile: profileFor(t, s.URL, "thresholds: [errors < 1%]\n"), Thresholds: []profile.Threshold{{Expression: "p99 < 1s"}}})
	if run.Part.Total() != 30 || run.Part.Length() != 400*time.Millisecond || len(run.Thresholds) != 2 || run.Profile.Name != "p" {
		t.Errorf("%d arrivals in %v, %d thresholds, profile %q", run.Part.Total(), run.Part.Length(), len(run.Thresholds), run.Profile.Name)
	}
	if s.total() != 0 || run.Busy() != 0 || run.Snapshot().Total(nil).Requests != 0 || run.MetricsAddr() != "" {
		t.Errorf("%d requests were sent, %d are under way, metrics at %q", s.total(), run.Busy(), run.MetricsAddr())
	}
}

func TestDo(t *testing.T) {
	for _, transport := range []string{attack.Fast, attack.Standard} {
		t.Run(transport, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/c" {
					w.WriteHeader(http.StatusTeapot)
				}
			})
			began := time.Now()
			found := prepare(t, Config{
				Profile: profileFor(t, s.URL, tolerant+"thresholds: [count >= 30, scenario.read.errors < 1%, journey.buy.errors < 1%]\n"), ID: 7, Transport: transport, Version: "v9",
			}).Do(t.Context())
			r := found.Result
			if total := r.Total(nil); int(total.Requests) != s.total() || total.Arrivals != 30 || r.Intended != 30 || !r.Validity.Valid {
				t.Errorf("%d requests of %d, %d arrivals of %d, valid: %v", total.Requests, s.total(), total.Arrivals, r.Intended, r.Validity)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.asked["GET /c"] == 0 || s.asked["POST /b"] != s.asked["GET /c"] || s.asked["GET /a"]+s.asked["POST /b"] != 30 {
				t.Errorf("asked %v, want 30 arrivals, whose journeys are whole", s.asked)
			}
			var held []bool
			for _, threshold := range r.Thresholds {
				held = append(held, threshold.OK)
			}
			if want := []bool{true, true, false}; !slices.Equal(held, want) {
				t.Errorf("thresholds hold: %v, want %v: %+v", held, want, r.Thresholds)
			}
			if len(found.Failures) != 0 {
				t.Errorf("failures %v, want none: all requests were answered", found.Failures)
			}
			if r.Meta.Start.Before(began) || r.Meta.Start.After(time.Now()) {
				t.Errorf("began at %v, want after %v", r.Meta.Start, began)
			}
			if v := r.Meta.Versions; v["firedrill"] != "v9" || v["transport"] != transport || v["go"] == "" {
				t.Errorf("versions %v", v)
			}
		})
	}
}

// TestFailuresAreSaid checks that the text of the first error of each class is kept. A
// target that closes every connection produces one class.
func TestFailuresAreSaid(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	})
	found := prepare(t, Config{AdHoc: &profile.AdHoc{Rate: "100/s", Length: 100 * time.Millisecond, Method: "POST", URL: s.URL}}).Do(t.Context())
	if total := found.Result.Total(nil); total.Failed != 10 || total.Requests != 10 || len(found.Failures) != 1 {
		t.Errorf("%d of %d requests failed, want all 10; said %v, want one class", total.Failed, total.Requests, found.Failures)
	}
}

// TestMeta checks that the metadata agree with the profile, also for a shard.
func TestMeta(t *testing.T) {
	s := newServer(t, nil)
	file := profileFor(t, s.URL, "")
	stages := func(m result.Meta) (intended []uint64) {
		for _, st := range m.Stages {
			intended = append(intended, st.Intended)
		}
		return intended
	}
	for _, c := range []struct {
		name     string
		cfg      Config
		shards   []int
		of       int
		intended []uint64
		traces   string
	}{
		{"whole", Config{Profile: file}, []int{1}, 1, []uint64{10, 20}, ""},
		{"shard", Config{Profile: file, Shard: schedule.Shard{Index: 2, Of: 2}}, []int{2}, 2, []uint64{5, 10}, ""},
		{"local traces", Config{Profile: file, LocalTraceURL: "http://tempo/{trace_id}"}, []int{1}, 1, []uint64{10, 20}, "http://tempo/{trace_id}"},
		{"said traces", Config{Profile: file, LocalTraceURL: "http://tempo/{trace_id}", TraceURL: "http://other/{trace_id}"}, []int{1}, 1, []uint64{10, 20},
			"http://other/{trace_id}"},
	} {
		m := prepare(t, c.cfg).Snapshot().Meta
		if !slices.Equal(m.Shards, c.shards) || m.ShardsOf != c.of || !slices.Equal(stages(m), c.intended) || m.TraceURL != c.traces {
			t.Errorf("%s: shards %v of %d, stages %v, traces at %q", c.name, m.Shards, m.ShardsOf, stages(m), m.TraceURL)
		}
		if m.Length != 400*time.Millisecond || m.Stages[1].Begin != 200*time.Millisecond || m.Target != s.URL || m.Description != "how two stages look" {
			t.Errorf("%s: length %v, second stage at %v, target %q, description %q", c.name, m.Length, m.Stages[1].Begin, m.Target, m.Description)
		}
	}
}

func TestOnThisMachine(t *testing.T) {
	for _, c := range []struct {
		hosts []string
		want  bool
	}{
		{nil, false}, {[]string{"127.0.0.1"}, true}, {[]string{"localhost", "::1"}, true}, {[]string{"192.0.2.1"}, false},
		{[]string{"127.0.0.1", "shop.example.org"}, false},
	} {
		var hosts []profile.Host
		for _, name := range c.hosts {
			hosts = append(hosts, profile.Host{Name: name})
		}
		if got := onThisMachine(hosts); got != c.want {
			t.Errorf("%v: %v, want %v", c.hosts, got, c.want)
		}
	}
}

// TestSameIDSendsTheSame checks that the same id gives the same requests, and another id
// gives other requests.
func TestSameIDSendsTheSame(t *testing.T) {
	sent := func(cfg Config) string {
		var mu sync.Mutex
		var all []string
		s := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, r.URL.Path+" "+r.Header.Get("Traceparent"))
		})
		cfg.AdHoc = &profile.AdHoc{Rate: "100/s", Length: 100 * time.Millisecond, URL: s.URL + "/${uuid}"}
		prepare(t, cfg).Do(t.Context())
		slices.Sort(all)
		return strings.Join(all, "\n")
	}
	first := sent(Config{ID: 1})
	if strings.Count(first, "\n") != 9 {
		t.Fatalf("want 10 requests, got\n%s", first)
	}
	if again := sent(Config{ID: 1}); again != first {
		t.Errorf("the same id sent\n%s\nand then\n%s", first, again)
	}
	if other := sent(Config{ID: 2}); other == first {
		t.Errorf("another id sent the same:\n%s", first)
	}
}

// TestDoEndsWithItsContext checks that Do returns the result so far when its context ends.
func TestDoEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var n atomic.Int64
	s := newServer(t, func(http.ResponseWriter, *http.Request) {
		if n.Add(1) == 5 {
			cancel()
		}
	})
	run := prepare(t, Config{AdHoc: &profile.AdHoc{Rate: "100/s", URL: s.URL}})
	if run.Part.Total() != schedule.Endless {
		t.Errorf("%d arrivals, want no end", run.Part.Total())
	}
	r := run.Do(ctx).Result
	if got := int(r.Total(nil).Requests); got != s.total() || got < 5 {
		t.Errorf("%d requests in the result, %d were sent, want the same and at least 5", got, s.total())
	}
}

func TestMetricsAreServedWhileItRuns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var run *Run
	var once sync.Once
	scraped := make(chan string, 1)
	s := newServer(t, func(http.ResponseWriter, *http.Request) {
		once.Do(func() {
			defer cancel()
			resp, err := http.Get("http://" + run.MetricsAddr() + "/metrics")
			if err != nil {
				scraped <- err.Error()
				return
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			scraped <- errorOr(string(text), err)
		})
	})
	run = prepare(t, Config{AdHoc: &profile.AdHoc{Rate: "50/s", URL: s.URL}, Metrics: "127.0.0.1:0"})
	run.Do(ctx)
	text := <-scraped
	for _, want := range []string{`loadgen_run_info{profile="ad hoc"} 1`, "loadgen_workers_busy"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in the metrics:\n%s", want, text)
		}
	}
	if resp, err := http.Get("http://" + run.MetricsAddr() + "/metrics"); err == nil {
		resp.Body.Close()
		t.Error("metrics are still served when the run is over")
	}
}

func errorOr(text string, err error) string {
	if err != nil {
		return err.Error()
	}
	return text
}

func TestPrepareWaits(t *testing.T) {
	var asked atomic.Int64
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	adHoc := &profile.AdHoc{Rate: "5/s", Length: time.Second, URL: s.URL}
	prepare(t, Config{AdHoc: adHoc, WaitFor: s.URL + "/ready"})
	if asked.Load() != 3 {
		t.Errorf("asked %d times, want until the third answer, which is 200", asked.Load())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	_, err := Prepare(ctx, Config{AdHoc: adHoc, WaitFor: s.URL + "/never"})
	if err == nil || !strings.Contains(err.Error(), "wait for "+s.URL+"/never to answer 200: ") || !strings.HasSuffix(err.Error(), ": enough") {
		t.Errorf("error %v, want the URL and the cause", err)
	}
}

func TestPrepareRefuses(t *testing.T) {
	s := newServer(t, nil)
	adHoc := &profile.AdHoc{Rate: "5/s", Length: time.Second, URL: s.URL}
	good := profileFor(t, s.URL, "")
	for _, c := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"nothing", Config{}, "there is neither a profile nor a load test without one"},
		{"both", Config{Profile: good, AdHoc: adHoc}, "there can be only one"},
		{"no file", Config{Profile: "missing.yaml"}, "missing.yaml: no such file"},
		{"a bad key", Config{Profile: profileFor(t, s.URL, "sped: 5\n")}, "p.yaml:9: sped: unknown key"},
		{"a host", Config{AdHoc: &profile.AdHoc{Rate: "5/s", URL: "http://no-such-host.invalid/"}}, `URL: find the host "no-such-host.invalid": `},
		{"threshold", Config{Profile: good, Thresholds: []profile.Threshold{{Expression: "fast", Where: "here"}}}, `here: threshold "fast", column 1: `},
		{"threshold of nothing", Config{Profile: profileFor(t, s.URL, "thresholds: [journey.sell.p95 < 1s]\n")}, `p.yaml:9: thresholds[0]: threshold "journey.sell.p95 < 1s"`},
		{"a shard without requests", Config{Profile: good, Shard: schedule.Shard{Index: 31, Of: 31}}, "shard 31/31: the schedule has only 30 requests"},
		{"transport", Config{AdHoc: adHoc, Transport: "pigeon"}, "no transport pigeon"},
		{"metrics", Config{AdHoc: adHoc, Metrics: "nowhere:x"}, "serve metrics at nowhere:x: "},
	} {
		run, err := Prepare(t.Context(), c.cfg)
		if err == nil || run != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want an error with %q", c.name, run, err, c.want)
		}
	}
	if s.total() != 0 {
		t.Errorf("%d requests were sent", s.total())
	}
}

func TestThresholdNames(t *testing.T) {
	names := thresholdNames(prepare(t, Config{Profile: profileFor(t, newServer(t, nil).URL, "")}).Profile)
	if !reflect.DeepEqual(names.Scenarios, []string{"read", "buy"}) || !reflect.DeepEqual(names.Journeys, []string{"buy"}) ||
		!reflect.DeepEqual(names.Steps, []string{"one", "two"}) || !reflect.DeepEqual(names.Stages, []string{"low", "high"}) {
		t.Errorf("names %+v", names)
	}
}
