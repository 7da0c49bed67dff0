// Package gateway is the public entry of the shop. It logs users in, limits the
// request rate of users and addresses, and forwards requests to catalog and
// orders.
//
// It must not know how an order is fulfilled.
package gateway

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/cors"
	"github.com/gofiber/fiber/v2/middleware/helmet"
	"go.opentelemetry.io/otel/trace"

	"firedrill/apps/catalog"
	"firedrill/apps/fault"
	"firedrill/apps/internal/web"
	"firedrill/apps/orders"
	"firedrill/telemetry"
)

// Name is the name of the service.
const Name = "gateway"

// Config configures the gateway.
type Config struct {
	Addr      string
	AdminAddr string
	JWTKey    []byte        // secret that signs tokens, at least 32 bytes
	TokenTTL  time.Duration // default 15 min
	Origins   []string      // browser origins that may call; default all, because tokens are not cookies
	User      Rate          // per user; default 20/s, burst 40
	// Address is the rate limit per address; default 2,000/s, burst 4,000. It
	// is high because a load generator is many users at one address.
	Address Rate
	Tracked int // maximum number of tracked users and of tracked addresses; default 10,000
}

// Rate is a rate limit in requests.
type Rate struct {
	PerSecond float64
	Burst     int
}

func (c Config) withDefaults() Config {
	if c.TokenTTL == 0 {
		c.TokenTTL = 15 * time.Minute
	}
	if len(c.Origins) == 0 {
		c.Origins = []string{"*"}
	}
	if c.User == (Rate{}) {
		c.User = Rate{PerSecond: 20, Burst: 40}
	}
	if c.Address == (Rate{}) {
		c.Address = Rate{PerSecond: 2000, Burst: 4000}
	}
	if c.Tracked == 0 {
		c.Tracked = 10_000
	}
	return c
}

// minKey is the minimum length of a key for HS256, in bytes (RFC 7518, section
// 3.2).
const minKey = 32

func (c Config) validate() error {
	if len(c.JWTKey) < minKey {
		return fmt.Errorf("configure gateway: the JWT key has %d bytes, want at least %d", len(c.JWTKey), minKey)
	}
	for _, r := range []Rate{c.User, c.Address} {
		if r.PerSecond <= 0 || r.Burst < 1 {
			return fmt.Errorf("configure gateway: rate %v/s with burst %d: want a rate greater than 0 and a burst of at least 1", r.PerSecond, r.Burst)
		}
	}
	return nil
}

// Catalog is the part of the catalog that the gateway uses.
type Catalog interface {
	Products(ctx context.Context) ([]catalog.Product, error)
	Product(ctx context.Context, id string) (catalog.Product, error)
	Healthy(ctx context.Context) error
}

// Orders is the part of orders that the gateway uses.
type Orders interface {
	Place(ctx context.Context, u orders.User, key string, r orders.PlaceRequest) (orders.Order, error)
	Order(ctx context.Context, u orders.User, id string) (orders.Order, error)
	Healthy(ctx context.Context) error
}

// Deps are the dependencies that the caller provides.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Faults    *fault.Set // nil: no faults
	Catalog   Catalog
	Orders    Orders
}

// requestTimeout is longer than the timeouts of the services that the gateway
// calls, so that the response says which one was slow.
const requestTimeout = 6 * time.Second

// Service is the running gateway.
type Service struct {
	server    *web.Server
	catalog   Catalog
	orders    Orders
	users     directory
	tokens    tokens
	byUser    *limiter
	byAddress *limiter
	metrics   *metrics
}

// New opens the listeners.
func New(ctx context.Context, cfg Config, deps Deps) (*Service, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(deps.Telemetry.Registry())
	if err != nil {
		return nil, err
	}
	s := &Service{
		catalog: deps.Catalog, orders: deps.Orders, metrics: m,
		users:     demoUsers(),
		tokens:    tokens{key: cfg.JWTKey, ttl: cfg.TokenTTL, now: time.Now, judged: deps.Faults.Clock(time.Now)},
		byUser:    newLimiter(cfg.User, cfg.Tracked),
		byAddress: newLimiter(cfg.Address, cfg.Tracked),
	}
	s.server, err = web.New(ctx, web.Config{
		Name: Name, Addr: cfg.Addr, AdminAddr: cfg.AdminAddr, Timeout: requestTimeout,
		Checks: deps.Faults.Checks(map[string]web.Check{"catalog": deps.Catalog.Healthy, "orders": deps.Orders.Healthy}),
		Admin:  deps.Faults.Admin(),
	}, deps.Telemetry)
	if err != nil {
		return nil, err
	}
	s.routes(deps.Faults.Router(s.server.App()), cfg.Origins)
	return s, nil
}

func (s *Service) routes(app fiber.Router, origins []string) {
	app.Use(
		traceHeader,
		helmet.New(helmet.Config{
			ContentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'", // no response is a page
			XFrameOptions:         "DENY",
		}),
		cors.New(cors.Config{
			AllowOrigins:  strings.Join(origins, ","),
			AllowMethods:  "GET,POST",
			AllowHeaders:  "Authorization,Content-Type,Idempotency-Key,Traceparent",
			ExposeHeaders: "Location,Retry-After,X-Trace-Id",
			MaxAge:        600, // seconds
		}),
		s.limitAddress,
	)
	app.Post("/login", s.login)
	app.Get("/products", s.getProducts)
	app.Get("/products/:id", s.getProduct)
	app.Post("/orders", s.authenticate, s.postOrder)
	app.Get("/orders/:id", s.authenticate, s.getOrder)
}

// traceHeader sets X-Trace-Id, which a client can report when it asks for help.
func traceHeader(c *fiber.Ctx) error {
	if sc := trace.SpanContextFromContext(c.UserContext()); sc.HasTraceID() {
		c.Set("X-Trace-Id", sc.TraceID().String())
	}
	return c.Next()
}

// URL returns the gateway's URL.
func (s *Service) URL() string { return s.server.URL() }

// Run serves until ctx ends, then finishes the active requests.
func (s *Service) Run(ctx context.Context) error { return s.server.Serve(ctx) }
