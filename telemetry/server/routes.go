package server

import (
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// unmatchedRoute labels the requests that no route was found for.
const unmatchedRoute = "unmatched"

// routes finds the metrics of the route that answered a request.
type routes struct {
	app      *fiber.App
	metrics  *metrics
	statuses []int

	// Fiber's routes stay where they are once the application serves, so their
	// addresses serve as keys and the map is soon complete.
	known atomic.Pointer[map[*fiber.Route]*route]

	mu     sync.Mutex
	byName map[[2]string]*route
	none   []*route // by method
}

// route is one method and template.
type route struct {
	method, template string
	span             string // the name of its spans
	panics           prometheus.Counter

	metrics *metrics
	mu      sync.Mutex
	seen    atomic.Pointer[[]*series] // few: one a status
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

// of returns the metrics of the route that Fiber ended in.
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

// endpoint tells a route with a handler of its own from a middleware's, which
// Fiber leaves in place when nothing else matched. The handlers' address is the
// only identity that its public API shows.
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

// precreate makes the series of all routes that the application has by now.
func (r *routes) precreate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, fr := range r.app.GetRoutes(true) {
		if fr.Method == fiber.MethodHead { // Fiber adds one to each GET
			continue
		}
		route := r.named(fr.Method, fr.Path)
		for _, status := range r.statuses {
			route.series(status, false)
		}
	}
}

// named returns the one route of a method and template. The lock is held.
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

// series returns the metrics of one status of the route.
func (r *route) series(status int, tls bool) *series {
	for _, s := range *r.seen.Load() {
		if s.status == status && s.tls == tls {
			return s
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.seen.Load()
	for _, s := range old { // somebody was faster
		if s.status == status && s.tls == tls {
			return s
		}
	}
	made := r.metrics.series(r, status, tls)
	next := append(old[:len(old):len(old)], made)
	r.seen.Store(&next)
	return made
}
