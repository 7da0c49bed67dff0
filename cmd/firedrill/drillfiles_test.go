package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/chaos/drill"
	"firedrill/chaos/session"
	"firedrill/internal/contract"
	"firedrill/loadgen/profile"
)

// known holds the names that a drill may use.
type known struct {
	target  drillTarget
	schema  *jsonschema.Schema
	metrics contract.Contract
	series  map[string]bool // series that rules record
	alerts  map[string]bool
}

func readKnown(t *testing.T) known {
	t.Helper()
	k := known{target: drillsAt(t, 0), series: map[string]bool{}, alerts: map[string]bool{}}
	root := k.target.Root
	var err error
	if k.schema, err = jsonschema.NewCompiler().Compile(filepath.Join(root, "chaos", "drill.schema.json")); err != nil {
		t.Fatal(err)
	}
	if k.metrics, err = contract.ReadFiles(root+"/telemetry/metrics.json", root+"/apps/metrics.json", root+"/dashboards/contracts/traces.json"); err != nil {
		t.Fatal(err)
	}
	specs, err := slo.LoadAll(specsDir(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		f, err := rules.Build(spec, rules.Options{Policy: slo.Default(), Clock: slo.Workshop()})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				k.series[r.Record], k.alerts[r.Alert] = true, true
			}
		}
	}
	runbooks, err := filepath.Glob(root + "/docs/runbooks/*.md") // one per alert, with those of the stack
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range runbooks {
		k.alerts[strings.TrimSuffix(filepath.Base(file), ".md")] = true
	}
	return k
}

// Every drill of the repository uses only names that exist, and does not reveal its answer.
func TestShippedDrills(t *testing.T) {
	k := readKnown(t)
	drills, err := k.target.drills()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drills {
		t.Run(d.Name, func(t *testing.T) {
			for _, problem := range slices.Concat(k.file(d), k.refersTo(d), k.queries(d), teaches(d)) {
				t.Error(problem)
			}
		})
	}
}

// file checks that a drill's file names the schema for editors, and that it conforms to the schema.
func (k known) file(d *drill.Drill) (problems []string) {
	text, err := os.ReadFile(d.File)
	if err != nil {
		return []string{err.Error()}
	}
	if !bytes.HasPrefix(text, []byte("# yaml-language-server: $schema=../drill.schema.json\n")) {
		problems = append(problems, "its first line does not name the schema")
	}
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return append(problems, err.Error())
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err == nil {
		err = k.schema.Validate(value)
	}
	if err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}

// refersTo returns the alerts, runbooks, profiles and places of a drill that do not exist.
func (k known) refersTo(d *drill.Drill) (problems []string) {
	patterns := slices.Concat(d.Expect.May, d.Expect.MustNotFire)
	for _, a := range d.Expect.Alerts {
		patterns = append(patterns, a.AlertPattern)
	}
	for _, p := range patterns {
		if !k.alerts[p.Alert] {
			problems = append(problems, fmt.Sprintf("there is no alert %q", p.Alert))
		}
	}
	if _, err := os.Stat(filepath.Join(k.target.Root, d.Runbook)); d.Runbook != "" && err != nil {
		problems = append(problems, "runbook: "+err.Error())
	}
	if d.Load.Profile != "" {
		args := k.target.load(context.Background(), session.LoadOrder{Spec: d.Load}).Args
		path := args[len(args)-1]
		if _, err := profile.Load(path, profile.Options{Shop: "http://127.0.0.1:8000", Steady: d.Load.Rate}); err != nil {
			problems = append(problems, "load: "+err.Error())
		}
	}
	places := k.target.places()
	for _, p := range d.Hypothesis {
		if _, rest, ok := strings.Cut(p.Text, "${"); ok && p.Language == drill.HTTP {
			if name, _, _ := strings.Cut(rest, "}"); places[name] == "" {
				problems = append(problems, fmt.Sprintf("probe %q: nobody knows where ${%s} is", p.Name, name))
			}
		}
	}
	for _, service := range d.Expect.Healthy {
		if places[service+".admin"] == "" {
			problems = append(problems, fmt.Sprintf("healthy: there is no service %q", service))
		}
	}
	return problems
}

// queries checks that the PromQL of a drill uses only series of services and rules.
func (k known) queries(d *drill.Drill) (problems []string) {
	var all []string
	for _, p := range d.Hypothesis {
		if p.Language == drill.PromQL {
			all = append(all, p.Text)
		}
	}
	for _, g := range d.AbortIf {
		if g.Language == drill.PromQL {
			all = append(all, g.Text)
		}
	}
	for _, m := range d.Expect.Metrics {
		all = append(all, m.PromQL)
	}
	for _, query := range all {
		expr, err := parser.ParseExpr(query)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%q: %v", query, err))
			continue
		}
		for _, matchers := range parser.ExtractSelectors(expr) {
			var name string
			var labels []string
			for _, m := range matchers {
				if m.Name == "__name__" {
					name = m.Value
				} else {
					labels = append(labels, m.Name)
				}
			}
			if k.series[name] || name == "up" || strings.HasPrefix(name, "prometheus_") {
				continue
			}
			if err := k.metrics.Check(name, labels...); err != nil {
				problems = append(problems, fmt.Sprintf("%q: %v", query, err))
			}
		}
	}
	return problems
}

// teaches checks that a drill has what a workshop needs.
func teaches(d *drill.Drill) (problems []string) {
	if len(d.Faults) == 0 {
		return nil
	}
	if d.Answer == nil || len(d.Hints) < 2 || d.Runbook == "" {
		return []string{"a drill that breaks something has an answer, hints from vague to plain, and a runbook"}
	}
	if strings.Contains(strings.ToLower(d.Story), d.Answer.Service) {
		problems = append(problems, "the story names the service that is to be found")
	}
	// If Prometheus itself is broken, the only sign is that no data arrives.
	blind := d.Expect.Blind > drill.DefaultBlind
	if !blind && len(d.Expect.Traces)+len(d.Expect.Logs)+len(d.Expect.Metrics) == 0 {
		problems = append(problems, "no signal but alerts is expected to show the fault")
	}
	return problems
}
