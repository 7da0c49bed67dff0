package backend

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// answering starts a server that has one answer for each path, and records the last request.
func answering(t *testing.T, status int, answers map[string]string) (base string, last func() *http.Request) {
	t.Helper()
	var seen *http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		seen = r
		answer, ok := answers[r.URL.Path]
		if !ok {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() *http.Request { return seen }
}

var (
	begin = time.Unix(1700000000, 0)
	end   = time.Unix(1700000060, 0)
)

// every returns one query of each kind to each backend.
func every(t *testing.T, base string) map[string]func(context.Context) error {
	t.Helper()
	prom, err1 := NewPrometheus(base, nil)
	loki, err2 := NewLoki(base, nil)
	tempo, err3 := NewTempo(base, nil)
	alerts, err4 := NewAlertmanager(base, nil)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return map[string]func(context.Context) error{
		"prometheus|/api/v1/query|up": func(ctx context.Context) error { _, err := prom.Query(ctx, "up", end); return err },
		"prometheus|/api/v1/query_range|up": func(ctx context.Context) error {
			_, err := prom.QueryRange(ctx, "up", begin, end, time.Second)
			return err
		},
		"prometheus|/api/v1/query_exemplars|up": func(ctx context.Context) error { _, err := prom.Exemplars(ctx, "up", begin, end); return err },
		"prometheus|/api/v1/targets|":           func(ctx context.Context) error { _, err := prom.Targets(ctx); return err },
		"prometheus|/api/v1/rules|":             func(ctx context.Context) error { _, err := prom.RuleGroups(ctx); return err },
		"prometheus|/api/v1/alertmanagers|":     func(ctx context.Context) error { _, err := prom.Alertmanagers(ctx); return err },
		"loki|/loki/api/v1/query_range|{a=\"b\"}": func(ctx context.Context) error {
			_, err := loki.Lines(ctx, `{a="b"}`, begin, end, 10)
			return err
		},
		"loki|/loki/api/v1/query|sum(x)": func(ctx context.Context) error { _, err := loki.Query(ctx, "sum(x)", end); return err },
		"loki|/loki/api/v1/query_range|sum(x)": func(ctx context.Context) error {
			_, err := loki.QueryRange(ctx, "sum(x)", begin, end, time.Second)
			return err
		},
		"tempo|/api/traces/0af7|trace 0af7": func(ctx context.Context) error { _, err := tempo.Trace(ctx, "0af7"); return err },
		"tempo|/api/search|{}":              func(ctx context.Context) error { _, err := tempo.Search(ctx, "{}", begin, end, 10); return err },
		"tempo|/api/metrics/query_range|{}|rate()": func(ctx context.Context) error {
			_, err := tempo.QueryRange(ctx, "{}|rate()", begin, end, time.Second)
			return err
		},
		"alertmanager|/api/v2/alerts|": func(ctx context.Context) error { _, err := alerts.Alerts(ctx); return err },
	}
}

// Each error names the backend, the URL and the query, and says why there is no answer.
func TestErrorsNameBackendURLAndQuery(t *testing.T) {
	for _, tc := range []struct {
		name, body, want string
		status           int
	}{
		{"error of the server", "boom, said the store", "50", 500},
		{"not what was expected", "<html>a login page</html>", "", 200},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		}))
		for key, ask := range every(t, srv.URL) {
			t.Run(tc.name+" "+key, func(t *testing.T) {
				want := strings.SplitN(key, "|", 3)
				err := ask(t.Context())
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("error %v, want an *Error", err)
				}
				if e.Backend != want[0] || e.URL != srv.URL+want[1] || e.Query != want[2] {
					t.Errorf("asked %q at %q for %q, want %q at %q for %q", e.Backend, e.URL, e.Query, want[0], srv.URL+want[1], want[2])
				}
				for _, part := range []string{want[0], srv.URL + want[1], want[2], tc.want} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("error %q lacks %q", err, part)
					}
				}
			})
		}
		srv.Close()
	}
}

func TestContextEndsAQuestion(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer srv.Close()
	defer close(release)
	for key, ask := range every(t, srv.URL) {
		t.Run(key, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := ask(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want %v", err, context.Canceled)
			}
			ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := ask(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
			}
		})
	}
}

func TestBadURLs(t *testing.T) {
	for _, base := range []string{"", "127.0.0.1:9090", "localhost", "ftp://host", "http://", "http://a b", "://"} {
		if _, err := NewPrometheus(base, nil); err == nil {
			t.Errorf("NewPrometheus(%q) gives no error", base)
		} else if !strings.Contains(err.Error(), "prometheus") || !strings.Contains(err.Error(), base) {
			t.Errorf("NewPrometheus(%q): %q names not both", base, err)
		}
	}
}

func TestBasePathIsKept(t *testing.T) {
	base, last := answering(t, 200, map[string]string{"/mimir/api/v2/alerts": "[]"})
	a, err := NewAlertmanager(base+"/mimir/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Alerts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := last().URL.Path; got != "/mimir/api/v2/alerts" {
		t.Errorf("asked for %s", got)
	}
}

func wantParams(t *testing.T, got url.Values, want map[string]string) {
	t.Helper()
	for key, value := range want {
		if got.Get(key) != value {
			t.Errorf("parameter %s = %q, want %q", key, got.Get(key), value)
		}
	}
}
