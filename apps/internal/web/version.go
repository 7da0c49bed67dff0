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

// localVersion is where ServedBy leaves the version.
const localVersion = "version"

// ServedBy says that another version of the service than its own serves the
// request: a canary. It is told in metrics, in the request's span and in its log line.
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

// mostVersions is the most versions beside a service's own that have a series
// each; what is more is counted as one.
const (
	mostVersions  = 8
	otherVersions = "other"
)

// countServed counts the requests of the routes that are added later.
func countServed(app *fiber.App, tel *telemetry.Telemetry) error {
	s := &served{others: make(map[string]outcomes), vec: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "shop_served_requests_total",
		Help: "Requests by the version of the service that served them and outcome; health checks are none. Statuses above 499 are errors.",
	}, []string{"version", "outcome"})}
	if err := tel.Registry().Register(s.vec); err != nil {
		return fmt.Errorf("count requests by version: %w", err)
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
	failed := true // should it panic
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

// other finds a version's counters, and makes them for one that is new.
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

// statusOf is the status that a request will be answered with.
func statusOf(c *fiber.Ctx, err error) int {
	if err == nil {
		return c.Response().StatusCode()
	}
	status, _ := asError(err).Code.Status()
	if status == 0 {
		return http.StatusInternalServerError // as sendProblem has it
	}
	return status
}
