package kinds

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// required are the parameters that kinds cannot do without.
var required = map[string]map[string]any{
	"latency": {"median": "1ms"},
	"reroute": {"from": "127.0.0.1:1", "to": "127.0.0.1:2"},
}

func TestKindsAreWellDescribed(t *testing.T) {
	services := []string{"bank", "broker", "catalog", "gateway", "orders", "payments", "shipping"}
	var names []string
	for _, k := range All() {
		names = append(names, k.Name)
		if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(k.Name) || len(k.Doc) < 80 || !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s: its name or doc is not fit to print", k.Name)
		}
		for _, service := range k.Services {
			if !slices.Contains(services, service) {
				t.Errorf("%s: there is no service %q", k.Name, service)
			}
		}
		for _, p := range k.Params {
			checkParam(t, k, p)
		}
		if err := k.Check(required[k.Name]); err != nil {
			t.Errorf("defaults: %v", err)
		}
		if err := k.Check(map[string]any{"colour": 1}); err == nil {
			t.Errorf("%s takes a parameter that it does not have", k.Name)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("kinds %v: want them sorted, each once", names)
	}
}

func checkParam(t *testing.T, k Kind, p Param) {
	t.Helper()
	if p.Doc == "" || p.Name == "" || p.Type == "" {
		t.Errorf("%s: parameter %+v is not described", k.Name, p)
	}
	if _, given := required[k.Name][p.Name]; (p.Default == nil) != given {
		t.Errorf("%s: parameter %q has default %v", k.Name, p.Name, p.Default)
	}
	if (p.Type == Number || p.Type == Duration) && p.Min >= p.Max {
		t.Errorf("%s: parameter %q is %v to %v", k.Name, p.Name, p.Min, p.Max)
	}
}

func TestOf(t *testing.T) {
	if k, err := Of("latency"); err != nil || k.Name != "latency" {
		t.Errorf("got %q, %v", k.Name, err)
	}
	if _, err := Of("gremlins"); err == nil || !strings.Contains(err.Error(), `kind "gremlins"`) || !strings.Contains(err.Error(), "cpu_burn") {
		t.Errorf("got %v: want an error that lists the kinds", err)
	}
}

func TestShownBy(t *testing.T) {
	for kind, want := range map[string]string{
		"unready":    "bank broker catalog gateway orders payments shipping",
		"errors":     "bank catalog gateway orders payments",
		"bad_deploy": "catalog gateway orders payments",
		"token_skew": "gateway",
	} {
		k, err := Of(kind)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, service := range []string{"bank", "broker", "catalog", "gateway", "orders", "payments", "shipping"} {
			if k.ShownBy(service) {
				got = append(got, service)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is shown by %v, want %s", kind, got, want)
		}
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		kind   string
		params map[string]any
		want   string // in the error; "" for none
	}{
		{"errors", map[string]any{"ratio": 0.02, "status": 503.0, "route": "POST /orders"}, ""},
		{"errors", map[string]any{"ratio": 1, "status": uint64(503)}, ""}, // as YAML has them
		{"errors", map[string]any{"ratio": 2}, `parameter "ratio": 2: want 0 to 1`},
		{"errors", map[string]any{"ratio": "all"}, `parameter "ratio": all is not a number`},
		{"errors", map[string]any{"status": 200}, `parameter "status": 200: want one of [400 401`},
		{"errors", map[string]any{"status": 503.5}, `parameter "status": 503.5 is not a whole number`},
		{"errors", map[string]any{"code": "out-of-stock"}, ""},
		{"errors", map[string]any{"code": "lost"}, `parameter "code": there is no code "lost"`},
		{"errors", map[string]any{"route": "orders"}, `parameter "route": "orders" does not match`},
		{"errors", map[string]any{"rate": 1}, `parameter "rate" is not one of its: [ratio status code route]`},
		{"latency", nil, `parameter "median" is missing`},
		{"latency", map[string]any{"median": "2s", "distribution": "pareto", "spread": 1.2}, ""},
		{"latency", map[string]any{"median": 2}, `parameter "median": 2 is not a duration`},
		{"latency", map[string]any{"median": "2m"}, `parameter "median": 2m: want 0s to 1m0s`},
		{"latency", map[string]any{"median": "1s", "distribution": "cauchy"}, `parameter "distribution": cauchy: want one of [constant`},
		{"token_skew", map[string]any{"offset": "-1h"}, ""},
		{"bad_deploy", map[string]any{"version": "2 0"}, `parameter "version": "2 0" does not match`},
		{"bad_deploy", map[string]any{"version": 2}, `parameter "version": 2 is not a string`},
		{"reroute", map[string]any{"from": "a:1"}, `parameter "to" is missing`},
		{"reroute", map[string]any{"from": "a", "to": "b:1"}, `parameter "from": "a" does not match`},
		{"n_plus_one", map[string]any{"n": 1}, `parameter "n" is not one of its: []`},
	} {
		k, err := Of(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		err = k.Check(c.params)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %v: got %v, want %q", c.kind, c.params, err, c.want)
		}
	}
}

func TestValuesHaveDefaults(t *testing.T) {
	k, err := Of("latency")
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Values(map[string]any{"median": "250ms", "share": 0.5})
	want := Values{"distribution": "constant", "median": 250 * time.Millisecond, "spread": 0.5, "most": 30 * time.Second, "share": 0.5, "route": ""}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}
