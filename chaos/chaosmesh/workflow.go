package chaosmesh

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// action is one experiment of Chaos Mesh: its kind, its spec, and the interval at which it is repeated.
type action struct {
	kind  string // such as "NetworkChaos"
	spec  any
	every time.Duration // 0: once
}

// selector selects pods.
type selector struct {
	Namespaces     []string          `yaml:"namespaces"`
	LabelSelectors map[string]string `yaml:"labelSelectors"`
}

// selected has the keys that the specs of all experiments begin with.
type selected struct {
	Mode     string   `yaml:"mode"`
	Selector selector `yaml:"selector"`
}

// all selects every pod of a component, because a fault of a component affects all its
// processes.
func (p Pods) all() selected {
	return selected{"all", selector{[]string{p.Namespace}, map[string]string{"app.kubernetes.io/name": p.Name}}}
}

// The format of workflows of Chaos Mesh.
type (
	workflow struct {
		APIVersion string       `yaml:"apiVersion"`
		Kind       string       `yaml:"kind"`
		Metadata   metadata     `yaml:"metadata"`
		Spec       workflowSpec `yaml:"spec"`
	}
	metadata struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	}
	workflowSpec struct {
		Entry     string          `yaml:"entry"`
		Templates []yaml.MapSlice `yaml:"templates"`
	}
)

// Write writes the plan as the YAML of a Workflow. Comments above it say what it does and what is missing. A plan without steps
// is an error.
func (p Plan) Write(w io.Writer) error {
	if len(p.Steps) == 0 {
		return fmt.Errorf("export drill %q: Chaos Mesh can express none of its %d faults", p.Drill.Name, len(p.Drill.Faults))
	}
	text, err := yaml.MarshalWithOptions(p.workflow(), yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("export drill %q: %w", p.Drill.Name, err)
	}
	if _, err := fmt.Fprintf(w, "%s%s", p.remarks(), text); err != nil {
		return fmt.Errorf("export drill %q: %w", p.Drill.Name, err)
	}
	return nil
}

// remarks returns the comments above the workflow.
func (p Plan) remarks() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "# "+format+"\n", args...) }
	line("%s: %s", p.Drill.Name, p.Drill.Title)
	line(`Made by "firedrill drill export --format chaos-mesh %s". It begins when it is created and ends by itself.`, p.Drill.Name)
	for _, s := range p.Steps {
		line("%s after %s for %s on %s", s.Kind, s.At, s.For, s.Target)
		if s.Differs != "" {
			line("  differs: %s", s.Differs)
		}
	}
	for _, l := range p.Lost {
		line("NOT HERE: %s on %s: %s", l.Kind, l.Target, l.Reason)
	}
	return b.String()
}

// workflow returns a workflow that runs all steps in parallel. Each step is a pause until the fault's time, then
// the experiment for the fault's length.
func (p Plan) workflow() workflow {
	var templates []yaml.MapSlice
	var sides []string
	for i, s := range p.Steps {
		name := fmt.Sprintf("%s-%d", strings.ReplaceAll(s.Kind, "_", "-"), i+1)
		chain := []string{name}
		if s.At > 0 {
			pause := name + "-waits"
			chain = []string{pause, name}
			templates = append(templates, yaml.MapSlice{
				{Key: "name", Value: pause}, {Key: "templateType", Value: "Suspend"}, {Key: "deadline", Value: s.At.String()},
			})
		}
		templates = append(templates, s.template(name), yaml.MapSlice{
			{Key: "name", Value: name + "-side"}, {Key: "templateType", Value: "Serial"}, {Key: "children", Value: chain},
		})
		sides = append(sides, name+"-side")
	}
	const entry = "drill"
	templates = append(templates, yaml.MapSlice{
		{Key: "name", Value: entry}, {Key: "templateType", Value: "Parallel"}, {Key: "children", Value: sides},
	})
	return workflow{
		"chaos-mesh.org/v1alpha1", "Workflow", metadata{"drill-" + p.Drill.Name, "shop"}, workflowSpec{entry, templates},
	}
}

// template returns the template of the step's experiment, which ends at its deadline.
func (s Step) template(name string) yaml.MapSlice {
	key := strings.ToLower(s.action.kind[:1]) + s.action.kind[1:]
	if strings.HasPrefix(s.action.kind, "HTTP") {
		key = "http" + strings.TrimPrefix(s.action.kind, "HTTP")
	}
	t := yaml.MapSlice{{Key: "name", Value: name}, {Key: "templateType", Value: s.action.kind}, {Key: "deadline", Value: s.For.String()}}
	if s.action.every == 0 {
		return append(t, yaml.MapItem{Key: key, Value: s.action.spec})
	}
	t[1].Value = "Schedule"
	return append(t, yaml.MapItem{Key: "schedule", Value: yaml.MapSlice{
		{Key: "schedule", Value: "@every " + s.action.every.String()}, {Key: "concurrencyPolicy", Value: "Allow"},
		{Key: "historyLimit", Value: 1}, {Key: "type", Value: s.action.kind}, {Key: key, Value: s.action.spec},
	}})
}
