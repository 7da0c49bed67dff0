// Package rules generates Prometheus rules for service level objectives. They record bad and total
// events, error ratios, burn rates and budgets over every window of a policy, and raise alerts on
// them. Rules are data; Write writes them in the format of Prometheus.
//
// It must not know how rules are simulated, or where they are loaded.
package rules

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"firedrill/alerts/slo"
)

// File is the content of one rules file.
type File struct {
	Groups []Group
}

// Group is a list of rules that are evaluated at the same time, one after the other. Each rule can
// read what the rules before it recorded.
type Group struct {
	Name     string
	Interval time.Duration
	Rules    []Rule
}

// Rule records a series or raises an alert. Either Record or Alert is set.
type Rule struct {
	Record, Alert string
	Expr          string
	For           time.Duration // alerts only
	KeepFiring    time.Duration // alerts only
	Labels        map[string]string
	Annotations   map[string]string // alerts only
}

// The YAML format of Prometheus rules.
type (
	fileYAML struct {
		Groups []groupYAML `yaml:"groups"`
	}
	groupYAML struct {
		Name     string     `yaml:"name"`
		Interval string     `yaml:"interval,omitempty"`
		Rules    []ruleYAML `yaml:"rules"`
	}
	ruleYAML struct {
		Record      string            `yaml:"record,omitempty"`
		Alert       string            `yaml:"alert,omitempty"`
		Expr        string            `yaml:"expr"`
		For         string            `yaml:"for,omitempty"`
		KeepFiring  string            `yaml:"keep_firing_for,omitempty"`
		Labels      map[string]string `yaml:"labels,flow,omitempty"`
		Annotations map[string]string `yaml:"annotations,omitempty"`
	}
)

// objectYAML is the YAML format of the Prometheus operator.
type objectYAML struct {
	APIVersion string       `yaml:"apiVersion"`
	Kind       string       `yaml:"kind"`
	Metadata   metadataYAML `yaml:"metadata"`
	Spec       fileYAML     `yaml:"spec"`
}

type metadataYAML struct {
	Name string `yaml:"name"`
}

// Write writes the file as YAML. remark has one or more lines and is written above it as a comment.
func (f File) Write(w io.Writer, remark string) error {
	return write(w, remark, f.yaml())
}

// WriteObject writes the file as a PrometheusRule object with a name, for the Prometheus operator.
func (f File) WriteObject(w io.Writer, remark, name string) error {
	return write(w, remark, objectYAML{"monitoring.coreos.com/v1", "PrometheusRule", metadataYAML{name}, f.yaml()})
}

func (f File) yaml() fileYAML {
	var out fileYAML
	for _, g := range f.Groups {
		group := groupYAML{Name: g.Name, Interval: formatOptional(g.Interval)}
		for _, r := range g.Rules {
			group.Rules = append(group.Rules, ruleYAML{
				Record: r.Record, Alert: r.Alert, Expr: r.Expr,
				For: formatOptional(r.For), KeepFiring: formatOptional(r.KeepFiring),
				Labels: r.Labels, Annotations: r.Annotations,
			})
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

func write(w io.Writer, remark string, out any) error {
	text, err := yaml.MarshalWithOptions(out, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(remark), "\n") {
		if _, err := fmt.Fprintln(w, strings.TrimSpace("# "+line)); err != nil {
			return fmt.Errorf("write rules: %w", err)
		}
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	return nil
}

func formatOptional(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return slo.Format(d)
}
