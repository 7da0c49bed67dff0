package telemetrytest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
)

// Lint holds what g exposes to Prometheus' rules for metrics, and where promtool
// is at hand to its `check metrics` too.
func Lint(t testing.TB, g prometheus.Gatherer) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("metric %s: %s", p.Metric, p.Text)
	}
	promtool := findPromtool(t)
	if promtool == "" {
		t.Log("no promtool found: linted by its library only")
		return
	}
	var exposition bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&exposition, f); err != nil {
			t.Fatal(err)
		}
	}
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = &exposition
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// findPromtool looks in the folder of upstream programs, FIREDRILL_STACK_BIN or
// .bin/stack at the root of the module, and then in the path.
func findPromtool(t testing.TB) string {
	t.Helper()
	bin := os.Getenv("FIREDRILL_STACK_BIN")
	if bin == "" {
		bin = filepath.Join(moduleRoot(t), ".bin", "stack")
	}
	found, err := filepath.Glob(filepath.Join(bin, "prom*-*", "promtool"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) > 0 {
		return found[len(found)-1]
	}
	path, err := exec.LookPath("promtool")
	if err != nil && !errors.Is(err, exec.ErrNotFound) {
		t.Fatal(err)
	}
	return path
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("the test runs outside of a module")
		}
		dir = filepath.Dir(dir)
	}
}
