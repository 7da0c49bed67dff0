// Package config holds the one copy of the configuration of Prometheus, Alertmanager, Loki and Tempo, and
// renders it for a deployment. Deployments differ only in addresses and folders. The package must not know how
// the programs are started.
package config

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	"firedrill/internal/private"
)

//go:embed *.tmpl
var templates embed.FS

// Endpoint is the address on which a program listens, and the one under which other programs reach it.
type Endpoint struct {
	Listen string // address to bind: "127.0.0.1" natively, "0.0.0.0" in a container
	Host   string // host for other programs: "127.0.0.1" natively, the name of the container or service elsewhere
	Port   int
}

// Addr returns host:port for other programs.
func (e Endpoint) Addr() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

// URL returns the http URL for other programs, without a trailing slash.
func (e Endpoint) URL() string { return "http://" + e.Addr() }

// Target is one scrape target.
type Target struct {
	Job    string   // value of the job label
	Addr   string   // host:port that serves /metrics
	Others []string // host:port of more processes of the job
}

// Member is one process of a Loki or Tempo that runs as several.
type Member struct {
	Name      string   // name of the member and of its own data folder
	Gossip    Endpoint // for the gossip between members
	Join      []string // host:port of the members to contact first
	Frontend  string   // host:port of the query frontend, from which queriers get their queries
	Compactor string   // host:port of Loki's compactor, which knows the deletions
}

// Values holds everything in which the configuration of two deployments may differ.
type Values struct {
	Data      string   // data folder of Loki and Tempo
	Retention string   // how long Prometheus keeps samples, in its own notation ("31d")
	Rules     []string // rule files as Prometheus globs
	Services  []Target // the shop, scraped every second
	Stack     []Target // the upstream programs, scraped every 5 s
	Load      string   // file_sd files of load tests as a Prometheus glob; "" for none
	Drills    string   // the same for drills

	Prometheus, Alertmanager, Notifications Endpoint
	Loki, LokiGRPC                          Endpoint
	Tempo, TempoGRPC, OTLPGRPC, OTLPHTTP    Endpoint

	Member *Member // nil if each program is one process
}

// Dir returns a folder below Data, quoted for YAML.
func (v Values) Dir(name string) string { return strconv.Quote(v.Data + "/" + name) }

// Own returns a folder below Data that only one process uses, quoted for YAML.
func (v Values) Own(name string) string {
	if v.Member == nil {
		return v.Dir(name)
	}
	program, rest, _ := strings.Cut(name, "/")
	return v.Dir(path.Join(program, v.Member.Name, rest))
}

// Ring returns the kind of store in which the processes of a program find each other.
func (v Values) Ring() string {
	if v.Member == nil {
		return "inmemory"
	}
	return "memberlist"
}

// Frontend returns the gRPC address of the query frontend. For a single process it is the process itself, at
// the port of own.
func (v Values) Frontend(own Endpoint) string {
	if v.Member == nil {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(own.Port))
	}
	return v.Member.Frontend
}

// Names returns the file names of all configuration files.
func Names() []string {
	return []string{"alertmanager.yaml", "loki.yaml", "prometheus.yaml", "tempo.yaml"}
}

// Render returns the named configuration file ("loki.yaml") for v.
func Render(name string, v Values) ([]byte, error) {
	source := name + ".tmpl"
	t, err := template.New(source).Option("missingkey=error").ParseFS(templates, source, "gossip.tmpl")
	if err != nil {
		return nil, fmt.Errorf("parse setting %q: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("render setting %q: %w", name, err)
	}
	return out.Bytes(), nil
}

// Write renders every configuration file for v into dir, and creates dir if it does not exist.
func Write(dir string, v Values) error {
	if err := private.Folder(dir); err != nil {
		return fmt.Errorf("create folder of settings: %w", err)
	}
	for _, name := range Names() {
		if err := WriteOne(filepath.Join(dir, name), name, v); err != nil {
			return err
		}
	}
	return nil
}

// WriteOne renders the named configuration file for v into the file at path.
func WriteOne(path, name string, v Values) error {
	text, err := Render(name, v)
	if err != nil {
		return err
	}
	if err := private.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("write setting %q: %w", name, err)
	}
	return nil
}
