package chaosmesh

import (
	"errors"
	"fmt"
	"math"

	"firedrill/apps/fault/kinds"
)

// podSpec is the spec of a PodChaos, which affects whole pods.
type podSpec struct {
	selected       `yaml:",inline"`
	Action         string   `yaml:"action"`
	ContainerNames []string `yaml:"containerNames,flow,omitempty"`
}

func (p Pods) kill() (a action, differs string) {
	if p.Container == "" {
		return action{kind: "PodChaos", spec: podSpec{selected: p.all(), Action: "pod-kill"}}, "pods are replaced, which takes longer than a restart"
	}
	return action{kind: "PodChaos", spec: podSpec{selected: p.all(), Action: "container-kill", ContainerNames: []string{p.Container}}}, ""
}

func kill(c Cluster, target string, _ kinds.Values) (action, string, error) {
	p, err := c.pods(target)
	if err != nil {
		return action{}, "", err
	}
	a, differs := p.kill()
	return a, differs, nil
}

func restartLoop(c Cluster, target string, v kinds.Values) (action, string, error) {
	p, err := c.pods(target)
	if err != nil {
		return action{}, "", err
	}
	a, _ := p.kill()
	a.every = v.Duration("every")
	return a, "the kubelet waits longer before each restart, up to five minutes", nil
}

func stop(c Cluster, target string, _ kinds.Values) (action, string, error) {
	p, err := c.pods(target)
	if err != nil {
		return action{}, "", err
	}
	return action{kind: "PodChaos", spec: podSpec{selected: p.all(), Action: "pod-failure"}}, "the process is replaced by one that does nothing", nil
}

// stressSpec is the spec of a StressChaos, which runs a load beside the process, in the
// cgroup of the pod.
type stressSpec struct {
	selected  `yaml:",inline"`
	Stressors stressors `yaml:"stressors"`
}

type stressors struct {
	CPU    *cpuStressor    `yaml:"cpu,omitempty"`
	Memory *memoryStressor `yaml:"memory,omitempty"`
}

type cpuStressor struct {
	Workers int `yaml:"workers"`
	Load    int `yaml:"load"` // percent of a core, for each worker
}

type memoryStressor struct {
	Workers int    `yaml:"workers"`
	Size    string `yaml:"size"`
}

const besideTheProcess = "it happens beside the process, in the pod: the pod's metrics show it, those of the process do not"

func cpuBurn(c Cluster, target string, v kinds.Values) (action, string, error) {
	p, err := c.pods(target)
	if err != nil {
		return action{}, "", err
	}
	cores := v.Number("cores")
	workers := int(math.Ceil(cores))
	load := max(1, int(math.Round(100*cores/float64(workers))))
	return action{kind: "StressChaos", spec: stressSpec{p.all(), stressors{CPU: &cpuStressor{workers, load}}}}, besideTheProcess, nil
}

func memoryLeak(c Cluster, target string, v kinds.Values) (action, string, error) {
	p, err := c.pods(target)
	if err != nil {
		return action{}, "", err
	}
	size := fmt.Sprintf("%dMB", max(1, int(v.Number("limit")/1e6)))
	return action{kind: "StressChaos", spec: stressSpec{p.all(), stressors{Memory: &memoryStressor{1, size}}}},
		besideTheProcess + "; all is taken at once", nil
}

// timeSpec is the spec of a TimeChaos, which moves the clock of processes.
type timeSpec struct {
	selected   `yaml:",inline"`
	TimeOffset string `yaml:"timeOffset"`
}

// tokenSkew moves the clock of one gateway, so that it misjudges the tokens that the other
// gateways issue.
func tokenSkew(c Cluster, target string, v kinds.Values) (action, string, error) {
	p, err := c.pods(target)
	if err != nil {
		return action{}, "", err
	}
	offset := v.Duration("offset")
	if offset == 0 {
		return action{}, "", errors.New("an offset of 0 moves no clock")
	}
	one := p.all()
	one.Mode = "one"
	return action{kind: "TimeChaos", spec: timeSpec{one, offset.String()}},
		"the clock of one pod moves, for issuing too: it needs two gateways, and fails where one judges the other's tokens", nil
}
