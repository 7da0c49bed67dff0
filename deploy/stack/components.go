package stack

import (
	"cmp"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"firedrill/deploy/config"
	"firedrill/internal/topology"
)

// loopback is the address on which all components of the native stack listen.
const loopback = "127.0.0.1"

// Kinds of component.
const (
	KindStack = "stack" // an upstream program, or the receiver of notifications
	KindShop  = "shop"  // a service of the shop
)

// Component is one supervised process.
type Component struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	URL   string `json:"url"`   // for people and clients
	Ready string `json:"ready"` // returns 200 when the component is ready
	Ports []int  `json:"ports"` // TCP ports of the loopback on which it listens

	Command []string `json:"-"`
	Env     []string `json:"-"` // in addition to the environment of all components
	After   []string `json:"-"` // names of components that start before this one and stop after it
	Stop    int      `json:"-"` // seconds between SIGTERM and SIGKILL; if 0, stopSeconds, and more on a slower machine
}

// programs holds the paths of the programs to run.
type programs struct {
	firedrill, shop string
	grafana         grafana
	tools           map[string]string // paths by name of the upstream program
}

func newPrograms(s Settings, tools []Tool, executable string, g grafana) programs {
	p := programs{firedrill: executable, shop: filepath.Join(s.Root, ".bin", "shop"), grafana: g, tools: map[string]string{}}
	for _, t := range tools {
		p.tools[t.Name] = t.Binary(s.Bin)
	}
	return p
}

func (s Settings) port(base int) int { return base + s.Offset }

func (s Settings) addr(base int) string { return net.JoinHostPort(loopback, itoa(s.port(base))) }

func (s Settings) url(base int) string { return "http://" + s.addr(base) }

// components returns the components of this copy in the order in which people see them.
func (s Settings) components(p programs) []Component {
	var all []Component
	if s.Shop {
		all = append(all, s.shopComponents(p)...)
	}
	if s.Load {
		all = append(all, s.loadComponent(p))
	}
	upstream := s.stackComponents(p)
	if s.Distributed {
		upstream = s.distributed(p, upstream)
	}
	all = append(all, upstream...)
	if p.grafana.found() {
		all = append(all, s.grafanaComponent(p.grafana))
	}
	return all
}

func (s Settings) shopComponents(p programs) []Component {
	var all []Component
	for _, service := range topology.Services() {
		c := Component{
			Name: service.Name, Kind: KindShop,
			URL: s.url(service.Port), Ready: s.url(service.Admin) + "/readyz",
			Ports:   []int{s.port(service.Port), s.port(service.Admin)},
			Command: []string{p.shop, service.Name},
			After:   []string{"loki", "tempo"}, // so that a service can send its last spans and lines
		}
		if service.Name == topology.Broker {
			c.URL = "nats://" + s.addr(service.Port)
		}
		all = append(all, c)
	}
	return all
}

func (s Settings) stackComponents(p programs) []Component {
	notifications := s.program("notifications", topology.PortNotifications, "/healthz")
	notifications.URL += "/notifications"
	notifications.Command = []string{
		p.firedrill, "notifications",
		"--addr", s.addr(topology.PortNotifications), "--file", filepath.Join(s.Data, "notifications.jsonl"),
	}
	loki := s.program("loki", topology.PortLoki, "/ready", topology.PortLokiGRPC)
	loki.Command = []string{p.tools["loki"], "-config.file=" + s.setting("loki")}
	tempo := s.program("tempo", topology.PortTempo, "/ready", topology.PortTempoGRPC, topology.PortOTLPGRPC, topology.PortOTLPHTTP)
	tempo.Command = []string{p.tools["tempo"], "-config.file=" + s.setting("tempo")}
	tempo.After = []string{"prometheus"}
	// Tempo writes its traces within milliseconds. Then it sleeps 5 s for peers that do not exist. Every stop
	// would take this long, on a slow machine too.
	tempo.Stop = 1
	return []Component{s.prometheus(p), s.alertmanager(p), loki, tempo, notifications}
}

func (s Settings) prometheus(p programs) Component {
	c := s.program("prometheus", topology.PortPrometheus, "/-/ready")
	c.After = []string{"alertmanager"}
	c.Command = []string{
		p.tools["prometheus"],
		"--config.file=" + s.setting("prometheus"),
		"--storage.tsdb.path=" + filepath.Join(s.Data, "prometheus"),
		"--web.listen-address=" + s.addr(topology.PortPrometheus),
		"--web.enable-remote-write-receiver", // for Tempo's metrics generator
		"--web.enable-lifecycle",             // to reload rules without a restart
		"--enable-feature=exemplar-storage",
		"--rules.alert.resend-delay=10s", // so that a restarted Alertmanager soon knows all firing alerts
		"--log.level=warn",
	}
	return c
}

