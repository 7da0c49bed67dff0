package check

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	chaosmeshapi "github.com/chaos-mesh/chaos-mesh/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"firedrill/chaos/chaosmesh"
	"firedrill/chaos/drill"
	chaosfault "firedrill/chaos/fault"
)

// samples returns one fault of every kind, on a target that supports it, with values for what has no default.
func samples() []drill.Fault {
	given := map[string]map[string]any{
		"latency":        {"median": "250ms"},
		"reroute":        {"from": "a:1", "to": "b:2"},
		"wire_latency":   {"latency": "250ms"},
		"wire_bandwidth": {"rate": 100},
	}
	var all []drill.Fault
	for _, kind := range chaosfault.Kinds() {
		target := "orders"
		switch {
		case strings.HasPrefix(kind.Name, "wire_"):
			target = "orders -> payments"
		case len(kind.Services) > 0:
			target = kind.Services[0]
		}
		all = append(all, drill.Fault{At: 10 * time.Second, For: time.Minute, Kind: kind.Name, Target: target, Params: given[kind.Name]})
	}
	return all
}

// Chaos Mesh's types have every field of an exported drill, and its admission webhook accepts it.
func TestExportedDrills(t *testing.T) {
	d := decoder(t)
	expressed := 0
	for _, f := range samples() {
		t.Run(f.Kind, func(t *testing.T) {
			plan, err := chaosmesh.Translate(&drill.Drill{Name: "sample", Title: "A sample", Faults: []drill.Fault{f}}, chaosmesh.Shop(), chaosfault.Kinds())
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Lost) > 0 {
				if len(plan.Lost[0].Reason) < 20 {
					t.Errorf("it is left out with the reason %q", plan.Lost[0].Reason)
				}
				return
			}
			expressed++
			admitWorkflow(t, d, plan)
		})
	}
	if want := 13; expressed != want {
		t.Errorf("%d kinds can be exported, want %d as docs/kubernetes.md lists", expressed, want)
	}
}

// Every drill of the repository can be exported, or the export says why not.
func TestShippedDrills(t *testing.T) {
	d := decoder(t)
	drills, err := drill.LoadAll(filepath.Join(root, "chaos", "drills"), anyFault{})
	if err != nil {
		t.Fatal(err)
	}
	exported := 0
	for _, drill := range drills {
		plan, err := chaosmesh.Translate(drill, chaosmesh.Shop(), chaosfault.Kinds())
		if err != nil {
			t.Errorf("%s: %v", drill.Name, err)
			continue
		}
		if len(plan.Steps)+len(plan.Lost) != len(drill.Faults) {
			t.Errorf("%s: %d faults became %d steps and %d that are lost", drill.Name, len(drill.Faults), len(plan.Steps), len(plan.Lost))
		}
		if len(plan.Steps) > 0 {
			exported++
			admitWorkflow(t, d, plan)
		}
	}
	if exported == 0 {
		t.Error("no drill could be exported")
	}
}

// anyFault accepts every fault. The drills' own tests check them.
type anyFault struct{}

func (anyFault) Check(drill.Fault) error { return nil }

// admitWorkflow checks a plan with Chaos Mesh's own code.
func admitWorkflow(t *testing.T, d Decoder, plan chaosmesh.Plan) {
	t.Helper()
	var text strings.Builder
	if err := plan.Write(&text); err != nil {
		t.Fatal(err)
	}
	objects, err := fromYAML([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	typed, err := d.Decode(objects[0])
	if err != nil {
		t.Fatalf("%v\n%s", err, text.String())
	}
	workflow, ok := typed.(*chaosmeshapi.Workflow)
	if !ok {
		t.Fatalf("it is a %T", typed)
	}
	if err := workflow.Default(t.Context(), workflow); err != nil {
		t.Fatal(err)
	}
	if _, err := workflow.ValidateCreate(t.Context(), workflow); err != nil {
		t.Errorf("the webhook refuses it: %v\n%s", err, text.String())
	}
	experiments := 0
	for _, template := range workflow.Spec.Templates {
		embedded, kind := template.EmbedChaos, string(template.Type)
		if template.Schedule != nil {
			embedded, kind = &template.Schedule.EmbedChaos, string(template.Schedule.Type)
		}
		if embedded == nil {
			continue
		}
		experiments++
		if found := embedded.Validate(field.NewPath(template.Name), kind); len(found) > 0 {
			t.Errorf("the webhook refuses the experiment: %v\n%s", found.ToAggregate(), text.String())
		}
	}
	if experiments != len(plan.Steps) {
		t.Errorf("it has %d experiments, want %d", experiments, len(plan.Steps))
	}
}

func TestWebhookRefuses(t *testing.T) {
	bad := chaosmeshapi.EmbedChaos{NetworkChaos: &chaosmeshapi.NetworkChaosSpec{Action: chaosmeshapi.DelayAction}}
	bad.NetworkChaos.Delay = &chaosmeshapi.DelaySpec{Latency: "soon"}
	if found := bad.Validate(field.NewPath("spec"), "NetworkChaos"); !strings.Contains(fmt.Sprint(found), "soon") {
		t.Errorf("a latency of \"soon\" is found to be %v", found)
	}
}

// Experiments select pods that are in the manifests, with their containers and ports.
func TestExportedSelectorsFindPods(t *testing.T) {
	d := decoder(t)
	pods := map[string]corev1.PodTemplateSpec{}
	for _, o := range build(t, "overlays/local") {
		typed, err := d.Decode(o)
		if err != nil {
			t.Fatal(err)
		}
		if template, _ := podTemplate(typed); template != nil {
			pods[o.GetNamespace()+"/"+template.Labels[nameLabel]] = *template
		}
	}
	for component, p := range chaosmesh.Shop() {
		template, ok := pods[p.Namespace+"/"+p.Name]
		if !ok {
			t.Errorf("%s: no pod of the namespace %q has the name %q", component, p.Namespace, p.Name)
			continue
		}
		container := template.Spec.Containers[0]
		if p.Container != "" && container.Name != p.Container {
			t.Errorf("%s: its container is %q, not %q", component, container.Name, p.Container)
		}
		ports := map[string]int{}
		for _, port := range container.Ports {
			ports[port.Name] = int(port.ContainerPort)
		}
		if p.Port != 0 && ports["http"] != p.Port || p.Admin != 0 && ports["admin"] != p.Admin {
			t.Errorf("%s: its ports are %v, not %d and %d", component, ports, p.Port, p.Admin)
		}
	}
}
