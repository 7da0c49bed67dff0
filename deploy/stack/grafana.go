package stack

import (
	"os"
	"os/exec"
	"path/filepath"

	"firedrill/internal/topology"
)

// grafana is the Grafana that is installed on this machine, if any. It cannot be built from its Go module.
type grafana struct {
	binary string
	home   string // folder with its public files and default settings
}

func (g grafana) found() bool { return g.binary != "" }

// findGrafana looks for grafana on the PATH, and for its home around the binary, in GF_PATHS_HOME, and where
// packages install it. The binary cannot serve without a home, so without one the zero value is returned.
func findGrafana(getenv func(string) string) grafana {
	binary, err := exec.LookPath("grafana")
	if err != nil {
		return grafana{}
	}
	if resolved, err := filepath.EvalSymlinks(binary); err == nil {
		binary = resolved
	}
	prefix := filepath.Dir(filepath.Dir(binary))
	for _, home := range []string{getenv("GF_PATHS_HOME"), prefix, filepath.Join(prefix, "share", "grafana"), "/usr/share/grafana"} {
		if home == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(home, "conf", "defaults.ini")); err == nil {
			return grafana{binary: binary, home: home}
		}
	}
	return grafana{}
}

// grafanaComponent runs Grafana with the repository's provisioning files and without login. These files name
// the data sources by the *_URL variables, which Grafana expands.
func (s Settings) grafanaComponent(g grafana) Component {
	dashboards := filepath.Join(s.Root, "dashboards")
	data := filepath.Join(s.Data, "grafana")
	return Component{
		Name: "grafana", Kind: KindStack,
		URL: s.url(topology.PortGrafana), Ready: s.url(topology.PortGrafana) + "/api/health",
		Ports:   []int{s.port(topology.PortGrafana)},
		Command: []string{g.binary, "server", "--homepath", g.home},
		Env: []string{
			"GF_SERVER_HTTP_ADDR=" + loopback,
			"GF_SERVER_HTTP_PORT=" + itoa(s.port(topology.PortGrafana)),
			"GF_PATHS_DATA=" + data,
			"GF_PATHS_LOGS=" + filepath.Join(data, "log"),
			"GF_PATHS_PLUGINS=" + filepath.Join(data, "plugins"),
			"GF_PATHS_PROVISIONING=" + filepath.Join(dashboards, "provisioning"),
			"GF_AUTH_ANONYMOUS_ENABLED=true",
			"GF_AUTH_ANONYMOUS_ORG_ROLE=Viewer", // Grafana phases out other roles for anonymous users
			"GF_USERS_VIEWERS_CAN_EDIT=true",    // so that links into Explore work; saving does not
			"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH=" + filepath.Join(dashboards, "generated", "start.json"),
			"GF_ANALYTICS_REPORTING_ENABLED=false",
			"GF_ANALYTICS_CHECK_FOR_UPDATES=false",
			"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false",
			"DASHBOARDS_PATH=" + dashboards,
			"PROMETHEUS_URL=" + s.url(topology.PortPrometheus),
			"ALERTMANAGER_URL=" + s.url(topology.PortAlertmanager),
			"LOKI_URL=" + s.url(topology.PortLoki),
			"TEMPO_URL=" + s.url(topology.PortTempo),
		},
	}
}
