package chaosmesh

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
)

var update = flag.Bool("update", false, "write golden files")

// known returns the kinds of the services and some of the other kinds, with the parameters that chaos/fault
// gives them.
func known() []kinds.Kind {
	toxic := []kinds.Param{
		{Name: "stream", Type: kinds.String, OneOf: []any{"downstream", "upstream"}, Default: "downstream"},
		{Name: "toxicity", Type: kinds.Number, Max: 1, Default: 1.0},
	}
	return append(kinds.All(),
		kinds.Kind{Name: "kill"}, kinds.Kind{Name: "hang"}, kinds.Kind{Name: "stop"}, kinds.Kind{Name: "wire_down"},
		kinds.Kind{Name: "restart_loop", Params: []kinds.Param{{Name: "every", Type: kinds.Duration, Max: 600, Default: "4s"}}},
		kinds.Kind{Name: "wire_latency", Params: append([]kinds.Param{
			{Name: "latency", Type: kinds.Duration, Max: 60}, {Name: "jitter", Type: kinds.Duration, Max: 60, Default: "0s"},
		}, toxic...)},
		kinds.Kind{Name: "wire_bandwidth", Params: append([]kinds.Param{{Name: "rate", Type: kinds.Integer, Min: 1, Max: 1e6}}, toxic...)},
	)
}

func translate(t *testing.T, faults ...drill.Fault) Plan {
	t.Helper()
	p, err := Translate(&drill.Drill{Name: "d", Title: "A drill", Faults: faults}, Shop(), known())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func text(t *testing.T, p Plan) string {
	t.Helper()
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWorkflow compares a workflow with every feature to a golden file: a pause, every family
// of experiments, a repetition, and remarks.
func TestWorkflow(t *testing.T) {
	got := text(t, translate(t,
		drill.Fault{At: 10 * time.Second, For: time.Minute, Kind: "wire_latency", Target: "orders -> payments", Params: map[string]any{"latency": "300ms", "jitter": "50ms"}},
		drill.Fault{For: time.Minute, Kind: "restart_loop", Target: "shipping"},
		drill.Fault{For: time.Minute, Kind: "cpu_burn", Target: "catalog", Params: map[string]any{"cores": 1.5}},
		drill.Fault{For: time.Minute, Kind: "errors", Target: "orders", Params: map[string]any{"status": 503, "route": "GET /orders/:id"}},
		drill.Fault{For: time.Minute, Kind: "token_skew", Target: "gateway"},
		drill.Fault{For: time.Minute, Kind: "hang", Target: "bank"},
	))
	const golden = "testdata/workflow.yaml"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExpressed(t *testing.T) {
	params := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	for _, tc := range []struct {
		name string
		drill.Fault
		want []string // parts of the workflow
	}{
		{"answers are delayed at their sender", drill.Fault{Kind: "wire_latency", Target: "orders -> payments", Params: params("latency", "1s")},
			[]string{"app.kubernetes.io/name: payments\n        action: delay", "latency: 1s", "jitter: 0s"}},
		{"requests at theirs", drill.Fault{Kind: "wire_latency", Target: "orders -> payments", Params: params("latency", "1s", "stream", "upstream")},
			[]string{"app.kubernetes.io/name: orders\n        action: delay"}},
		{"a database", drill.Fault{Kind: "wire_down", Target: "orders -> database"}, []string{"action: partition", "app.kubernetes.io/name: postgres"}},
		{"another namespace", drill.Fault{Kind: "wire_down", Target: "orders -> loki"}, []string{"- observability", "app.kubernetes.io/name: loki"}},
		{"kilobytes", drill.Fault{Kind: "wire_bandwidth", Target: "gateway -> catalog", Params: params("rate", 20)}, []string{"rate: 20kbps"}},
		{"a service's container", drill.Fault{Kind: "kill", Target: "bank"}, []string{"action: container-kill", "containerNames: [shop]"}},
		{"a backend's pod", drill.Fault{Kind: "kill", Target: "tempo"}, []string{"action: pod-kill"}},
		{"down for a while", drill.Fault{Kind: "stop", Target: "prometheus"}, []string{"action: pod-failure"}},
		{"a share of a core", drill.Fault{Kind: "cpu_burn", Target: "catalog", Params: params("cores", 0.25)}, []string{"workers: 1", "load: 25"}},
		{"memory", drill.Fault{Kind: "memory_leak", Target: "catalog", Params: params("limit", 5e6)}, []string{"size: 5MB"}},
		{"the kubelet's check", drill.Fault{Kind: "unready", Target: "catalog"}, []string{"port: 8101", "path: /readyz", "code: 503"}},
		{"requests that wait", drill.Fault{Kind: "latency", Target: "catalog", Params: params("median", "80ms")}, []string{"target: Request", "delay: 80ms", `path: "*"`}},
		{"for a time that is drawn", drill.Fault{Kind: "latency", Target: "bank", Params: params("median", "1s", "distribution", "lognormal")},
			[]string{"delay: 1s", "all wait for the median, where the fault draws from a lognormal distribution"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.For = time.Minute
			p := translate(t, tc.Fault)
			if len(p.Lost) > 0 {
				t.Fatalf("lost: %s", p.Lost[0].Reason)
			}
			got := text(t, p)
			for _, want := range tc.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

func TestLost(t *testing.T) {
	for _, tc := range []struct {
		kind, target string
		params       map[string]any
		want         string
	}{
		{"hang", "bank", nil, "stops processes where they are"},
		{"slow_query", "orders", nil, "SHOP_FAULTS_TOKEN"},
		{"bad_deploy", "orders", nil, "another image"},
		{"errors", "orders", map[string]any{"ratio": 0.02}, "not a share of them (ratio is 0.02)"},
		{"latency", "orders", map[string]any{"median": "1s", "share": 0.1}, "not a share of them (share is 0.1)"},
		{"wire_latency", "orders -> payments", map[string]any{"latency": "1s", "toxicity": 0.5}, "no toxicity below 1"},
		{"kill", "notifications", nil, `no component "notifications"`},
		{"unready", "database", nil, "database has no admin listener"},
		{"token_skew", "gateway", map[string]any{"offset": "0s"}, "moves no clock"},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			p := translate(t, drill.Fault{For: time.Minute, Kind: tc.kind, Target: tc.target, Params: tc.params})
			if len(p.Steps) != 0 || len(p.Lost) != 1 || !strings.Contains(p.Lost[0].Reason, tc.want) {
				t.Errorf("steps %v, lost %v, want %q", p.Steps, p.Lost, tc.want)
			}
			if err := p.Write(&strings.Builder{}); err == nil || !strings.Contains(err.Error(), "none of its 1 faults") {
				t.Errorf("written with error %v", err)
			}
		})
	}
}

func TestBadFaults(t *testing.T) {
	for kind, want := range map[string]string{"nonsense": `no kind of fault "nonsense"`, "latency": `parameter "median" is missing`} {
		_, err := Translate(&drill.Drill{Name: "d", Faults: []drill.Fault{{Kind: kind, Target: "orders"}}}, Shop(), known())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", kind, err, want)
		}
	}
}
