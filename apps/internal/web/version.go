package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
)

// localVersion is the key under which ServedBy stores the version.
const localVersion = "version"

// ServedBy records that another version of the service, a canary, serves the
// request. The version appears in the metrics, the request's span and its log
// line.
func ServedBy(c *fiber.Ctx, version string) {
	c.Locals(localVersion, version)
	trace.SpanFromContext(c.UserContext()).SetAttributes(semconv.ServiceVersion(version))
	server.AddLogAttr(c, slog.String("version", version))
}

// served counts requests by the version that served them.
type served struct {
	vec *prometheus.CounterVec
	own outcomes

	mu     sync.Mutex // guards others
	others map[string]outcomes
}

type outcomes struct{ ok, failed prometheus.Counter }

// mostVersions is the maximum number of versions with their own series, besides
// the service's own version. Requests of further versions are counted as
// otherVersions.
const (
	mostVersions  = 8
	otherVersions = "other"
)

// countServed counts the requests of all routes that are added after it.
func countServed(app *fiber.App, tel *telemetry.Telemetry) error {
	s := &served{others: make(map[string]outcomes), vec: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "shop_served_requests_total",
		Help: "Requests by outcome and by the version of the service that served them, without health checks. A status of 500 or above is an error.",
	}, []string{"version", "outcome"})}
	if err := tel.Registry().Register(s.vec); err != nil {
		return fmt.Errorf("register counter of requests by version: %w", err)
	}
	version := tel.Version()
	if version == "" {
		version = "unknown"
	}
	s.own = s.of(version)
	app.Use(s.count)
	return nil
}

func (s *served) of(version string) outcomes {
	return outcomes{ok: s.vec.WithLabelValues(version, "ok"), failed: s.vec.WithLabelValues(version, "error")}
}

func (s *served) count(c *fiber.Ctx) (err error) {
	failed := true // if the handler panics
	defer func() {
		by := s.own
		if version, ok := c.Locals(localVersion).(string); ok {
			by = s.other(version)
		}
		by.count(failed)
	}()
	err = c.Next()
	failed = statusOf(c, err) >= http.StatusInternalServerError
	return err
}

func (o outcomes) count(failed bool) {
	if failed {
		o.failed.Inc()
		return
	}
	o.ok.Inc()
}

// other returns the counters of a version. It creates them for a new version.
func (s *served) other(version string) outcomes {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, known := s.others[version]; known {
		return o
	}
	if len(s.others) >= mostVersions {
		return s.of(otherVersions)
	}
	o := s.of(version)
	s.others[version] = o
	return o
}

// statusOf returns the status of the response.
func statusOf(c *fiber.Ctx, err error) int {
	if err == nil {
		return c.Response().StatusCode()
	}
	status, _ := asError(err).Code.Status()
	if status == 0 {
		return http.StatusInternalServerError // as in sendProblem
	}
	return status
}
