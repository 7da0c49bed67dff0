package verify

import (
	"context"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
)

// verified runs a verification of a world in a synctest bubble, where time is free. lie, if not nil, changes
// the world first.
func verified(t *testing.T, lie func(*world), judge func(*testing.T, Report)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if lie != nil {
			lie(w)
		}
		report, err := Run(t.Context(), w.config(), nil)
		if err != nil {
			t.Fatal(err)
		}
		judge(t, report)
	})
}

func TestTruthPasses(t *testing.T) {
	verified(t, nil, func(t *testing.T, r Report) {
		for _, c := range r.Missing() {
			t.Errorf("%s is %s: asked %s, got %s", c.Name(), c.State, c.Asked, c.Got)
		}
		if !r.OK || len(r.Order) != 32 || len(r.Run) != 8 {
			t.Errorf("report %+v", r)
		}
		if want := len(arrivals()) + len(absences()); len(r.Cells) != want {
			t.Errorf("%d cells, want %d", len(r.Cells), want)
		}
		for _, c := range r.Cells {
			if c.Asked == "" || c.Got == "" {
				t.Errorf("%s says not what was asked (%q) or what came back (%q)", c.Name(), c.Asked, c.Got)
			}
		}
	})
}

// Late telemetry is waited for.
func TestLateTelemetryIsWaitedFor(t *testing.T) {
	lie := func(w *world) {
		ready := time.Now().Add(8 * time.Second)
		w.intercept = func(host string, rw http.ResponseWriter, _ *http.Request) bool {
			late := (host == "tempo" || host == "loki") && time.Now().Before(ready)
			if late {
				http.Error(rw, "starting", http.StatusServiceUnavailable)
			}
			return late
		}
	}
	verified(t, lie, func(t *testing.T, r Report) {
		if !r.OK || r.Seconds < 8 || r.Seconds > 13 {
			t.Errorf("OK %v after %v s, want true after 8 s; missing %v", r.OK, r.Seconds, names(r))
		}
	})
}

func names(r Report) []string {
	var all []string
	for _, c := range r.Missing() {
		all = append(all, c.Name())
	}
	return all
}

