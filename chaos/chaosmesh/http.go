package chaosmesh

import (
	"fmt"
	"regexp"
	"strings"

	"firedrill/apps/fault/kinds"
)

// httpSpec is the spec of an HTTPChaos, which changes requests to the selected pods or
// their responses.
type httpSpec struct {
	selected `yaml:",inline"`
	Target   string       `yaml:"target"` // Request or Response
	Port     int          `yaml:"port"`
	Path     string       `yaml:"path"`
	Method   string       `yaml:"method,omitempty"`
	Delay    string       `yaml:"delay,omitempty"`
	Replace  *replaceSpec `yaml:"replace,omitempty"`
}

type replaceSpec struct {
	Code int `yaml:"code"`
}

// parameter matches a parameter in the template of a route.
var parameter = regexp.MustCompile(`:[^/]+`)

// requests returns a spec that selects the requests of a fault to a component, by the
// fault's route. share is the name of the fault's parameter for the share of requests; it
// must be 1.
func (c Cluster) requests(target string, v kinds.Values, share string) (httpSpec, error) {
	p, err := c.pods(target)
	switch {
	case err != nil:
		return httpSpec{}, err
	case p.Port == 0:
		return httpSpec{}, fmt.Errorf("%s takes no HTTP requests", target)
	case v.Number(share) != 1:
		return httpSpec{}, fmt.Errorf("an experiment is for all requests that match, not a share of them (%s is %v)", share, v[share])
	}
	spec := httpSpec{selected: p.all(), Port: p.Port, Path: "*"}
	if route := v.Text("route"); route != "" {
		method, template, both := strings.Cut(route, " ")
		if !both {
			method, template = "", route
		}
		spec.Method, spec.Path = method, parameter.ReplaceAllString(template, "*")
	}
	return spec, nil
}

func errorReplies(c Cluster, target string, v kinds.Values) (action, string, error) {
	spec, err := c.requests(target, v, "ratio")
	if err != nil {
		return action{}, "", err
	}
	spec.Target, spec.Replace = "Response", &replaceSpec{v.Integer("status")}
	return action{kind: "HTTPChaos", spec: spec},
		"the service has done the work and its own metrics say so; only who asked sees the status", nil
}

func latency(c Cluster, target string, v kinds.Values) (action, string, error) {
	spec, err := c.requests(target, v, "share")
	if err != nil {
		return action{}, "", err
	}
	spec.Target, spec.Delay = "Request", v.Duration("median").String()
	differs := "requests wait before the service sees them: its own durations do not show it, its callers' do"
	if shape := v.Text("distribution"); shape != "constant" {
		differs += "; all wait for the median, where the fault draws from a " + shape + " distribution"
	}
	return action{kind: "HTTPChaos", spec: spec}, differs, nil
}

// unready makes the kubelet's health checks fail.
func unready(c Cluster, target string, _ kinds.Values) (action, string, error) {
	p, err := c.pods(target)
	if err != nil {
		return action{}, "", err
	}
	if p.Admin == 0 {
		return action{}, "", fmt.Errorf("%s has no admin listener", target)
	}
	return action{kind: "HTTPChaos", spec: httpSpec{
		selected: p.all(), Target: "Response", Port: p.Admin, Path: "/readyz", Replace: &replaceSpec{503},
	}}, "", nil
}
