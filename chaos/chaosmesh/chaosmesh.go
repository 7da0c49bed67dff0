// Package chaosmesh translates the faults of a drill to Chaos Mesh, for shops that run in a
// cluster. The translation is one Workflow that begins each fault at its time. Remarks say
// what Chaos Mesh does differently and what it cannot do.
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
	"firedrill/internal/topology"
)

// Pods describes the pods of one component.
type Pods struct {
	Namespace string
	Name      string // value of the label app.kubernetes.io/name
	Container string // "" if deployments have different container names
	Port      int    // port for HTTP requests; 0: none
	Admin     int    // port for health checks; 0: none
}

// Cluster maps the components of a shop, by their names in drills, to their pods.
type Cluster map[string]Pods

// Shop returns the cluster that deploy/kubernetes describes.
func Shop() Cluster {
	c := Cluster{
		"database": {Namespace: "shop", Name: "postgres"},
	}
	for _, s := range topology.Services() {
		pods := Pods{Namespace: "shop", Name: s.Name, Container: "shop", Port: s.Port, Admin: s.Admin}
		if s.Name == topology.Broker {
			pods.Port = 0 // the broker does not use HTTP
		}
		c[s.Name] = pods
	}
	for _, part := range []string{"prometheus", "alertmanager", "loki", "tempo"} {
		c[part] = Pods{Namespace: "observability", Name: part}
	}
	return c
}

// Plan is the translation of a drill.
type Plan struct {
	Drill *drill.Drill
	Steps []Step
	Lost  []Lost
}

// Step is a fault that Chaos Mesh can inject.
type Step struct {
	drill.Fault
	Differs string // what Chaos Mesh does differently; "" if nothing
	action  action
}

// Lost is a fault that Chaos Mesh cannot inject.
type Lost struct {
	drill.Fault
	Reason string
}

// Translate translates the faults of a drill. known has the kinds of faults. A fault without a translation is no error, but is
// listed in Plan.Lost. A fault that is not well formed is an error.
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

// translation returns the action for a fault. Its error is the reason why there is none.
type translation func(c Cluster, target string, v kinds.Values) (a action, differs string, err error)

// translations returns the translation of each kind that has one.
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

// reason returns why a kind has no translation.
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

// pods returns the pods of a component.
func (c Cluster) pods(component string) (Pods, error) {
	p, ok := c[component]
	if !ok {
		return Pods{}, fmt.Errorf("the cluster has no component %q", component)
	}
	return p, nil
}

// wire returns the pods at both ends of "caller -> dependency".
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
