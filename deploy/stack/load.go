package stack

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"firedrill/internal/proc"
	"firedrill/internal/topology"
)

// KindLoad is the kind of the background load.
const KindLoad = "load"

// Values of the label tier of targets that Prometheus finds by a file.
const (
	TierLoad       = "load"       // a load test, which ends
	TierDrill      = "drill"      // a drill, which ends
	TierBackground = "background" // the background load: a component, which should always run
)

// LoadTargets returns the folder in which Prometheus looks for load tests to scrape. A load test has a file
// there while it runs, in the format of Prometheus' file_sd. The name of the file is the process id.
func (s Settings) LoadTargets() string { return filepath.Join(s.Data, "load") }

// DrillTargets returns the same folder for drills.
func (s Settings) DrillTargets() string { return filepath.Join(s.Data, "drill") }

// LoadAddr returns the address at which the background load serves its metrics.
func (s Settings) LoadAddr() string { return s.addr(topology.PortLoad) }

// ForgetDead removes the files in LoadTargets or DrillTargets whose processes were killed. Otherwise Prometheus
// would report their targets as down forever.
func ForgetDead(folder string) {
	files, _ := os.ReadDir(folder) // without the folder there is nothing to forget
	for _, file := range files {
		text, isTarget := strings.CutSuffix(file.Name(), ".json")
		pid, err := strconv.Atoi(text)
		if isTarget && err == nil && !proc.Exists(pid) {
			_ = os.Remove(filepath.Join(folder, file.Name())) // another process may have removed it
		}
	}
}

// loadComponent returns the component that keeps a low load on the shop, so that dashboards are never empty.
func (s Settings) loadComponent(p programs) Component {
	command := []string{p.firedrill, "load", "--admin", s.LoadAddr(), "--wait", s.url(topology.Find(topology.Gateway).Admin) + "/readyz"}
	if scale := s.LoadScale(); scale != 1 {
		command = append(command, "--scale-rate", strconv.FormatFloat(scale, 'g', -1, 64))
	}
	return Component{
		Name: "load", Kind: KindLoad, URL: s.url(topology.PortLoad) + "/metrics", Ready: s.url(topology.PortLoad) + "/healthz",
		Ports:   []int{s.port(topology.PortLoad)},
		Command: append(command, filepath.Join(s.Root, "loadgen", "profiles", "trickle.yaml")),
		After:   []string{"gateway"},
	}
}
