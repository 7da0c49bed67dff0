package fault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/internal/web"
)

// requester is a fault that acts on requests. An error becomes the response.
// After nil the request continues.
type requester interface {
	request(c *fiber.Ctx) error
}

// Router returns a router for app whose routes faults can act on. Faults run
// before the route's handlers, when telemetry has begun and the route is known.
func (s *Set) Router(app *fiber.App) fiber.Router {
	if s == nil {
		return app
	}
	s.app.Store(app)
	return router{app, s.handle}
}

func (s *Set) handle(c *fiber.Ctx) error {
	for _, r := range s.requests.load() {
		if err := r.request(c); err != nil {
			return err
		}
	}
	return c.Next()
}

// serves returns an error if the service does not have the route, because a
// fault on it would have no effect.
func (s *Set) serves(r route) error {
	app := s.app.Load()
	if app == nil {
		return errNotHere
	}
	if r == (route{}) || slices.ContainsFunc(app.GetRoutes(true), r.covers) {
		return nil
	}
	return fmt.Errorf("parameter \"route\": %s has no route %q", s.cfg.Service, r)
}

// router adds a handler in front of the handlers of each route.
type router struct {
	fiber.Router
	first fiber.Handler
}

func (r router) with(handlers []fiber.Handler) []fiber.Handler {
	return append([]fiber.Handler{r.first}, handlers...)
}

// Get implements fiber.Router.
func (r router) Get(path string, handlers ...fiber.Handler) fiber.Router {
	return r.Router.Get(path, r.with(handlers)...)
}

// Post implements fiber.Router.
func (r router) Post(path string, handlers ...fiber.Handler) fiber.Router {
	return r.Router.Post(path, r.with(handlers)...)
}

// Delete implements fiber.Router.
func (r router) Delete(path string, handlers ...fiber.Handler) fiber.Router {
	return r.Router.Delete(path, r.with(handlers)...)
}

// Checks returns readiness checks that a fault can make fail.
func (s *Set) Checks(checks map[string]web.Check) map[string]web.Check {
	if s == nil {
		return checks
	}
	out := make(map[string]web.Check, len(checks))
	for name, check := range checks {
		out[name] = func(ctx context.Context) error {
			if s.unready.on() {
				return errors.New(name + " does not answer")
			}
			return check(ctx)
		}
	}
	return out
}

// Clock returns a clock that a fault can move.
func (s *Set) Clock(now func() time.Time) func() time.Time {
	if s == nil {
		return now
	}
	return func() time.Time { return now().Add(time.Duration(s.skew.Load())) }
}

// DialContext dials with the service's Dialer.
func (s *Set) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if s == nil || s.dialer == nil {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	return s.dialer.DialContext(ctx, network, addr)
}

// Pool sets the database pool from which a fault can take connections.
func (s *Set) Pool(pool *sql.DB) {
	if s != nil {
		s.pool.Store(pool)
	}
}

// Poison sets the function that publishes an event that consumers cannot
// process.
func (s *Set) Poison(publish func(ctx context.Context) error) {
	if s != nil {
		s.poison.Store(&publish)
	}
}

// Stampede reports whether caches must be bypassed.
func (s *Set) Stampede() bool { return s != nil && s.stampede.on() }

// NPlusOne reports whether a list must be read with one query for each item.
func (s *Set) NPlusOne() bool { return s != nil && s.nPlusOne.on() }
