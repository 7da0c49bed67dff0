package stack

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"

	"firedrill/deploy/config"
	"firedrill/internal/prerequisite"
)

// repoRoot returns the folder of the repository.
func repoRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// builtTool returns the path of an upstream program. The test is skipped if the program is not built, but never
// in CI.
func builtTool(t *testing.T, name string) string {
	t.Helper()
	tools, err := Tools(repoRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools {
		if tool.Name != name {
			continue
		}
		path := tool.Binary(cmp.Or(os.Getenv("FIREDRILL_STACK_BIN"), filepath.Join(repoRoot(t), ".bin", "stack")))
		if _, err := os.Stat(path); err == nil {
			return path
		}
		prerequisite.Missing(t, "%s is not built; \"make build-stack\" builds it", name)
	}
	t.Fatalf("no tool %q", name)
	return ""
}

func check(t *testing.T, tool string, args ...string) {
	t.Helper()
	if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %v: %v\n%.2000s", filepath.Base(tool), args, err, out)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repoRoot(t), pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files at %s: %v", pattern, err)
	}
	return files
}

func TestStackRules(t *testing.T) {
	promtool := builtTool(t, "promtool")
	check(t, promtool, append([]string{"check", "rules"}, glob(t, "alerts/stack/*.yaml")...)...)
	check(t, promtool, append([]string{"test", "rules"}, glob(t, "alerts/stack/tests/*.yaml")...)...)
}

func TestUpstreamAcceptsTheSettings(t *testing.T) {
	k, p := sampleStack(t)
	k.Root = repoRoot(t)
	if err := os.MkdirAll(k.runDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := k.render(p); err != nil {
		t.Fatal(err)
	}
	setting := func(name string) string { return filepath.Join(k.configDir(), name) }
	check(t, builtTool(t, "promtool"), "check", "config", setting("prometheus.yaml"))
	check(t, builtTool(t, "amtool"), "check-config", setting("alertmanager.yaml"))
	check(t, builtTool(t, "loki"), "-config.file="+setting("loki.yaml"), "-verify-config")
	check(t, builtTool(t, "tempo"), "-config.file="+setting("tempo.yaml"), "-config.verify=true")
	check(t, builtTool(t, "process-compose"), "--dry-run", "--config", k.composePath(), "--log-file", filepath.Join(k.Data, "pc.log"))
	if len(config.Names()) != 4 {
		t.Errorf("settings %v: one of them is not checked here", config.Names())
	}
}

// Every alert names a runbook, and the runbook exists.
func TestAlertsHaveRunbooks(t *testing.T) {
	type rule struct {
		Record      string
		Alert       string
		Labels      map[string]string
		Annotations map[string]string
	}
	for _, path := range glob(t, "alerts/stack/*.yaml") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Groups []struct{ Rules []rule } }
		if err := yaml.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for _, group := range file.Groups {
			for _, r := range group.Rules {
				if r.Record != "" {
					continue
				}
				if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
					t.Errorf("%s lacks severity, summary or description", r.Alert)
				}
				if want := "docs/runbooks/" + r.Alert + ".md"; r.Annotations["runbook"] != want {
					t.Errorf("runbook of %s is %q, want %q", r.Alert, r.Annotations["runbook"], want)
				}
				if _, err := os.Stat(filepath.Join(repoRoot(t), r.Annotations["runbook"])); err != nil {
					t.Errorf("runbook of %s: %v", r.Alert, err)
				}
			}
		}
	}
}
