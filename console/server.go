package console

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"firedrill/internal/webguard"
)

// Config says what the console shows. The zero value shows nothing: give at least the URL of Prometheus.
type Config struct {
	// URLs of the backends. "" means that there is none; its pages then say so.
	Prometheus, Loki, Tempo, Alertmanager string
	// Graph is what is known about services before there is traffic. It may be empty.
	Graph Graph
	// Faults lists the faults in force. nil: nobody can be asked.
	Faults Faults
	// Explain describes the objectives. nil: they are known by their recorded series only.
	Objectives Objectives
	// Runbooks holds the runbooks of alerts as NAME.md; nil: there are none.
	Runbooks fs.FS
	// Grafana is the URL of a Grafana with the dashboards; "" means that there is none.
	Grafana string
	// Scale is how many times faster than real objectives run; 0: unknown.
	Scale float64
	// Client asks the backends; nil: http.DefaultClient.
	Client *http.Client
	// Hosts are further names under which the console is served; see webguard.
	Hosts []string
}

// Graph is what is known about the services of a stack.
type Graph struct {
	Services []string    `json:"services"`
	Calls    [][2]string `json:"calls"` // caller and called
}

// Faults lists the faults in force, as the services themselves say.
type Faults interface {
	InForce(ctx context.Context) ([]Fault, error)
}

// Fault is a fault in force.
type Fault struct {
	Service string         `json:"service"`
	Kind    string         `json:"kind"`
	Params  map[string]any `json:"params,omitempty"`
	Ends    time.Time      `json:"ends"`
}

// Objectives describes objectives.
type Objectives interface {
	// Explain returns what the rules of all objectives do, as any value with a JSON form.
	Explain(ctx context.Context) (any, error)
}

// Server serves the console. Make one with New.
type Server struct {
	cfg      Config
	backends *backends
	live     *live
	handler  http.Handler
}

// New returns a server whose work in the background ends with ctx. It returns an error that names every URL that is none.
func New(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	b, err := newBackends(map[string]string{
		"prometheus": cfg.Prometheus, "loki": cfg.Loki, "tempo": cfg.Tempo, "alertmanager": cfg.Alertmanager,
	}, cfg.Client)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, backends: b}
	m, err := newMapper(cfg)
	if err != nil {
		return nil, err
	}
	s.live = &live{ctx: ctx, topics: map[string]*topic{
		"map": {every: 2 * time.Second, fetch: func(ctx context.Context) any { return m.snapshot(ctx) }, viewers: map[chan []byte]bool{}},
	}}
	mux := http.NewServeMux()
	mux.Handle("GET /api/backends/", b)
	mux.Handle("GET /api/live", s.live)
	mux.HandleFunc("GET /api/about", s.about)
	mux.HandleFunc("GET /api/objectives", s.objectives)
	mux.HandleFunc("GET /api/runbooks/{name}", s.runbook)
	mux.HandleFunc("GET /api/", func(w http.ResponseWriter, _ *http.Request) { fail(w, http.StatusNotFound, "no such question") })
	mux.HandleFunc("GET /", s.page)
	s.handler = webguard.Guard{Hosts: cfg.Hosts}.Wrap(mux)
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// about says what there is to look at.
func (s *Server) about(w http.ResponseWriter, _ *http.Request) {
	there := map[string]bool{}
	for name := range readingPaths {
		there[name] = s.backends.urls[name] != ""
	}
	answerJSON(w, map[string]any{
		"backends": there, "graph": s.cfg.Graph, "grafana": s.cfg.Grafana, "scale": s.cfg.Scale, "faults": s.cfg.Faults != nil, "burn": queryBurn(),
	})
}

func (s *Server) objectives(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Objectives == nil {
		answerJSON(w, []any{})
		return
	}
	all, err := s.cfg.Objectives.Explain(r.Context())
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	answerJSON(w, all)
}

func (s *Server) runbook(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if s.cfg.Runbooks == nil || !fs.ValidPath(name) || strings.Contains(name, "/") {
		fail(w, http.StatusNotFound, "no such runbook")
		return
	}
	text, err := fs.ReadFile(s.cfg.Runbooks, name+".md")
	if err != nil {
		fail(w, http.StatusNotFound, "no such runbook")
		return
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	_, _ = w.Write(text) //nolint:gosec // a runbook of the repository, as plain Markdown
}

// policy is the Content-Security-Policy of the page. Styles of single elements are set by script, which it allows.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page serves the files of the page. Every other path is a page of the console, whose script shows what its address says.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if name == "" || path.Ext(name) == "" {
		name = "index.html"
	}
	h.Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, files(), name) //nolint:gosec // the files are embedded
}

// fail answers with an error as JSON.
func fail(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": why})
}

func answerJSON(w http.ResponseWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(text)
}
