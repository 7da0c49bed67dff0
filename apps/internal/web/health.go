package web

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/telemetry"
)

// checkTimeout limits the time of all checks together.
const checkTimeout = time.Second

// readinessBody is the body of /readyz. It says which check failed but not why,
// because the page is public.
type readinessBody struct {
	Status string            `json:"status"` // "ready", "unready" or "draining"
	Checks map[string]string `json:"checks,omitempty"`
}

func (s *Server) ready(ctx context.Context) (int, readinessBody) {
	if s.draining.Load() {
		return http.StatusServiceUnavailable, readinessBody{Status: "draining"}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	out := readinessBody{Status: "ready", Checks: make(map[string]string, len(s.cfg.Checks))}
	status := http.StatusOK
	var mu sync.Mutex
	var all sync.WaitGroup
	for name, check := range s.cfg.Checks {
		all.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			out.Checks[name] = "ok"
			if err != nil {
				out.Checks[name] = "failed"
				out.Status, status = "unready", http.StatusServiceUnavailable
			}
		})
	}
	all.Wait()
	return status, out
}

func (s *Server) health(c *fiber.Ctx) error { return c.JSON(readinessBody{Status: "alive"}) }

func (s *Server) readiness(c *fiber.Ctx) error {
	status, body := s.ready(c.UserContext())
	return c.Status(status).JSON(body)
}

// adminHandler returns the handler of the admin listener: health checks, the
// service's own pages, and telemetry.
func (s *Server) adminHandler(tel *telemetry.Telemetry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, readinessBody{Status: "alive"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		status, body := s.ready(r.Context())
		writeJSON(w, status, body)
	})
	for pattern, page := range s.cfg.Admin {
		mux.Handle(pattern, page)
	}
	if tel != nil {
		mux.Handle("/", tel.AdminHandler())
	}
	return mux
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // an error means that the client is gone
}
