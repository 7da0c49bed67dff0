package web

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// serve runs a server until stop is called or the test ends. result receives
// Serve's error.
func serve(t *testing.T, cfg Config, routes func(*fiber.App)) (s *Server, stop func(), result chan error) {
	t.Helper()
	cfg.Name, cfg.Addr, cfg.AdminAddr = "test", "127.0.0.1:0", "127.0.0.1:0"
	s, err := New(t.Context(), cfg, telemetrytest.New(t, telemetry.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	if routes != nil {
		routes(s.App())
	}
	ctx, cancel := context.WithCancel(t.Context())
	result = make(chan error, 1)
	go func() { result <- s.Serve(ctx) }()
	t.Cleanup(cancel)
	return s, cancel, result
}

func get(t *testing.T, url string) (int, readinessBody) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body readinessBody
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return resp.StatusCode, body
}

func TestHealthAndReadiness(t *testing.T) {
	var broken atomic.Bool
	s, _, _ := serve(t, Config{Checks: map[string]Check{
		"database": func(context.Context) error { return nil },
		"broker": func(context.Context) error {
			if broken.Load() {
				return errors.New("password=hunter2")
			}
			return nil
		},
	}}, nil)
	for _, base := range []string{s.URL(), s.AdminURL()} {
		broken.Store(false)
		if status, body := get(t, base+"/readyz"); status != 200 || body.Status != "ready" || body.Checks["broker"] != "ok" {
			t.Errorf("ready: %d %+v", status, body)
		}
		broken.Store(true)
		if status, body := get(t, base+"/readyz"); status != 503 || body.Status != "unready" || body.Checks["broker"] != "failed" || body.Checks["database"] != "ok" {
			t.Errorf("broken: %d %+v", status, body)
		}
		if status, body := get(t, base+"/healthz"); status != 200 || body.Status != "alive" {
			t.Errorf("healthz while a check fails: %d %+v", status, body)
		}
	}
	resp, err := http.Get(s.AdminURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("metrics: %d", resp.StatusCode)
	}
	resp, err = http.Get(s.URL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("/metrics on the public listener: status %d, want 404", resp.StatusCode)
	}
}

func TestShutdownFinishesRequests(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	s, stop, result := serve(t, Config{Drain: machinetest.Patience(t, 0)}, func(app *fiber.App) {
		app.Get("/slow", func(c *fiber.Ctx) error {
			close(began)
			<-release
			return c.SendStatus(http.StatusTeapot)
		})
	})
	status := make(chan int, 1)
	go func() {
		resp, err := http.Get(s.URL() + "/slow")
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		resp.Body.Close()
		status <- resp.StatusCode
	}()
	<-began
	stop()
	for { // wait until the admin listener reports draining
		if code, body := get(t, s.AdminURL()+"/readyz"); code == 503 && body.Status == "draining" {
			break
		}
	}
	select {
	case err := <-result:
		t.Fatalf("Serve returned %v while a request was active", err)
	default:
	}
	close(release)
	if got := <-status; got != http.StatusTeapot {
		t.Errorf("the active request got status %d, want %d", got, http.StatusTeapot)
	}
	if err := <-result; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// Clients open connections in advance. They must not delay a shutdown.
func TestShutdownDoesNotWaitForSilentConnections(t *testing.T) {
	s, stop, result := serve(t, Config{Drain: machinetest.Patience(t, 0), Timeout: time.Hour}, nil) // fasthttp alone would wait for the whole drain time
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	resp, err := http.Get(s.URL() + "/healthz") // when this returns, the first connection has been accepted
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	stop()
	if err := <-result; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestLimits(t *testing.T) {
	s, _, _ := serve(t, Config{BodyLimit: 100}, func(app *fiber.App) {
		app.Post("/", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })
		app.Get("/wait", func(c *fiber.Ctx) error {
			if _, ok := c.UserContext().Deadline(); !ok {
				return errors.New("no deadline")
			}
			return c.SendStatus(http.StatusNoContent)
		})
	})
	for size, want := range map[int]int{100: 204, 101: 413} {
		resp, err := http.Post(s.URL(), "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d bytes: %d, want %d", size, resp.StatusCode, want)
		}
	}
	resp, err := http.Get(s.URL() + "/wait")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("deadline: %d", resp.StatusCode)
	}
}

func TestNewReportsTakenAddress(t *testing.T) {
	s, _, _ := serve(t, Config{}, nil)
	taken := strings.TrimPrefix(s.URL(), "http://")
	for _, cfg := range []Config{
		{Name: "second", Addr: taken, AdminAddr: "127.0.0.1:0"},
		{Name: "second", Addr: "127.0.0.1:0", AdminAddr: taken},
	} {
		if _, err := New(t.Context(), cfg, nil); err == nil || !strings.Contains(err.Error(), taken) || !strings.Contains(err.Error(), `"second"`) {
			t.Errorf("got %v, want an error with the service's name and %s", err, taken)
		}
	}
}

func TestServeWithEndedContext(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		s, err := New(t.Context(), Config{Name: "test", Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Serve(ended); err != nil {
			t.Fatal(err)
		}
	}
}
