package server

import (
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// unmatchedRoute is the label value for requests that matched no route.
const unmatchedRoute = "unmatched"

// routes finds the route that served a request.
type routes struct {
	app      *fiber.App
	metrics  *metrics
	statuses []int

	// known maps Fiber's routes to ours. Fiber does not move its routes while
	// it serves, so their addresses can be keys.
	known atomic.Pointer[map[*fiber.Route]*route]

	mu     sync.Mutex
	byName map[[2]string]*route
	none   []*route // by method
}

// route is one method and path template.
type route struct {
	method, template string
	span             string // name of its spans
	panics           prometheus.Counter

	metrics *metrics
	mu      sync.Mutex
	seen    atomic.Pointer[[]*series] // copied on write; one per status, so few
}

func newRoutes(app *fiber.App, m *metrics, statuses []int) *routes {
	r := &routes{app: app, metrics: m, statuses: statuses, byName: map[[2]string]*route{}}
	r.known.Store(&map[*fiber.Route]*route{})
	for _, method := range methods {
		r.none = append(r.none, r.newRoute(method.name, unmatchedRoute))
	}
	return r
}

func (r *routes) unmatched(m *method) *route { return r.none[m.index] }

// of returns the route for the Fiber route that ended the request.
func (r *routes) of(fr *fiber.Route, m *method) *route {
	if found, ok := (*r.known.Load())[fr]; ok {
		return found
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.unmatched(m)
	if r.endpoint(fr) {
		found = r.named(fr.Method, fr.Path)
	}
	old := *r.known.Load()
	next := make(map[*fiber.Route]*route, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	next[fr] = found
	r.known.Store(&next)
	return found
}

// endpoint reports whether a route has its own handler. A middleware's route,
// which Fiber leaves in the context when nothing else matched, has none. The
// handlers' address is the only identity in Fiber's public API.
func (r *routes) endpoint(fr *fiber.Route) bool {
	if len(fr.Handlers) == 0 {
		return false
	}
	for _, known := range r.app.GetRoutes(true) {
		if len(known.Handlers) > 0 && &known.Handlers[0] == &fr.Handlers[0] {
			return true
		}
	}
	return false
}

// precreate creates the series of all routes that exist now.
func (r *routes) precreate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fr := range r.app.GetRoutes(true) {
		if fr.Method == fiber.MethodHead { // Fiber adds one for each GET
			continue
		}
		route := r.named(fr.Method, fr.Path)
		for _, status := range r.statuses {
			route.series(status, false)
		}
	}
}

// named returns the route of a method and template. The caller holds r.mu.
func (r *routes) named(method, template string) *route {
	key := [2]string{method, template}
	found, ok := r.byName[key]
	if !ok {
		found = r.newRoute(methodOf(method).name, template)
		r.byName[key] = found
	}
	return found
}

func (r *routes) newRoute(method, template string) *route {
	span := method + " " + template
	if template == unmatchedRoute {
		span = method
	}
	route := &route{
		method: method, template: template, span: span, metrics: r.metrics,
		panics: r.metrics.panics.WithLabelValues(method, template),
	}
	route.seen.Store(&[]*series{})
	return route
}

// series returns the metrics for one status of the route.
func (r *route) series(status int, tls bool) *series {
	for _, s := range *r.seen.Load() {
		if s.status == status && s.tls == tls {
			return s
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.seen.Load()
	for _, s := range old { // another goroutine was faster
		if s.status == status && s.tls == tls {
			return s
		}
	}
	made := r.metrics.series(r, status, tls)
	next := append(old[:len(old):len(old)], made)
	r.seen.Store(&next)
	return made
}
