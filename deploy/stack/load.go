package stack

import "path/filepath"

// KindLoad is the background load.
const KindLoad = "load"

// LoadTargets is the folder in which Prometheus looks for load tests to scrape. A load test puts a file there while it
// runs, in the format of Prometheus' file_sd.
func (s Settings) LoadTargets() string { return filepath.Join(s.Data, "load") }

// DrillTargets is the same for drills.
func (s Settings) DrillTargets() string { return filepath.Join(s.Data, "drill") }

// loadComponent keeps a gentle load on the shop, so that nothing that people look at is empty.
func (s Settings) loadComponent(p programs) Component {
	return Component{
		Name: "load", Kind: KindLoad, URL: s.url(portLoad) + "/metrics", Ready: s.url(portLoad) + "/healthz",
		Ports: []int{s.port(portLoad)},
		Command: []string{
			p.firedrill, "load", "-admin", s.addr(portLoad), "-wait", s.url(portGateway+adminStep) + "/readyz",
			filepath.Join(s.Root, "loadgen", "profiles", "trickle.yaml"),
		},
		After: []string{"gateway"},
	}
}
