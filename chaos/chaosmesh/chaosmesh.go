// Package chaosmesh says a drill's faults in the language of Chaos Mesh, for
// shops that run in a cluster: one Workflow that does each fault at its time,
// and in words what it does differently or cannot do at all.
//
// It must not know how drills are judged, nor talk to a cluster.
package chaosmesh

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
)

// Pods are those of one component.
type Pods struct {
	Namespace string
	Name      string // value of the label app.kubernetes.io/name
	Container string // "" where deployments differ in it
	Port      int    // of HTTP requests; 0: none
	Admin     int    // of health checks; 0: none
}

// Cluster is where the components of a shop run, by their names in drills.
type Cluster map[string]Pods

// Shop is the cluster that deploy/kubernetes describes.
func Shop() Cluster {
	c := Cluster{
		"broker":   {Namespace: "shop", Name: "broker", Container: "shop", Admin: 8106},
		"database": {Namespace: "shop", Name: "postgres"},
	}
	for i, service := range []string{"gateway", "catalog", "orders", "payments", "shipping", "bank"} {
		c[service] = Pods{Namespace: "shop", Name: service, Container: "shop", Port: 8000 + i, Admin: 8100 + i}
	}
	for _, part := range []string{"prometheus", "alertmanager", "loki", "tempo"} {
		c[part] = Pods{Namespace: "observability", Name: part}
	}
	return c
}

// Plan is what Chaos Mesh can do of a drill.
type Plan struct {
	Drill *drill.Drill
	Steps []Step
	Lost  []Lost
}

// Step is a fault that Chaos Mesh can express.
type Step struct {
	drill.Fault
	Differs string // what it does differently; "" if nothing
	action  action
}

// Lost is a fault that it cannot.
type Lost struct {
	drill.Fault
	Reason string
}

// Translate says the faults of a drill in Chaos Mesh's language. Kinds are those of faults. A fault that has no translation is
// no error, but one of Plan.Lost; a fault that is not well formed is.
func Translate(d *drill.Drill, c Cluster, known []kinds.Kind) (Plan, error) {
	plan := Plan{Drill: d}
	for _, f := range d.Faults {
		values, err := valuesOf(f, known)
		if err != nil {
			return Plan{}, fmt.Errorf("export drill %q: %w", d.Name, err)
		}
		step := Step{Fault: f}
		step.action, step.Differs, err = c.translate(f, values)
		if err != nil {
			plan.Lost = append(plan.Lost, Lost{f, err.Error()})
			continue
		}
		plan.Steps = append(plan.Steps, step)
	}
	return plan, nil
}

func valuesOf(f drill.Fault, known []kinds.Kind) (kinds.Values, error) {
	i := slices.IndexFunc(known, func(k kinds.Kind) bool { return k.Name == f.Kind })
	if i < 0 {
		return nil, fmt.Errorf("there is no kind of fault %q", f.Kind)
	}
	values, err := known[i].Values(f.Params)
	if err != nil {
		return nil, fmt.Errorf("fault %q on %q: %w", f.Kind, f.Target, err)
	}
	return values, nil
}

// translation makes the action of a fault. Its error is the reason why there is none.
type translation func(c Cluster, target string, v kinds.Values) (a action, differs string, err error)

// translations are those of all kinds that have one.
func translations() map[string]translation {
	return map[string]translation{
		"cpu_burn": cpuBurn, "memory_leak": memoryLeak,
		"errors": errorReplies, "latency": latency, "unready": unready,
		"kill": kill, "restart_loop": restartLoop, "stop": stop,
		"token_skew":   tokenSkew,
		"wire_latency": wireLatency, "wire_bandwidth": wireBandwidth, "wire_down": wireDown, "wire_timeout": wireTimeout,
	}
}

func (c Cluster) translate(f drill.Fault, v kinds.Values) (a action, differs string, err error) {
	translate, ok := translations()[f.Kind]
	if !ok {
		return action{}, "", reason(f.Kind)
	}
	return translate(c, f.Target, v)
}

// reason is why a kind without a translation has none.
func reason(kind string) error {
	switch kind {
	case "wire_reset":
		return errors.New("no experiment resets connections on one wire: HTTPChaos aborts those of all callers alike")
	case "wire_slicer":
		return errors.New("no experiment cuts data into pieces")
	case "hang":
		return errors.New("no experiment stops processes where they are: pod-failure refuses connections instead")
	case "memory_limit":
		return errors.New("a pod's limit of memory stands in its manifest: lower it there")
	case "bad_deploy":
		return errors.New("a bad version is deployed, not injected: set another image on some of the pods")
	}
	return errors.New("it happens inside the service's process, where Chaos Mesh does not reach: start the services with SHOP_FAULTS_TOKEN and ask them for it")
}

// pods are those of a component.
func (c Cluster) pods(component string) (Pods, error) {
	p, ok := c[component]
	if !ok {
		return Pods{}, fmt.Errorf("the cluster has no component %q", component)
	}
	return p, nil
}

// wire are both ends of "caller -> dependency".
func (c Cluster) wire(target string) (caller, dependency Pods, err error) {
	from, to, ok := strings.Cut(target, " -> ")
	if !ok {
		return Pods{}, Pods{}, fmt.Errorf("%q is no wire", target)
	}
	if caller, err = c.pods(from); err != nil {
		return Pods{}, Pods{}, err
	}
	dependency, err = c.pods(to)
	return caller, dependency, err
}