// Each lie must be detected, and only the cells that it affects may be missing. A name that ends in * stands
// for several cells.
func TestLiesAreFoundOut(t *testing.T) {
	muted := func(signal, service string) func(*world) {
		return func(w *world) { w.mute = func(a, b string) bool { return a == signal && b == service } }
	}
	for _, tc := range []struct {
		name string
		lie  func(*world)
		want []string
	}{
		{"a service sends no logs", muted("logs", payments), []string{"services / payments / logs", "links / trace → exactly its log lines / holds"}},
		{"a worker sends no logs", muted("logs", shipping), []string{"services / shipping / logs", "links / trace → exactly its log lines / holds"}},
		{"a service counts nothing", muted("metrics", catalog), []string{"services / catalog / metrics"}},
		{"the gateway's counters stand still", muted("metrics", gateway), []string{"services / gateway / metrics"}},
		{"a worker's counters stand still", muted("metrics", shipping), []string{"services / shipping / metrics"}},
		{"a service sends no spans", muted("traces", catalog), []string{
			"services / catalog / traces", "edges / gateway → catalog / *", "edges / orders → catalog / *",
			"links / catalog exemplar → trace / holds", "stack / span metrics count the run / holds"}},
		{"the trace ends at the broker", muted("traces", shipping), []string{
			"services / shipping / traces", "edges / orders → shipping / *", "edges / shipping → orders / *",
			"links / shipping exemplar → trace / holds", "links / one TraceQL query: gateway >> shipping / holds", "stack / span metrics count the run / holds"}},
		{"exemplars of an earlier run only", muted("exemplars", orders), []string{"links / orders exemplar → trace / holds"}},
		{"the bank is no edge of the graph", func(w *world) {
			w.noGraph = func(_, server string) bool { return server == bank }
		}, []string{"edges / payments → bank / graph"}},
		{"the queue is no edge of the graph", func(w *world) {
			w.noGraph = func(client, server string) bool { return client == orders && server == shipping }
		}, []string{"edges / orders → shipping / graph"}},
		{"the generator counts an earlier run's spans only now", func(w *world) {
			old := strings.Repeat("e", 32)
			w.staleGenerator = old
			for _, s := range services() {
				w.spans[old] = append(w.spans[old], &spanOf{s, &tracev1.Span{
					TraceId: unhex(old), SpanId: unhex("00000000000000ee"), Kind: tracev1.Span_SPAN_KIND_CLIENT,
					StartTimeUnixNano: uint64(time.Now().Add(-time.Minute).UnixNano()), Attributes: []*commonv1.KeyValue{keyValue("peer.service", bank)},
				}})
			}
		}, []string{"edges / * / graph", "stack / span metrics count the run / holds"}},
		{"the consumer is no child of the producer", func(w *world) {
			w.editSpan = func(s *spanOf) {
				if s.Kind == tracev1.Span_SPAN_KIND_CONSUMER {
					s.ParentSpanId = unhex("00000000000000ff")
				}
			}
		}, []string{"edges / orders → shipping / *"}},
		{"the bank's name is not told", func(w *world) {
			w.editSpan = func(s *spanOf) {
				if s.service == payments && s.Kind == tracev1.Span_SPAN_KIND_CLIENT {
					s.Attributes = nil
				}
			}
		}, []string{"edges / payments → bank / *"}},
		{"the gateway begins traces of its own", func(w *world) {
			w.editSpan = func(s *spanOf) {
				if s.service == gateway && s.Kind == tracev1.Span_SPAN_KIND_SERVER {
					s.ParentSpanId = nil
				}
			}
		}, []string{"requests / * / trace"}},
		{"spans tell another status than the client saw", func(w *world) {
			w.editSpan = func(s *spanOf) {
				for _, a := range s.Attributes {
					if a.Key == "http.response.status_code" && a.Value.GetStringValue() == "404" {
						a.Value = keyValue("", "200").Value
					}
				}
			}
		}, []string{"requests / no such route / trace", "requests / another's order / trace"}},
		{"lines lack metadata", func(w *world) {
			w.editLine = func(l *lineOf) {
				if l.service == orders {
					l.metadataID = ""
				}
			}
		}, []string{"services / orders / logs", "links / trace → exactly its log lines / holds"}},
		{"one of a service's lines lacks metadata", func(w *world) {
			n := 0
			w.editLine = func(l *lineOf) {
				if l.service == orders {
					if n++; n == 2 {
						l.metadataID = ""
					}
				}
			}
		}, []string{"links / trace → exactly its log lines / holds"}},
		{"lines name another trace in their text", func(w *world) {
			w.editLine = func(l *lineOf) {
				if l.service == catalog {
					l.text = strings.ReplaceAll(l.text, l.traceID, strings.Repeat("f", 32))
				}
			}
		}, []string{"services / catalog / logs", "links / trace → exactly its log lines / holds"}},
		{"lines name a span that is not there", func(w *world) {
			w.editLine = func(l *lineOf) { l.metadataSp = "00000000000000ff" }
		}, []string{"links / log line → its trace / holds"}},
		{"problem documents name another trace", func(w *world) {
			w.traceID = func(string) string { return strings.Repeat("a", 32) }
		}, []string{
			"requests / wrong password / *", "requests / another's order / *", "requests / no token / *", "requests / sold out / *",
			"requests / declined card / *", "requests / malformed order / *", "requests / no such route / *",
			"links / another trace → none of these lines / holds"}},
		{"a target is down", func(w *world) { w.down[payments] = true }, []string{
			"services / payments / up", "stack / every scrape target is up / holds"}},
		{"the broker is not scraped", func(w *world) {
			w.scraped = func(job string) float64 {
				if job == broker {
					return -1
				}
				return 0
			}
		}, []string{"services / broker / up"}},
		{"scrapes have stopped", func(w *world) {
			w.scraped = func(job string) float64 {
				if job == catalog {
					return 3600
				}
				return 0
			}
		}, []string{"services / catalog / up", "services / catalog / metrics", "stack / every scrape target is up / holds", "stack / telemetry lost by the services: none / holds"}},
		{"a service loses lines", func(w *world) { w.dropped = 1 }, []string{"stack / telemetry lost by the services: none / holds"}},
		{"a service does not account for its losses", func(w *world) { delete(w.counters, droppedItems) }, []string{
			"stack / telemetry lost by the services: none / holds"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			verified(t, tc.lie, func(t *testing.T, r Report) { wantMissing(t, r, tc.want) })
		})
	}
}

// wantMissing checks that exactly the named cells are missing and that they say why.
func wantMissing(t *testing.T, r Report, want []string) {
	t.Helper()
	if r.OK {
		t.Error("the report says that all is well")
	}
	used := make([]bool, len(want))
	for _, c := range r.Missing() {
		i := slices.IndexFunc(want, func(pattern string) bool { return like(pattern, c.Name()) })
		if i < 0 {
			t.Errorf("%s is missing too: asked %s, got %s", c.Name(), c.Asked, c.Got)
			continue
		}
		used[i] = true
		if c.State != Missing || c.Asked == "" || c.Got == "" {
			t.Errorf("%s is %q and says not what was asked (%q) or what came back (%q)", c.Name(), c.State, c.Asked, c.Got)
		}
	}
	for i, name := range want {
		if !used[i] {
			t.Errorf("%s holds, want it missing", name)
		}
	}
}

