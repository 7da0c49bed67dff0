package check

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"firedrill/deploy/stack"
	"firedrill/internal/prerequisite"
)

// chart is an official chart with our values for it.
type chart struct {
	name, release, namespace string
	dir                      string
}

// charts returns charts that the overlay "scale" has values for. Loki's module, which the native stack builds,
// contains an older version of its chart. The others are not part of this repository. They are tested if
// FIREDRILL_CHARTS names a folder into which they were pulled ("helm pull --untar").
func charts(t *testing.T) map[string]chart {
	t.Helper()
	all := map[string]chart{"loki (of the module)": {name: "loki", release: "loki", namespace: "observability", dir: lokiChart(t)}}
	if pulled := os.Getenv("FIREDRILL_CHARTS"); pulled != "" {
		for values, c := range map[string]chart{
			"loki":       {name: "loki", release: "loki", namespace: "observability"},
			"tempo":      {name: "tempo-distributed", release: "tempo", namespace: "observability"},
			"mimir":      {name: "mimir-distributed", release: "mimir", namespace: "observability"},
			"chaos-mesh": {name: "chaos-mesh", release: "chaos-mesh", namespace: "chaos-mesh"},
		} {
			c.dir = filepath.Join(pulled, c.name)
			all[values] = c
		}
	}
	return all
}

// lokiChart returns the folder of the chart in Loki's module.
func lokiChart(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/grafana/loki/v3")
	cmd.Dir = filepath.Join(root, "deploy", "stack", "monitoring")
	module, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	if len(strings.TrimSpace(string(module))) == 0 {
		prerequisite.Missing(t, "Loki's module was not downloaded: make build-stack")
	}
	return filepath.Join(strings.TrimSpace(string(module)), "production", "helm", "loki")
}

// rendered runs a test on the objects that each chart renders with our values. If only is given, it uses only
// those values.
func rendered(t *testing.T, test func(t *testing.T, values string, objects []Object), only ...string) {
	t.Helper()
	for name, c := range charts(t) {
		values, _, _ := strings.Cut(name, " ")
		if len(only) > 0 && !slices.Contains(only, values) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			objects, err := Template(c.release, c.namespace, c.dir, filepath.Join(home, "overlays", "scale", "helm", values+".yaml"), "v1.36.0")
			if err != nil {
				t.Fatal(err)
			}
			test(t, values, objects)
		})
	}
}

// The charts accept our values, and an API server would accept the objects that they render.
func TestCharts(t *testing.T) {
	d, server := decoder(t), NewServer()
	rendered(t, func(t *testing.T, values string, objects []Object) {
		pods := 0
		for _, o := range objects {
			typed, err := d.Decode(o)
			if runtime.IsNotRegisteredError(errors.Unwrap(err)) {
				continue // a kind of the cluster or of an operator, which does not depend on values
			}
			if err != nil {
				t.Error(err)
				continue
			}
			template, _ := podTemplate(typed)
			if template == nil {
				continue
			}
			pods++
			if err := server.Admit(o); err != nil {
				t.Error(err)
			}
			for _, c := range template.Spec.Containers {
				if problem := pinned(c.Image); problem != "" {
					t.Errorf("%s: %s", o, problem)
				}
			}
		}
		if pods == 0 {
			t.Errorf("nothing of %s runs pods", values)
		}
	})
}

// Each part of Loki, Tempo and Mimir that serves requests has the resource limits in our values.
func TestChartsTakeOurLimits(t *testing.T) {
	d := decoder(t)
	rendered(t, func(t *testing.T, _ string, objects []Object) {
		for _, o := range objects {
			typed, err := d.Decode(o)
			if err != nil {
				continue
			}
			template, _ := podTemplate(typed)
			if template == nil || strings.Contains(o.GetName(), "cache") {
				continue
			}
			main := template.Spec.Containers[0]
			if limit := main.Resources.Limits[corev1.ResourceMemory]; limit.IsZero() {
				t.Errorf("%s: its container %q has no limit of memory", o, main.Name)
			}
		}
	})
}

// Loki and Tempo, the binaries of the native stack, accept the configuration that the charts render with our
// values.
func TestChartsSettingsAreGood(t *testing.T) {
	check := map[string]struct{ setting, binary, flag string }{
		"loki":  {"config.yaml", "loki", "-verify-config"},
		"tempo": {"tempo.yaml", "tempo", "-config.verify=true"},
	}
	rendered(t, func(t *testing.T, values string, objects []Object) {
		how := check[values]
		at := slices.IndexFunc(objects, func(o Object) bool {
			return o.GetKind() == "ConfigMap" && o.GetName() == values || o.GetName() == values+"-config"
		})
		if at < 0 {
			t.Fatalf("there are no settings of %s", values)
		}
		var settings corev1.ConfigMap
		if err := yaml.Unmarshal(objects[at].JSON, &settings); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "settings.yaml")
		if err := os.WriteFile(file, []byte(settings.Data[how.setting]), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), binary(t, how.binary), "-config.file="+file, how.flag).CombinedOutput()
		if err != nil || strings.Contains(string(out), "warn") {
			t.Errorf("%v\n%s", err, out)
		}
	}, slices.Collect(maps.Keys(check))...)
}

// binary returns the path of an upstream program that the native stack built.
func binary(t *testing.T, name string) string {
	t.Helper()
	tools, err := stack.Tools(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := os.Getenv("FIREDRILL_STACK_BIN")
	if dir == "" {
		dir = filepath.Join(root, ".bin", "stack")
	}
	for _, tool := range tools {
		if tool.Name == name {
			path, err := filepath.Abs(tool.Binary(dir))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(path); err != nil {
				prerequisite.Missing(t, "%s was not built: make build-stack", name)
			}
			return path
		}
	}
	t.Fatalf("the stack has no %q", name)
	return ""
}
