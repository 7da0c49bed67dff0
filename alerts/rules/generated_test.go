package rules_test

import (
	"cmp"
	"errors"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/prometheus/promql/parser"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/internal/contract"
	"firedrill/internal/golden"
	"firedrill/internal/prerequisite"
)

var update = flag.Bool("update", false, "write golden files")

const (
	root      = "../.."
	generated = root + "/alerts/generated"
)

func kit(t *testing.T) []slo.Spec {
	t.Helper()
	specs, err := slo.LoadAll(root + "/alerts/specs")
	if err != nil {
		t.Fatal(err)
	}
	return specs
}

// The committed rules match the objectives, and there are no other files.
func TestGeneratedRulesAreCurrent(t *testing.T) {
	want, err := rules.Generate(kit(t), slo.Default())
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range want {
		golden.Check(t, filepath.Join(generated, path), *update, text)
	}
	for _, pattern := range []string{"/*.yaml", "/*/*.yaml"} {
		files, err := filepath.Glob(generated + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			path, err := filepath.Rel(generated, file)
			if err != nil {
				t.Fatal(err)
			}
			if want[path] == nil {
				t.Errorf("%s belongs to no objective: \"firedrill slo generate\" removes it", path)
			}
		}
	}
}

// The committed objects for the Prometheus operator contain the same groups.
func TestGeneratedObjectsAreCurrent(t *testing.T) {
	objects, err := rules.GenerateObjects(kit(t), slo.Default())
	if err != nil {
		t.Fatal(err)
	}
	dir := root + "/deploy/kubernetes/monitoring/rules"
	for name, text := range objects {
		golden.Check(t, filepath.Join(dir, name), *update, text)
		var object struct {
			Kind     string
			Metadata struct{ Name string }
			Spec     any
		}
		var file any
		if err := errors.Join(yaml.Unmarshal(text, &object), unmarshalFile(filepath.Join(generated, "production", name), &file)); err != nil {
			t.Fatal(err)
		}
		if want := "slo-" + strings.TrimSuffix(name, ".yaml"); object.Kind != "PrometheusRule" || object.Metadata.Name != want {
			t.Errorf("%s is the %s %q, want the PrometheusRule %q", name, object.Kind, object.Metadata.Name, want)
		}
		if !reflect.DeepEqual(object.Spec, file) {
			t.Errorf("%s holds other rules than the file for production", name)
		}
	}
	files, err := filepath.Glob(dir + "/*.yaml")
	if err != nil || len(files) != len(objects) {
		t.Errorf("%d files in %s, want %d (%v)", len(files), dir, len(objects), err)
	}
}

func unmarshalFile(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return yaml.Unmarshal(text, into)
}

// One short file covers every kind of indicator, alert and label.
func TestRulesOfASpec(t *testing.T) {
	spec, err := slo.Load("testdata/spec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for file, clock := range map[string]slo.Clock{"testdata/production.yaml": slo.Production(), "testdata/workshop.yaml": slo.Workshop()} {
		text, err := rules.Render(spec, rules.Options{Policy: slo.Workbook(), Clock: clock})
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, file, *update, text)
	}
}

func TestExplanationOfASpec(t *testing.T) {
	spec, err := slo.Load("testdata/spec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, s := range spec.SLOs {
		for _, clock := range []slo.Clock{slo.Production(), slo.Workshop()} {
			e, err := rules.Explain(s, rules.Options{Policy: slo.Workbook(), Clock: clock})
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Write(&out); err != nil {
				t.Fatal(err)
			}
		}
	}
	golden.Check(t, "testdata/explanation.txt", *update, []byte(out.String()))
}

// The objectives read only metrics and labels that the shop has.
func TestObjectivesReadWhatTheShopTells(t *testing.T) {
	all, err := contract.ReadFiles(root+"/telemetry/metrics.json", root+"/apps/metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range kit(t) {
		for _, s := range spec.SLOs {
			selectors, err := s.SLI.Selectors()
			if err != nil {
				t.Fatal(err)
			}
			if len(selectors) < 2 {
				t.Errorf("%s reads %v: want bad and total events", s.ID(), selectors)
			}
			for _, read := range selectors {
				if err := all.Check(read.Metric, read.Labels...); err != nil {
					t.Errorf("%s: %v", s.ID(), err)
				}
			}
		}
	}
	if all.Check("no_such_total") == nil || all.Check("shop_orders_total", "no_such_label") == nil {
		t.Error("the contract lets everything pass")
	}
}