// like reports whether a name matches a pattern. A * stands for part of a row or column.
func like(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// If a backend fails, hangs, is empty, or gives the same answer to every query, all cells that need it are
// missing.
func TestBackendsThatLie(t *testing.T) {
	ofLoki := []string{"requests / * / logs", "services / * / logs", "links / *line* / holds"}
	ofTempo := []string{"requests / * / trace", "services / * / traces", "edges / * / *", "links / * exemplar → trace / holds",
		"links / log line → its trace / holds", "links / one TraceQL query: gateway >> shipping / holds", "stack / * metrics count the run / holds"}
	ofPrometheus := []string{"services / * / up", "services / * / metrics", "edges / * / graph", "links / * exemplar → trace / holds", "stack / * / holds"}
	for _, tc := range []struct {
		name, host string
		answer     func(http.ResponseWriter, *http.Request)
		want       []string
	}{
		{"loki fails", "loki", failing, ofLoki},
		{"loki hangs", "loki", hanging, ofLoki},
		{"loki is empty", "loki", text(`{"status":"success","data":{"resultType":"streams","result":[]}}`), ofLoki},
		{"loki returns one line always", "loki", text(`{"status":"success","data":{"resultType":"streams","result":[{"stream":{"service_name":"gateway"},"values":[
			["946684800000000000","{\"trace_id\":\"0123\"}",{"structuredMetadata":{"trace_id":"0123"}}]]}]}}`), ofLoki},
		{"tempo fails", "tempo", failing, ofTempo},
		{"tempo hangs", "tempo", hanging, ofTempo},
		{"tempo is empty", "tempo", text(""), ofTempo},
		{"prometheus fails", "prometheus", failing, ofPrometheus},
		{"prometheus hangs", "prometheus", hanging, ofPrometheus},
		{"prometheus is empty", "prometheus", func(rw http.ResponseWriter, r *http.Request) {
			data := map[string]string{
				"/api/v1/query": `{"resultType":"vector","result":[]}`, "/api/v1/query_exemplars": "[]", "/api/v1/targets": `{"activeTargets":[]}`,
				"/api/v1/rules": `{"groups":[]}`, "/api/v1/alertmanagers": `{"activeAlertmanagers":[]}`,
			}[r.URL.Path]
			text(`{"status":"success","data":`+data+`}`)(rw, r)
		}, ofPrometheus},
		{"alertmanager fails", "alertmanager", failing, []string{"stack / prometheus reaches alertmanager / holds"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lie := func(w *world) {
				w.intercept = func(host string, rw http.ResponseWriter, r *http.Request) bool {
					if host == tc.host {
						tc.answer(rw, r)
					}
					return host == tc.host
				}
			}
			verified(t, lie, func(t *testing.T, r Report) {
				if tc.host == "prometheus" { // TraceQL metrics come from Tempo
					r.Cells = slices.DeleteFunc(r.Cells, func(c Cell) bool { return strings.HasPrefix(c.Row, "TraceQL metrics") })
				}
				wantMissing(t, r, tc.want)
				for _, c := range r.Cells {
					needs := slices.ContainsFunc(tc.want, func(p string) bool { return like(p, c.Name()) })
					if needs && c.State == OK {
						t.Errorf("%s holds with %s", c.Name(), c.Got)
					}
				}
				if r.Seconds > 25 {
					t.Errorf("it took %v s, with a timeout of 15 s", r.Seconds)
				}
			})
		})
	}
}

func failing(rw http.ResponseWriter, _ *http.Request) {
	http.Error(rw, "boom", http.StatusInternalServerError)
}

func hanging(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func text(body string) func(http.ResponseWriter, *http.Request) {
	return func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(body)) }
}

// Without a gateway, no cell that depends on requests may hold.
func TestNoGateway(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){"fails": failing, "hangs": hanging} {
		t.Run(name, func(t *testing.T) {
			lie := func(w *world) {
				w.intercept = func(host string, rw http.ResponseWriter, r *http.Request) bool {
					if host == gateway {
						answer(rw, r)
					}
					return host == gateway
				}
			}
			verified(t, lie, func(t *testing.T, r Report) {
				for _, c := range r.Cells {
					free := c.Column == "up" || c.Group == "stack" && !strings.Contains(c.Row, "count the run")
					if !free && c.State == OK {
						t.Errorf("%s holds with %s", c.Name(), c.Got)
					}
					if free && c.State != OK {
						t.Errorf("%s is %s with %s", c.Name(), c.State, c.Got)
					}
				}
			})
		})
	}
}

// On Ctrl-C the run ends at once, and undecided cells do not count as ok.
func TestInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.intercept = func(host string, rw http.ResponseWriter, r *http.Request) bool {
			if host == "loki" {
				hanging(rw, r)
			}
			return host == "loki"
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(4*time.Second, cancel)
		r, err := Run(ctx, w.config(), nil)
		if err != nil || r.OK || r.Seconds > 4.1 {
			t.Errorf("OK %v after %v s, %v; want false after 4 s", r.OK, r.Seconds, err)
		}
		for _, c := range r.Cells {
			if c.State == Waiting {
				t.Errorf("%s is still %s", c.Name(), c.State)
			}
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	good := newWorld().config()
	for name, spoil := range map[string]func(*Config){
		"gateway":      func(c *Config) { c.Gateway = "127.0.0.1:8000" },
		"prometheus":   func(c *Config) { c.Prometheus = "" },
		"loki":         func(c *Config) { c.Loki = "ftp://loki" },
		"tempo":        func(c *Config) { c.Tempo = "tempo" },
		"alertmanager": func(c *Config) { c.Alertmanager = "http://" },
		"timeout":      func(c *Config) { c.Timeout = -time.Second },
	} {
		cfg := good
		spoil(&cfg)
		_, err := Run(t.Context(), cfg, nil)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v does not name it", name, err)
		}
	}
}
