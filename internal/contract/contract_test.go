package contract_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"firedrill/internal/contract"
)

// registry returns a registry with a metric of each type.
func registry(t testing.TB) *prometheus.Registry {
	t.Helper()
	orders := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."}, []string{"outcome", "kind"})
	orders.WithLabelValues("ok", "web")
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "took_seconds", Help: "Time."}, []string{"route"})
	took.WithLabelValues("/")
	held := prometheus.NewGauge(prometheus.GaugeOpts{Name: "held_bytes", Help: "Memory.", ConstLabels: prometheus.Labels{"pool": "a"}})
	waits := prometheus.NewSummary(prometheus.SummaryOpts{Name: "waits", Help: "Waits."})
	unseen := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "unseen_total", Help: "Never."}, []string{"x"})
	r := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{orders, took, held, waits, unseen} {
		if err := r.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func want() contract.Contract {
	return contract.Contract{Metrics: []contract.Metric{
		{Name: "held_bytes", Type: "gauge", Unit: "bytes", Help: "Memory.", Labels: []string{"pool"}},
		{Name: "orders_total", Type: "counter", Help: "Orders.", Labels: []string{"kind", "outcome"}},
		{Name: "took_seconds", Type: "histogram", Unit: "seconds", Help: "Time.", Labels: []string{"route"}},
		{Name: "waits", Type: "summary", Help: "Waits.", Labels: []string{}},
	}}
}

func equal(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func TestDescribe(t *testing.T) {
	got, err := contract.Describe(registry(t), registry(t)) // two services with the same metrics
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want())
}

func TestDescribeRefusesWhatDoesNotAgree(t *testing.T) {
	other := prometheus.NewRegistry()
	if err := other.Register(prometheus.NewGauge(prometheus.GaugeOpts{Name: "orders_total", Help: "Others."})); err != nil {
		t.Fatal(err)
	}
	_, err := contract.Describe(registry(t), other)
	if err == nil || !strings.Contains(err.Error(), `metric "orders_total" is described in two ways`) {
		t.Errorf("error %v", err)
	}
}

func TestFileComesBackAsItWas(t *testing.T) {
	var b bytes.Buffer
	if err := want().Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := contract.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want())
}

func TestFilesBecomeOne(t *testing.T) {
	dir := t.TempDir()
	paths := make([]string, 0, 2)
	for name, part := range map[string][]contract.Metric{"a.json": want().Metrics[:1], "b.json": want().Metrics[1:]} {
		var b bytes.Buffer
		if err := (contract.Contract{Metrics: part}).Write(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	got, err := contract.ReadFiles(paths...)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want())
	if _, err := contract.ReadFiles(filepath.Join(dir, "none.json")); err == nil || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("error %v does not name the file", err)
	}
}

func TestReadIsStrict(t *testing.T) {
	const good = `{"name":"a_seconds","type":"gauge","unit":"seconds","help":"A.","labels":["x","y"]}`
	edit := func(old, with string) string { return `{"metrics":[` + strings.Replace(good, old, with, 1) + `]}` }
	tests := []struct{ name, file, want string }{
		{"good", edit("", ""), ""},
		{"unknown key", edit(`"unit"`, `"units"`), `unknown field "units"`},
		{"more", edit("", "") + "{}", "more follows"},
		{"no JSON", "metrics: []", "invalid character"},
		{"type", edit("gauge", "gauges"), `type "gauges"`},
		{"unit", edit(`"seconds"`, `"bytes"`), `unit "bytes": the name says "seconds"`},
		{"help", edit("A.", ""), "no help"},
		{"labels", edit(`,"labels":["x","y"]`, ""), "no list of labels"},
		{"name", edit("a_seconds", "a.seconds"), "the name is none of Prometheus'"},
		{"label", edit(`"x"`, `"a-b"`), `label "a-b"`},
		{"label order", edit(`"x","y"`, `"y","x"`), "want labels sorted"},
		{"label twice", edit(`"x","y"`, `"x","x"`), "once each"},
		{"le", edit(`"x","y"`, `"le"`), "le and quantile"},
		{"twice", `{"metrics":[` + good + `,` + good + `]}`, "want it before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := contract.Read(strings.NewReader(tt.file))
			if tt.want == "" {
				equal(t, err, nil)
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		series string
		labels string
		want   string
	}{
		{"orders_total", "", ""},
		{"orders_total", "outcome kind job instance", ""},
		{"orders_total", "route", `series "orders_total" has no label "route": want one of [kind outcome]`},
		{"orders_total", "le", "no label"},
		{"orders", "", `no metric has the series "orders"`},
		{"orders_total_sum", "", "no metric"},
		{"took_seconds", "route", ""}, // as a native histogram
		{"took_seconds", "le", "no label"},
		{"took_seconds_bucket", "route le", ""},
		{"took_seconds_sum", "route", ""},
		{"took_seconds_count", "route", ""},
		{"took_seconds_count", "le", "no label"},
		{"waits", "quantile", ""},
		{"waits_count", "", ""},
		{"waits_bucket", "", "no metric"},
		{"held_bytes_sum", "", "no metric"},
		{"unknown", "", "no metric"},
	}
	for _, tt := range tests {
		err := want().Check(tt.series, strings.Fields(tt.labels)...)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s{%s}: error %v, want %q", tt.series, tt.labels, err, tt.want)
		}
	}
}

func TestWithout(t *testing.T) {
	all := want()
	got := all.Without(contract.Contract{Metrics: all.Metrics[1:3]})
	equal(t, got, contract.Contract{Metrics: []contract.Metric{want().Metrics[0], want().Metrics[3]}})
	equal(t, all, want())
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	c := contract.Contract{Metrics: want().Metrics[1:2]}
	c.Metrics[0].Help = "Orders | all."
	if err := c.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	equal(t, b.String(), "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n"+
		"| `orders_total` | counter | `kind`, `outcome` | Orders \\| all. |\n")
}
