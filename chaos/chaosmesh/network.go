package chaosmesh

import (
	"errors"
	"fmt"

	"firedrill/apps/fault/kinds"
)

// networkSpec is the spec of a NetworkChaos, which changes packets from the selected pods
// to the target's pods.
type networkSpec struct {
	selected  `yaml:",inline"`
	Action    string         `yaml:"action"`
	Direction string         `yaml:"direction"`
	Target    selected       `yaml:"target"`
	Delay     *delaySpec     `yaml:"delay,omitempty"`
	Bandwidth *bandwidthSpec `yaml:"bandwidth,omitempty"`
}

type delaySpec struct {
	Latency string `yaml:"latency"`
	Jitter  string `yaml:"jitter"`
}

type bandwidthSpec struct {
	Rate   string `yaml:"rate"`
	Limit  uint32 `yaml:"limit"`  // bytes that may be queued
	Buffer uint32 `yaml:"buffer"` // bytes that may be sent at once
}

// errToxicity is the error for a fault on a share of the connections.
var errToxicity = errors.New("experiments pick packets or pods, not connections: there is no toxicity below 1")

// stream returns the two ends of a wire in the direction in which a toxic works: packets flow from the first to the
// second.
func (c Cluster) stream(target string, v kinds.Values) (from, to Pods, err error) {
	caller, dependency, err := c.wire(target)
	if err != nil {
		return Pods{}, Pods{}, err
	}
	if v.Number("toxicity") != 1 {
		return Pods{}, Pods{}, errToxicity
	}
	if v.Text("stream") == "upstream" {
		return caller, dependency, nil
	}
	return dependency, caller, nil
}

func wireLatency(c Cluster, target string, v kinds.Values) (action, string, error) {
	from, to, err := c.stream(target, v)
	if err != nil {
		return action{}, "", err
	}
	return action{kind: "NetworkChaos", spec: networkSpec{
		selected: from.all(), Action: "delay", Direction: "to", Target: to.all(),
		Delay: &delaySpec{v.Duration("latency").String(), v.Duration("jitter").String()},
	}}, "every packet is delayed, handshakes too", nil
}

func wireBandwidth(c Cluster, target string, v kinds.Values) (action, string, error) {
	from, to, err := c.stream(target, v)
	if err != nil {
		return action{}, "", err
	}
	return action{kind: "NetworkChaos", spec: networkSpec{
		selected: from.all(), Action: "bandwidth", Direction: "to", Target: to.all(),
		// A rate in "kbps" is in kilobytes a second, as in tc.
		Bandwidth: &bandwidthSpec{Rate: fmt.Sprintf("%dkbps", v.Integer("rate")), Limit: 1 << 20, Buffer: 16 << 10},
	}}, "the rate is that of a pod, not of each connection", nil
}

// cut drops every packet between the two ends of a wire.
func cut(c Cluster, target string) (action, error) {
	caller, dependency, err := c.wire(target)
	if err != nil {
		return action{}, err
	}
	return action{kind: "NetworkChaos", spec: networkSpec{
		selected: caller.all(), Action: "partition", Direction: "both", Target: dependency.all(),
	}}, nil
}

func wireDown(c Cluster, target string, _ kinds.Values) (action, string, error) {
	a, err := cut(c, target)
	return a, "packets are lost: callers time out, where a refusal would be at once", err
}

func wireTimeout(c Cluster, target string, v kinds.Values) (action, string, error) {
	a, err := cut(c, target)
	if err == nil && v.Number("toxicity") != 1 {
		err = errToxicity
	}
	return a, "both directions are cut, for new connections too, and nothing closes them", err
}
