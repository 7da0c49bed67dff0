package capacity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry/telemetrytest"
)

// program simulates a program with a limited rate, and its load. It answers requests for its metrics without a
// network.
type program struct {
	most       float64 // units per second that it can take
	weak       float64 // units per second that its load can send; 0 for no limit
	status     int     // of its answers; 0 means 200
	rate       float64
	since      time.Time
	sent, took float64
	closed     bool
}

func (p *program) catchUp() {
	seconds := time.Since(p.since).Seconds()
	p.since = time.Now()
	sending := p.rate
	if p.weak > 0 {
		sending = min(sending, p.weak)
	}
	p.sent += sending * seconds
	p.took += min(sending, p.most) * seconds
}

func (p *program) Set(_ context.Context, rate float64) error {
	p.catchUp()
	p.rate = rate
	return nil
}

func (p *program) Sent() float64 {
	p.catchUp()
	return p.sent
}

func (p *program) Close() error { p.closed = true; return nil }

func (p *program) RoundTrip(*http.Request) (*http.Response, error) {
	p.catchUp()
	w := httptest.NewRecorder()
	w.WriteHeader(cmp.Or(p.status, http.StatusOK))
	fmt.Fprintf(w, "# TYPE taken_total counter\ntaken_total{kind=\"a\"} %f\ntaken_total{kind=\"b\"} %f\n", p.took/2, p.took/2)
	fmt.Fprintf(w, "# TYPE taken_bytes_total counter\ntaken_bytes_total %f\n", 100*p.took)
	fmt.Fprintf(w, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %f\n", p.took/1000)
	fmt.Fprintf(w, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %f\n", 1e6+p.rate)
	return w.Result(), nil
}

// run runs a ramp on simulated time.
func run(t *testing.T, p *program) (l Limit, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p.since = time.Now()
		l, err = Ramp{
			Program: "loki", Unit: "u/s", Client: &http.Client{Transport: p}, Metrics: "http://loki/metrics",
			Count: []string{"absent_total", "taken_total"}, Bytes: "taken_bytes_total",
			Rates: []float64{1000, 2000, 4000, 8000}, Settle: time.Second, Watch: 10 * time.Second, Drive: p, Told: func(Step) {},
		}.Run(t.Context())
	})
	if !p.closed {
		t.Error("the load is still on")
	}
	return l, err
}

func TestRampEndsWhereAProgramGivesOut(t *testing.T) {
	l, err := run(t, &program{most: 3000})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Steps) != 4 || l.End != "of 4000 u/s it took 3000" {
		t.Fatalf("limit %+v", l)
	}
	want := Step{Intended: 2000, Sent: 2000, Achieved: 2000, Bytes: 200e3, Cores: 2, RSS: 1e6 + 2000}
	if got := l.Highest(); got != want {
		t.Errorf("at its highest %+v, want %+v", got, want)
	}
	if per := l.PerCore(); per != 1000 {
		t.Errorf("a core is good for %v, want 1000", per)
	}
}

func TestRampHeldToItsEnd(t *testing.T) {
	l, err := run(t, &program{most: 1e9})
	if err != nil || len(l.Steps) != 5 || l.End != "held the last rate of the ramp" {
		t.Errorf("limit %+v, %v", l, err)
	}
}

func TestRampSaysWhenTheLoadIsTheLimit(t *testing.T) {
	l, err := run(t, &program{most: 1e9, weak: 1500})
	if err != nil || len(l.Steps) != 2 || l.Highest().Intended != 1000 || l.End != "the load could send no more than 1500 u/s" {
		t.Errorf("limit %+v, %v", l, err)
	}
}

func TestRampOnABusyMachine(t *testing.T) {
	for name, p := range map[string]*program{"no load": {most: 1e9, weak: 10}, "nothing held": {most: 10}} {
		if _, err := run(t, p); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: error %v, want ErrBusy", name, err)
		}
	}
}

func TestRampTellsWhatIsWrongWithTheProgram(t *testing.T) {
	if _, err := run(t, &program{status: http.StatusNotFound}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("error %v, want one with the status", err)
	}
}

// requestLines counts the lines of requests. The telemetry library logs its start too.
func requestLines(lines []telemetrytest.Line) int {
	n := 0
	for _, line := range lines {
		if strings.Contains(fmt.Sprint(line), "request served") {
			n++
		}
	}
	return n
}

// Everything that is sent arrives, in the same form as the shop's own telemetry.
func TestSignalsArrive(t *testing.T) {
	backend := telemetrytest.NewBackend(t)
	for name, tc := range map[string]struct {
		drive   func() (Drive, error)
		arrived func() int
	}{
		"lines": {func() (Drive, error) { return Lines(t.Context(), backend.URL) }, func() int { return requestLines(backend.Lines()) }},
		"spans": {func() (Drive, error) { return Spans(t.Context(), backend.GRPC(t)) }, func() int { return len(backend.Spans()) }},
	} {
		t.Run(name, func(t *testing.T) {
			drive, err := tc.drive()
			if err != nil {
				t.Fatal(err)
			}
			if err := drive.Set(t.Context(), 1000); err != nil {
				t.Fatal(err)
			}
			machinetest.Eventually(t, "100 are sent", func() bool { return drive.Sent() >= 100 })
			if err := drive.Close(); err != nil { // sends the rest
				t.Fatal(err)
			}
			if sent := int(drive.Sent()); tc.arrived() != sent {
				t.Errorf("%d of %d arrived", tc.arrived(), sent)
			}
		})
	}
}

func TestSamplesAnnouncesTargets(t *testing.T) {
	folder := t.TempDir()
	drive, err := Samples(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := drive.Set(t.Context(), 3*seriesPerTarget); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Targets []string
		Labels  map[string]string
	}
	if err := json.Unmarshal(text, &groups); err != nil || len(groups) != 3 || groups[2].Labels["instance"] != "ramp-2" {
		t.Fatalf("targets %s, %v", text, err)
	}
	resp, err := http.Get("http://" + groups[0].Targets[0] + groups[0].Labels["__metrics_path__"])
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	resp.Body.Close()
	if n := len(families["ramp_events_total"].GetMetric()); err != nil || n != seriesPerTarget {
		t.Errorf("a target has %d series (%v), want %d", n, err, seriesPerTarget)
	}
	if err := drive.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
