package notifications

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func at(second int) time.Time { return time.Date(2026, 3, 1, 12, 0, second, 0, time.UTC) }

func numbered(n int) Notification {
	return Notification{Received: at(n), Status: "firing", Labels: map[string]string{"alertname": fmt.Sprint(n)}}
}

func open(t *testing.T, path string, limits Limits) *Store {
	t.Helper()
	s, err := Open(path, limits, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func alertNames(list []Notification) []string {
	names := []string{}
	for _, n := range list {
		names = append(names, n.Labels["alertname"])
	}
	return names
}

func TestStoreLists(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "n.jsonl"), Limits{Recent: 4, RecentBytes: 1 << 20, FileBytes: 1 << 20})
	for n := 1; n <= 5; n++ {
		if err := s.Add(numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name  string
		since time.Time
		limit int
		want  []string
	}{
		{"newest first, the oldest forgotten", time.Time{}, 10, []string{"5", "4", "3", "2"}},
		{"the limit keeps the newest", time.Time{}, 2, []string{"5", "4"}},
		{"since includes its moment", at(4), 10, []string{"5", "4"}},
		{"since in the future", at(6), 10, []string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := alertNames(s.Since(tc.since, tc.limit)); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestStoreOutlivesItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.jsonl")
	s := open(t, path, DefaultLimits())
	full := Notification{
		Received: at(1), Status: "resolved", Labels: map[string]string{"alertname": "A"}, Annotations: map[string]string{"summary": "s"},
		StartsAt: at(0), EndsAt: at(1), Fingerprint: "f", GeneratorURL: "http://g",
	}
	if err := s.Add(full); err != nil {
		t.Fatal(err)
	}
	// A crash during a write.
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = file.WriteString(`{"received":"2026-`)
	_ = file.Close()

	again := open(t, path, DefaultLimits())
	if err := again.Add(numbered(2)); err != nil {
		t.Fatal(err)
	}
	third := open(t, path, DefaultLimits())
	if got, want := third.Since(time.Time{}, 10), []Notification{numbered(2), full}; !reflect.DeepEqual(got, want) {
		t.Errorf("read back %+v\nwant %+v", got, want)
	}
}

func TestStoreRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.jsonl")
	line, err := json.Marshal(numbered(1))
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Limits{Recent: 100, RecentBytes: 1 << 20, FileBytes: 2 * int64(len(line)+1)})
	for n := 1; n <= 5; n++ {
		if err := s.Add(numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	for file, want := range map[string]int{path + ".1": 2, path: 1} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(text), "\n"); got != want {
			t.Errorf("%s has %d lines, want %d", filepath.Base(file), got, want)
		}
	}
	again := open(t, path, Limits{Recent: 100, RecentBytes: 1 << 20, FileBytes: 1 << 20})
	if got, want := alertNames(again.Since(time.Time{}, 10)), []string{"5", "4", "3"}; !reflect.DeepEqual(got, want) {
		t.Errorf("both files hold %v, want %v", got, want)
	}
}

const firingAndResolved = `{"version":"4","groupKey":"{}","status":"firing","receiver":"notifications","alerts":[
	{"status":"firing","labels":{"alertname":"TargetDown","job":"orders"},"annotations":{"summary":"s"},
	 "startsAt":"2026-03-01T11:59:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p/g","fingerprint":"f1"},
	{"status":"resolved","labels":{"alertname":"TargetDown","job":"bank"},"annotations":{},
	 "startsAt":"2026-03-01T11:58:00Z","endsAt":"2026-03-01T11:59:30Z","generatorURL":"","fingerprint":"f2"}]}`

func TestHandler(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "n.jsonl"), DefaultLimits())
	registry := prometheus.NewRegistry()
	now := func() time.Time { return at(0) }
	log := slog.New(slog.DiscardHandler)
	handler, err := Handler(store, NewDeadMan(store, DefaultSilence, log), registry, now, log)
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, target, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
		return w
	}
	for _, tc := range []struct {
		name, method, target, body string
		status                     int
		want                       string // part of the answer
	}{
		{"empty at first", "GET", "/notifications", "", 200, "[]\n"},
		{"Alertmanager's message", "POST", "/webhook", firingAndResolved, 200, ""},
		{"no JSON", "POST", "/webhook", "alert!", 400, "not a message of Alertmanager"},
		{"a status nobody knows", "POST", "/webhook", `{"alerts":[{"status":"maybe"}]}`, 400, `unknown status "maybe"`},
		{"too large", "POST", "/webhook", `{"x":"` + strings.Repeat("x", maxBody) + `"}`, 400, "too large"},
		{"newest only", "GET", "/notifications?limit=1", "", 200, `"job":"bank"`},
		{"since, RFC 3339", "GET", "/notifications?since=2026-03-01T12:00:01Z", "", 200, "[]\n"},
		{"since, Unix seconds", "GET", fmt.Sprintf("/notifications?since=%d.5&limit=9", at(0).Unix()-1), "", 200, `"job":"orders"`},
		{"since nonsense", "GET", "/notifications?since=lunch", "", 400, `since "lunch"`},
		{"limit nonsense", "GET", "/notifications?limit=-1", "", 400, `limit "-1"`},
		{"wrong method", "GET", "/webhook", "", 405, ""},
		{"Watchdog of another kind", "POST", "/watchdog", "woof", 400, "not a message of Alertmanager"},
		{"health", "GET", "/healthz", "", 200, ""},
		{"metrics", "GET", "/metrics", "", 200, `notifications_received_total{status="firing"} 1`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := call(tc.method, tc.target, tc.body)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
				t.Errorf("answered %d %q, want %d with %q", w.Code, w.Body.String(), tc.status, tc.want)
			}
		})
	}

	var list []Notification
	if err := json.Unmarshal(call(http.MethodGet, "/notifications", "").Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	want := []Notification{
		{
			Received: at(0), Status: "resolved", Labels: map[string]string{"alertname": "TargetDown", "job": "bank"},
			Annotations: map[string]string{}, StartsAt: time.Date(2026, 3, 1, 11, 58, 0, 0, time.UTC),
			EndsAt: time.Date(2026, 3, 1, 11, 59, 30, 0, time.UTC), Fingerprint: "f2",
		},
		{
			Received: at(0), Status: "firing", Labels: map[string]string{"alertname": "TargetDown", "job": "orders"},
			Annotations: map[string]string{"summary": "s"}, StartsAt: time.Date(2026, 3, 1, 11, 59, 0, 0, time.UTC),
			Fingerprint: "f1", GeneratorURL: "http://p/g",
		},
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("listed %+v\nwant %+v", list, want)
	}
	expected := `
# HELP notifications_received_total Alerts in messages from Alertmanager that were kept.
# TYPE notifications_received_total counter
notifications_received_total{status="firing"} 1
notifications_received_total{status="resolved"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(expected)); err != nil {
		t.Error(err)
	}
}

// The handler returns an error for what it cannot store, so that Alertmanager sends it again.
func TestHandlerRefusesWhatItCannotKeep(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "n.jsonl"), DefaultLimits())
	log := slog.New(slog.DiscardHandler)
	handler, err := Handler(store, NewDeadMan(store, DefaultSilence, log), prometheus.NewRegistry(), time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook", strings.NewReader(firingAndResolved)))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("answered %d, want 500", w.Code)
	}
	if got := store.Since(time.Time{}, 10); len(got) != 0 {
		t.Errorf("lists %v, which is in no file", got)
	}
}
