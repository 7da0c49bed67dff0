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

// loopback is where everything of the native stack listens.
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
	URL   string `json:"url"`   // where a person or client goes
	Ready string `json:"ready"` // answers 200 when the component is ready
	Ports []int  `json:"ports"` // TCP ports on the loopback it listens on

	Command []string `json:"-"`
	Env     []string `json:"-"` // on top of what all components get
	After   []string `json:"-"` // components that start before this one and stop after it
	Stop    int      `json:"-"` // seconds between TERM and KILL; 0 is stopSeconds, and more on a slower machine
}

// programs are the paths of what is run.
type programs struct {
	firedrill, shop string
	grafana         grafana
	tools           map[string]string // upstream program -> path
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

// components lists what this copy runs, in the order a person wants to read.
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
			After:   []string{"loki", "tempo"}, // the last spans and lines of a service have somewhere to go
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
	// It writes its traces down within milliseconds and then sleeps 5 s for the peers it does not have. So every
	// stop takes this long, on a slow machine too.
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
		"--web.enable-remote-write-receiver", // Tempo's metrics generator writes here
		"--web.enable-lifecycle",             // rules are reloaded without a restart
		"--enable-feature=exemplar-storage",
		"--rules.alert.resend-delay=10s", // an Alertmanager that restarted knows what fires soon
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
		"--cluster.listen-address=", // one alone: no gossip
		"--log.level=warn",
	}
	return c
}

// program is a component of the stack that listens on port, answers at the path ready, and needs the further ports.
func (s Settings) program(name string, port int, ready string, further ...int) Component {
	c := Component{Name: name, Kind: KindStack, URL: s.url(port), Ready: s.url(port) + ready, Ports: []int{s.port(port)}}
	for _, f := range further {
		c.Ports = append(c.Ports, s.port(f))
	}
	return c
}

func (s Settings) setting(name string) string { return filepath.Join(s.configDir(), name+".yaml") }

// env is what every component gets on top of the user's environment.
func (s Settings) env() []string {
	return []string{
		marker + "=" + s.Data,
		fmt.Sprintf("FIREDRILL_PORT_OFFSET=%d", s.Offset),
		"FIREDRILL_DATA=" + s.Data,
		"FIREDRILL_ROOT=" + s.Root,
	}
}

// shopEnv is what the services get: where their data and their telemetry go. The user's own log format and key win.
func (s Settings) shopEnv(getenv func(string) string, jwtKey string) []string {
	return []string{
		"SHOP_DATA=" + filepath.Join(s.Data, "shop"),
		"SHOP_JWT_KEY=" + cmp.Or(getenv("SHOP_JWT_KEY"), jwtKey),
		"GOGC=" + cmp.Or(getenv("GOGC"), "100"), // the supervisor's own is lower
		"LOKI_URL=" + s.url(topology.PortLoki),
		"LOG_FORMAT=" + cmp.Or(getenv("LOG_FORMAT"), "json"), // what a service prints is what "firedrill logs" shows
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + s.url(topology.PortOTLPGRPC),
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
	}
}

// stackEnv is what the programs of the stack get. They must not trace themselves into the traces of the shop when the
// user's environment names an endpoint, and they keep less than half of the usual garbage, for a hundredth of a core.
func stackEnv() []string {
	return []string{
		"OTEL_TRACES_EXPORTER=", "OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=",
		"GOGC=40",
	}
}

// values are what the settings of the upstream programs need to know of this copy.
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
			rules(s.Data, "rules"), // what only this copy should evaluate
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
		v.Rules = append(v.Rules, rules(s.Root, "alerts", "generated")) // without the shop its objectives have no data
	}
	return v
}

// shopTargets are the admin listeners that serve metrics: all but that of the bank, which nobody may instrument.
func (s Settings) shopTargets() []config.Target {
	var targets []config.Target
	for _, c := range s.shopComponents(programs{}) {
		if c.Name != "bank" {
			targets = append(targets, config.Target{Job: c.Name, Addr: strings.TrimSuffix(strings.TrimPrefix(c.Ready, "http://"), "/readyz")})
		}
	}
	return targets
}