// Every alert has the annotations that a responder needs, and its runbook exists and is about it.
func TestEveryAlertLeadsSomewhere(t *testing.T) {
	for _, spec := range kit(t) {
		f, err := rules.Build(spec, rules.Options{Policy: slo.Default(), Clock: slo.Workshop()})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if r.Alert == "" {
					continue
				}
				for _, key := range []string{"summary", "description", "dashboard", "runbook", "traces"} {
					if r.Annotations[key] == "" {
						t.Errorf("%s of %s has no %s", r.Alert, g.Name, key)
					}
				}
				for _, key := range []string{"severity", "service", "slo", "scale", "owner"} {
					if r.Labels[key] == "" {
						t.Errorf("%s of %s has no label %s", r.Alert, g.Name, key)
					}
				}
				if want := "docs/runbooks/" + r.Alert + ".md"; r.Annotations["runbook"] != want {
					t.Errorf("runbook of %s is %s, want %s", r.Alert, r.Annotations["runbook"], want)
				}
				checkRunbook(t, r)
			}
		}
	}
}

// checkRunbook checks that the runbook's title names the alert, and that it has queries to run.
func checkRunbook(t *testing.T, r rules.Rule) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, r.Annotations["runbook"]))
	if err != nil {
		t.Errorf("runbook of %s: %v", r.Alert, err)
		return
	}
	for _, want := range []string{"# " + r.Alert + "\n", "\n## What it means\n", "\n## Where to look\n", "\n## What to do\n", "```promql\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %q", r.Annotations["runbook"], want)
		}
	}
}

// Every query of a runbook is valid PromQL over existing metrics and labels, and every link leads
// to a file.
func TestRunbooksCanBeFollowed(t *testing.T) {
	all, err := contract.ReadFiles(root+"/telemetry/metrics.json", root+"/apps/metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	recorded := recordedSeries(t)
	files, err := filepath.Glob(root + "/docs/runbooks/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("runbooks: %v (%v)", files, err)
	}
	queries := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			for query := range strings.Lines(block[1]) {
				queries++
				if err := readable(query, all, recorded); err != nil {
					t.Errorf("%s: %q: %v", filepath.Base(file), strings.TrimSpace(query), err)
				}
			}
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), link[1])); err != nil {
				t.Errorf("%s links to nothing: %v", filepath.Base(file), err)
			}
		}
	}
	if queries < 30 {
		t.Errorf("only %d queries were found", queries)
	}
}

// recordedSeries returns the names of all recorded series, from the generated rules and from
// alerts/stack.
func recordedSeries(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, spec := range kit(t) {
		f, err := rules.Build(spec, rules.Options{Policy: slo.Default(), Clock: slo.Workshop()})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				names[r.Record] = true
			}
		}
	}
	files, err := filepath.Glob(root + "/alerts/stack/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("rules of the stack: %v (%v)", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range regexp.MustCompile(`(?m)^ *- record: (\S+)$`).FindAllStringSubmatch(string(text), -1) {
			names[line[1]] = true
		}
	}
	return names
}

// readable returns an error if a query reads metrics or labels that do not exist. Prometheus's
// metrics about itself are in no contract.
func readable(query string, all contract.Contract, recorded map[string]bool) error {
	expr, err := parser.ParseExpr(query)
	if err != nil {
		return err
	}
	var errs []error
	for _, matchers := range parser.ExtractSelectors(expr) {
		var name string
		var labels []string
		for _, m := range matchers {
			if m.Name == "__name__" {
				name = m.Value
				continue
			}
			labels = append(labels, m.Name)
		}
		if name == "up" || strings.HasPrefix(name, "scrape_") || strings.HasPrefix(name, "prometheus_") || recorded[name] {
			continue
		}
		errs = append(errs, all.Check(name, labels...))
	}
	return errors.Join(errs...)
}

// promtool returns the path of the pinned Prometheus's promtool. If it is not built, the test is
// skipped, but never in CI.
func promtool(t *testing.T) string {
	t.Helper()
	bin := cmp.Or(os.Getenv("FIREDRILL_STACK_BIN"), filepath.Join(root, ".bin", "stack"))
	found, err := filepath.Glob(filepath.Join(bin, "promtool-*", "promtool"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		prerequisite.Missing(t, "promtool is not built; \"make build-stack\" builds it")
	}
	return found[len(found)-1]
}

func TestPromtoolAcceptsAllRules(t *testing.T) {
	tool := promtool(t)
	files, err := rules.Generate(kit(t), slo.Default())
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"check", "rules", "--lint=all", "--lint-fatal", "testdata/production.yaml", "testdata/workshop.yaml"}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		args = append(args, filepath.Join(generated, path))
	}
	if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, out)
	}
}

// Every file of the workshop's rules has tests in alerts/tests.
func TestPromtoolTestsAllRules(t *testing.T) {
	tool := promtool(t)
	for _, spec := range kit(t) {
		name := filepath.Base(spec.File)
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(root, "alerts", "tests", name)
			if out, err := exec.Command(tool, "test", "rules", file).CombinedOutput(); err != nil {
				t.Errorf("promtool test rules %s: %v\n%s", file, err, out)
			}
		})
	}
}
