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

// requester is a fault that gets hold of requests. An error is the answer;
// after nil the request goes on.
type requester interface {
	request(c *fiber.Ctx) error
}

// Router adds routes to app that faults can get hold of: they come first of what
// a route runs, when the request is known to telemetry and its route is found.
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

// serves reports a route that the service does not have, for which a fault would
// show nothing.
func (s *Set) serves(r route) error {
	app := s.app.Load()
	if app == nil {
		return errNotHere
	}
	if r == (route{}) || slices.ContainsFunc(app.GetRoutes(true), r.covers) {
		return nil
	}
	return fmt.Errorf("parameter \"route\": %s serves no %q", s.cfg.Service, r)
}

// router puts a handler before those of each route.
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

// Checks are readiness checks that a fault can make fail.
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

// Clock is a clock that a fault can put wrong.
func (s *Set) Clock(now func() time.Time) func() time.Time {
	if s == nil {
		return now
	}
	return func() time.Time { return now().Add(time.Duration(s.skew.Load())) }
}

// DialContext connects as the service's Dialer does.
func (s *Set) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if s == nil || s.dialer == nil {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	return s.dialer.DialContext(ctx, network, addr)
}

// Pool names the database's pool of which a fault can take connections.
func (s *Set) Pool(pool *sql.DB) {
	if s != nil {
		s.pool.Store(pool)
	}
}

// Poison names what puts an event on the stream that cannot be worked off.
func (s *Set) Poison(publish func(ctx context.Context) error) {
	if s != nil {
		s.poison.Store(&publish)
	}
}

// Stampede is whether caches are to be passed by.
func (s *Set) Stampede() bool { return s != nil && s.stampede.on() }

// NPlusOne is whether a list is to be read with a query for each of its items.
func (s *Set) NPlusOne() bool { return s != nil && s.nPlusOne.on() }
