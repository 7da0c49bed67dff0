package fault

import (
	"slices"
	"strings"
	"testing"

	"firedrill/chaos/drill"
)

func TestCheck(t *testing.T) {
	injector := New(Config{
		Admins:     map[string]string{"orders": "http://a", "catalog": "http://b"},
		Wires:      map[string]map[string]string{"orders": {"payments": "c:1", "loki": "d:1"}},
		Components: []string{"orders", "loki"},
	})
	for _, tc := range []struct {
		kind, target string
		params       map[string]any
		want         string // text of the error; "" for none
	}{
		{"goroutine_leak", "orders", nil, ""},
		{"goroutine_leak", "orders", map[string]any{"limit": 3}, ""},
		{"goroutine_leak", "orders", map[string]any{"limit": 0.5}, `"limit"`},
		{"goroutine_leak", "nobody", nil, `target "nobody" of goroutine_leak: there are catalog, orders`},
		{"n_plus_one", "orders", nil, `target "orders" of n_plus_one: there are catalog`},
		{"wire_latency", "orders -> payments", map[string]any{"latency": "1s"}, ""},
		{"wire_latency", "orders -> payments", nil, `"latency" is missing`},
		{"wire_latency", "orders -> payments", map[string]any{"latency": "1s", "toxicity": 2}, `"toxicity"`},
		{"wire_latency", "orders -> payments", map[string]any{"latency": "1s", "speed": 2}, `"speed"`},
		{"wire_latency", "orders", map[string]any{"latency": "1s"}, "there are orders -> loki, orders -> payments"},
		{"wire_latency", "payments -> orders", map[string]any{"latency": "1s"}, "there are orders -> loki"},
		{"wire_slicer", "orders -> loki", map[string]any{"size": 8, "variation": 8}, `"variation"`},
		{"wire_down", "orders -> loki", map[string]any{"toxicity": 1}, `"toxicity"`},
		{"kill", "loki", nil, ""},
		{"kill", "tempo", nil, `target "tempo" of kill: there are loki, orders`},
		{"restart_loop", "loki", map[string]any{"every": "10ms"}, `"every"`},
		{"memory_limit", "loki", map[string]any{"headroom": -1}, `"headroom"`},
		{"explosion", "orders", nil, `kind "explosion": there are `},
	} {
		t.Run(tc.kind+" "+tc.want, func(t *testing.T) {
			f := drill.Fault{Kind: tc.kind, Target: tc.target, Params: tc.params}
			err := injector.Check(f)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if tc.want != "" {
				if _, err := injector.Begin(t.Context(), f, long); err == nil {
					t.Error("it can be begun though it is not well formed")
				}
			}
		})
	}
}

// TestKindsAreDescribed checks that every kind has a description, and defaults that are
// valid.
func TestKindsAreDescribed(t *testing.T) {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
		if len(k.Doc) < 60 || !strings.HasSuffix(strings.TrimSpace(k.Doc), ".") {
			t.Errorf("%s: its paragraph is %q", k.Name, k.Doc)
		}
		params := map[string]any{}
		for _, p := range k.Params {
			if p.Doc == "" {
				t.Errorf("%s: parameter %q is not described", k.Name, p.Name)
			}
			if p.Default != nil {
				params[p.Name] = p.Default
			}
		}
		if _, err := k.Values(params); err != nil && !strings.Contains(err.Error(), "is missing") {
			t.Errorf("%s refuses its own defaults: %v", k.Name, err)
		}
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("a name is taken twice: %v", names)
	}
}
