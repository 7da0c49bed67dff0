// Package config holds the one copy of each setting of Prometheus, Alertmanager, Loki and Tempo, and renders it for a
// deployment. Templates differ only where an address or a folder does. It must not know how the programs are started.
package config

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

//go:embed *.tmpl
var templates embed.FS

// Endpoint is where a program listens and how the others reach it.
type Endpoint struct {
	Listen string // address to bind: "127.0.0.1" natively, "0.0.0.0" in a container
	Host   string // name the others dial: "127.0.0.1" natively, the container's or service's name elsewhere
	Port   int
}

// Addr returns host:port as the others dial it.
func (e Endpoint) Addr() string { return net.JoinHostPort(e.Host, strconv.Itoa(e.Port)) }

// URL returns the http URL that the others use, without a trailing slash.
func (e Endpoint) URL() string { return "http://" + e.Addr() }

// Target is one scrape target.
type Target struct {
	Job    string   // value of the job label
	Addr   string   // host:port that serves /metrics
	Others []string // further processes of the job
}

// Member is a process of a Loki or Tempo that runs as several.
type Member struct {
	Name      string   // of its own folder
	Gossip    Endpoint // where members tell each other of themselves
	Join      []string // host:port of members to begin with
	Frontend  string   // host:port of the query front end, from which queriers fetch what is asked
	Compactor string   // host:port of Loki's compactor, which knows what was deleted
}

// Values is all that the settings of two deployments may differ in.
type Values struct {
	Data      string   // folder in which Loki and Tempo keep their data
	Retention string   // how long Prometheus keeps samples, in its own notation ("31d")
	Rules     []string // rule files as Prometheus globs
	Services  []Target // the shop, scraped every second
	Stack     []Target // the upstream programs, scraped every 5 s
	Load      string   // files that name load tests to scrape, as a Prometheus glob; "": none
	Drills    string   // the same for drills

	Prometheus, Alertmanager, Notifications Endpoint
	Loki, LokiGRPC                          Endpoint
	Tempo, TempoGRPC, OTLPGRPC, OTLPHTTP    Endpoint

	Member *Member // nil where each program is one process
}

// Dir returns a folder below Data, quoted for YAML.
func (v Values) Dir(name string) string { return strconv.Quote(v.Data + "/" + name) }

// Own returns a folder below Data that one process has for itself, quoted for YAML.
func (v Values) Own(name string) string {
	if v.Member == nil {
		return v.Dir(name)
	}
	program, rest, _ := strings.Cut(name, "/")
	return v.Dir(path.Join(program, v.Member.Name, rest))
}

// Ring is the kind of store in which processes find each other.
func (v Values) Ring() string {
	if v.Member == nil {
		return "inmemory"
	}
	return "memberlist"
}

// Frontend is the query front end's gRPC address: for one process its own, at that port.
func (v Values) Frontend(own Endpoint) string {
	if v.Member == nil {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(own.Port))
	}
	return v.Member.Frontend
}

// Names returns the rendered file's name of each setting.
func Names() []string {
	return []string{"alertmanager.yaml", "loki.yaml", "prometheus.yaml", "tempo.yaml"}
}

// Render returns the named setting ("loki.yaml") for v.
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

// Write renders every setting for v into dir, which it creates if need be.
func Write(dir string, v Values) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("create folder of settings: %w", err)
	}
	for _, name := range Names() {
		if err := WriteOne(filepath.Join(dir, name), name, v); err != nil {
			return err
		}
	}
	return nil
}

// WriteOne renders the named setting for v into the file at path.
func WriteOne(path, name string, v Values) error {
	text, err := Render(name, v)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("write setting %q: %w", name, err)
	}
	return nil
}
