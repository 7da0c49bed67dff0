package observe_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/observe"
	"firedrill/chaos/run"
)

// stand is a server that answers each path with a body, and records the requests.
type stand struct {
	*httptest.Server
	answers map[string]string
	asked   []string
}

func newStand(t *testing.T, answers map[string]string) *stand {
	t.Helper()
	s := &stand{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path+" "+r.Form.Encode())
		answer, known := s.answers[r.URL.Path]
		if !known {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stand) eyes(t *testing.T) *observe.Eyes {
	t.Helper()
	e, err := observe.New(observe.Config{
		Prometheus: s.URL, Loki: s.URL, Tempo: s.URL, Notifications: s.URL, Places: map[string]string{"gateway": s.URL},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func vector(values ...string) string {
	var results []string
	for i, v := range values {
		results = append(results, fmt.Sprintf(`{"metric":{"i":"%d"},"value":[1700000000,%q]}`, i, v))
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(results, ",") + `]}}`
}

func TestAsk(t *testing.T) {
	const query, find, logs = "/api/v1/query", "/api/search", "/loki/api/v1/query_range"
	for _, c := range []struct {
		name   string
		q      drill.Query
		path   string
		answer string
		want   float64
		err    string
	}{
		{"PromQL", drill.Query{Language: drill.PromQL, Text: "m"}, query, vector("2.5"), 2.5, ""},
		{"nothing", drill.Query{Language: drill.PromQL, Text: "m"}, query, vector(), 0, run.ErrNoData.Error()},
		{"too much", drill.Query{Language: drill.PromQL, Text: "m"}, query, vector("1", "2"), 0, `ask "m": 2 series came: want one, so sum or take the worst of them`},
		{"LogQL that counts", drill.Query{Language: drill.LogQL, Text: `sum(count_over_time({a="b"}[1m]))`}, "/loki/api/v1/query", vector("7"), 7, ""},
		{"LogQL that selects", drill.Query{Language: drill.LogQL, Text: `{a="b"}`}, logs,
			`{"status":"success","data":{"resultType":"streams","result":[{"stream":{"a":"b"},"values":[["1","x"],["2","y"]]}]}}`, 2, ""},
		{"TraceQL", drill.Query{Language: drill.TraceQL, Text: "{}"}, find, `{"traces":[{"traceID":"a"},{"traceID":"b"},{"traceID":"c"}]}`, 3, ""},
		{"HTTP", drill.Query{Language: drill.HTTP, Text: "GET ${gateway}/products"}, "/products", "[]", 200, ""},
		{"HTTP that fails", drill.Query{Language: drill.HTTP, Text: "GET ${gateway}/else"}, "", "", 418, ""},
		{"HTTP to nobody", drill.Query{Language: drill.HTTP, Text: "GET http://127.0.0.1:1/"}, "", "", 0, ""},
		{"HTTP to nowhere", drill.Query{Language: drill.HTTP, Text: "GET ${moon}/"}, "", "", 0, `nobody knows where "moon" is`},
		{"a backend that is away", drill.Query{Language: drill.PromQL, Text: "m"}, "", "", 0, "418"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStand(t, map[string]string{c.path: c.answer})
			got, err := s.eyes(t).Ask(t.Context(), c.q, time.Now().Add(-time.Minute), time.Now())
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v, %v; want %v, %q", got, err, c.want, c.err)
			}
			if c.path == query && !strings.Contains(s.asked[0], "lookback_delta=15") {
				t.Errorf("old samples count as new: %s", s.asked[0])
			}
		})
	}
}

// TestAskAServiceThatHangs checks that a service that hangs gives the answer 0, and that a
// cancelled query gives no answer.
func TestAskAServiceThatHangs(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	impatient := &http.Client{Timeout: 200 * time.Millisecond}
	e, err := observe.New(observe.Config{Prometheus: s.URL, Loki: s.URL, Tempo: s.URL, Client: impatient, Places: map[string]string{"gateway": s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	q := drill.Query{Language: drill.HTTP, Text: "GET ${gateway}/"}
	if _, err := e.Ask(ctx, q, time.Now(), time.Now()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("called off: %v", err)
	}
	if got, err := e.Ask(t.Context(), q, time.Now(), time.Now()); got != 0 || err != nil {
		t.Errorf("hangs: %v, %v", got, err)
	}
}

func TestActive(t *testing.T) {
	evaluated := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rules := func(groups string) string { return `{"status":"success","data":{"groups":[` + groups + `]}}` }
	group := func(interval float64, at time.Time, alerts string) string {
		return fmt.Sprintf(`{"name":"g","file":"f","interval":%v,"rules":[
			{"type":"recording","name":"r","query":"1","lastEvaluation":"2020-01-01T00:00:00Z"},
			{"type":"alerting","name":"Burn","query":"1","duration":10,"lastEvaluation":%q,"alerts":[%s]}]}`, interval, at.Format(time.RFC3339Nano), alerts)
	}
	firing := `{"state":"firing","activeAt":"2026-03-01T11:59:00Z","labels":{"alertname":"Burn","severity":"page"},"value":"1"}`
	pending := `{"state":"pending","activeAt":"2026-03-01T11:59:55Z","labels":{"alertname":"Burn","severity":"ticket"},"value":"1"}`
	s := newStand(t, map[string]string{"/api/v1/rules": rules(group(1, evaluated, firing) + "," + group(5, evaluated.Add(-8*time.Second), pending))})
	state, err := s.eyes(t).Active(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := evaluated.Add(-3 * time.Second); !state.AsOf.Equal(want) {
		t.Errorf("as of %v, want %v: when the most overdue group was due", state.AsOf, want)
	}
	if a := state.Alerts[0]; !a.Firing || a.Labels["alertname"] != "Burn" || a.Labels["severity"] != "page" || !a.Since.Equal(evaluated.Add(-50*time.Second)) {
		t.Errorf("%+v: want it to fire since 10 s after it was active", a)
	}
	if a := state.Alerts[1]; a.Firing || !a.Since.Equal(evaluated.Add(-5*time.Second)) {
		t.Errorf("%+v: want it pending", a)
	}
	s.answers["/api/v1/rules"] = rules("")
	if _, err := s.eyes(t).Active(t.Context()); !errors.Is(err, run.ErrNoData) {
		t.Errorf("without rules: %v", err)
	}
}

func TestNotified(t *testing.T) {
	s := newStand(t, map[string]string{"/notifications": `[
		{"received":"2026-03-01T12:00:05Z","status":"resolved","labels":{"alertname":"Burn"}},
		{"received":"2026-03-01T12:00:00Z","status":"firing","labels":{"alertname":"Burn"}}]`})
	got, err := s.eyes(t).Notified(t.Context(), time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC))
	if err != nil || len(got) != 2 || !got[0].Resolved || got[1].Resolved || got[1].Labels["alertname"] != "Burn" || got[1].Received.Second() != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if want := "GET /notifications limit=1000&since=2026-03-01T11%3A00%3A00Z"; s.asked[0] != want {
		t.Errorf("asked %q, want %q", s.asked[0], want)
	}
	delete(s.answers, "/notifications")
	if _, err := s.eyes(t).Notified(t.Context(), time.Now()); err == nil {
		t.Error("no error when the receiver is away")
	}
}

func TestCharts(t *testing.T) {
	s := newStand(t, map[string]string{"/api/v1/query_range": `{"status":"success","data":{"resultType":"matrix","result":[
		{"metric":{"service":"orders","slo":"availability"},"values":[[1700000000,"0.5"],[1700000001,"NaN"],[1700000002,"1"]]}]}}`})
	charts := s.eyes(t).Charts(t.Context(), time.Unix(1700000000, 0), time.Unix(1700001000, 0))
	if len(charts) != len(observe.DefaultCharts()) {
		t.Fatalf("%d charts", len(charts))
	}
	line := charts[1].Lines[0]
	if line.Name != "orders availability" || len(line.Points) != 2 || line.Points[1].Value != 1 {
		t.Errorf("%+v", line)
	}
	if !strings.Contains(s.asked[0], "step=2") {
		t.Errorf("asked %s: want a point every 2 s of 1000", s.asked[0])
	}
	delete(s.answers, "/api/v1/query_range")
	if charts := s.eyes(t).Charts(t.Context(), time.Unix(0, 0), time.Unix(9, 0)); charts[0].Error == "" || charts[0].Lines != nil {
		t.Errorf("%+v: want the error", charts[0])
	}
}