func (s Settings) alertmanager(p programs) Component {
	c := s.program("alertmanager", topology.PortAlertmanager, "/-/ready")
	c.After = []string{"notifications"}
	c.Command = []string{
		p.tools["alertmanager"],
		"--config.file=" + s.setting("alertmanager"),
		"--storage.path=" + filepath.Join(s.Data, "alertmanager"),
		"--web.listen-address=" + s.addr(topology.PortAlertmanager),
		"--cluster.listen-address=", // no cluster, no gossip
		"--log.level=warn",
	}
	return c
}

// program returns a component of the stack that listens on port and is ready when the path ready returns 200.
// further are its other ports.
func (s Settings) program(name string, port int, ready string, further ...int) Component {
	c := Component{Name: name, Kind: KindStack, URL: s.url(port), Ready: s.url(port) + ready, Ports: []int{s.port(port)}}
	for _, f := range further {
		c.Ports = append(c.Ports, s.port(f))
	}
	return c
}

func (s Settings) setting(name string) string { return filepath.Join(s.configDir(), name+".yaml") }

// env returns the variables that every component gets in addition to the user's environment.
func (s Settings) env() []string {
	return []string{
		marker + "=" + s.Data,
		fmt.Sprintf("FIREDRILL_PORT_OFFSET=%d", s.Offset),
		"FIREDRILL_DATA=" + s.Data,
		"FIREDRILL_ROOT=" + s.Root,
	}
}

// shopEnv returns the variables of the services: where their data is, and where they send telemetry. The user's
// own log format and key take precedence.
func (s Settings) shopEnv(getenv func(string) string, jwtKey string) []string {
	return []string{
		"SHOP_DATA=" + filepath.Join(s.Data, "shop"),
		"SHOP_JWT_KEY=" + cmp.Or(getenv("SHOP_JWT_KEY"), jwtKey),
		"GOGC=" + cmp.Or(getenv("GOGC"), "100"), // the supervisor's own value is lower
		"LOKI_URL=" + s.url(topology.PortLoki),
		"LOG_FORMAT=" + cmp.Or(getenv("LOG_FORMAT"), "json"), // "firedrill logs" shows what a service prints
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + s.url(topology.PortOTLPGRPC),
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
	}
}

// stackEnv returns the variables of the upstream programs. The user's environment may name an OTLP endpoint;
// the upstream programs must not send their own traces there, among the traces of the shop. The low GOGC more
// than halves their garbage and costs a hundredth of a core.
func stackEnv() []string {
	return []string{
		"OTEL_TRACES_EXPORTER=", "OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=",
		"GOGC=40",
	}
}

// values returns the values for the configuration of the upstream programs.
func (s Settings) values() config.Values {
	at := func(base int) config.Endpoint {
		return config.Endpoint{Listen: loopback, Host: loopback, Port: s.port(base)}
	}
	rules := func(parts ...string) string { return filepath.Join(append(parts, "*.yaml")...) }
	v := config.Values{
		Data:      s.Data,
		Retention: s.Retention,
		Load:      filepath.Join(s.LoadTargets(), "*.json"),
		Drills:    filepath.Join(s.DrillTargets(), "*.json"),
		Rules: []string{
			rules(s.Root, "alerts", "stack"),
			rules(s.Data, "rules"), // rules of this copy only
		},
		Prometheus: at(topology.PortPrometheus), Alertmanager: at(topology.PortAlertmanager), Notifications: at(topology.PortNotifications),
		Loki: at(topology.PortLoki), LokiGRPC: at(topology.PortLokiGRPC),
		Tempo: at(topology.PortTempo), TempoGRPC: at(topology.PortTempoGRPC), OTLPGRPC: at(topology.PortOTLPGRPC), OTLPHTTP: at(topology.PortOTLPHTTP),
		Stack: []config.Target{
			{Job: "prometheus", Addr: s.addr(topology.PortPrometheus)}, {Job: "alertmanager", Addr: s.addr(topology.PortAlertmanager)},
			{Job: "loki", Addr: s.addr(topology.PortLoki)}, {Job: "tempo", Addr: s.addr(topology.PortTempo)},
			{Job: "notifications", Addr: s.addr(topology.PortNotifications)},
		},
	}
	if s.Distributed {
		v.Stack = s.scrapeTargets(v.Stack)
	}
	if s.Shop {
		v.Services = s.shopTargets()
		v.Rules = append(v.Rules, rules(s.Root, "alerts", "generated")) // without the shop, the SLOs have no data
	}
	return v
}

// shopTargets returns the admin listeners that serve metrics: all but the bank's, which stands for a third
// party without telemetry.
func (s Settings) shopTargets() []config.Target {
	var targets []config.Target
	for _, c := range s.shopComponents(programs{}) {
		if c.Name != "bank" {
			targets = append(targets, config.Target{Job: c.Name, Addr: strings.TrimSuffix(strings.TrimPrefix(c.Ready, "http://"), "/readyz")})
		}
	}
	return targets
}
