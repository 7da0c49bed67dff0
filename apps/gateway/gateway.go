// Package gateway is the shop's public edge: it logs users in, limits how much
// one user or one address may ask, and passes requests on to the catalog and to
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

// Name of the service.
const Name = "gateway"

// Config says where the gateway listens and what it lets in.
type Config struct {
	Addr      string
	AdminAddr string
	JWTKey    []byte        // secret that signs tokens, 32 bytes or more
	TokenTTL  time.Duration // default 15 min
	Origins   []string      // of browsers that may call; default all: tokens are no cookies
	User      Rate          // of each user; default 20/s, 40 at once
	// Address is the rate of each address; default 2,000/s, 4,000 at once. It is
	// that high because a load generator is many users at one address.
	Address Rate
	Tracked int // users, and addresses, whose rate is remembered; default 10,000
}

// Rate is how much somebody may ask.
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

// minKey is the least length of a key for HS256, in bytes (RFC 7518, 3.2).
const minKey = 32

func (c Config) validate() error {
	if len(c.JWTKey) < minKey {
		return fmt.Errorf("configure the gateway: the JWT key has %d bytes: want %d or more", len(c.JWTKey), minKey)
	}
	for _, r := range []Rate{c.User, c.Address} {
		if r.PerSecond <= 0 || r.Burst < 1 {
			return fmt.Errorf("configure the gateway: rate %v/s with bursts of %d: want above 0, and 1 or more", r.PerSecond, r.Burst)
		}
	}
	return nil
}

// Catalog is what the gateway needs of the catalog.
type Catalog interface {
	Products(ctx context.Context) ([]catalog.Product, error)
	Product(ctx context.Context, id string) (catalog.Product, error)
	Healthy(ctx context.Context) error
}

// Orders is what the gateway needs of orders.
type Orders interface {
	Place(ctx context.Context, u orders.User, key string, r orders.PlaceRequest) (orders.Order, error)
	Order(ctx context.Context, u orders.User, id string) (orders.Order, error)
	Healthy(ctx context.Context) error
}

// Deps are what the gateway does not make itself.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Faults    *fault.Set // nil: none
	Catalog   Catalog
	Orders    Orders
}

// requestTimeout is longer than any that it waits for, so that the answer says
// who was slow.
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

// New takes the addresses.
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
			ContentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'", // nothing here is a page
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

// traceHeader tells the client where to look when it asks for help.
func traceHeader(c *fiber.Ctx) error {
	if sc := trace.SpanContextFromContext(c.UserContext()); sc.HasTraceID() {
		c.Set("X-Trace-Id", sc.TraceID().String())
	}
	return c.Next()
}

// URL is where the gateway answers.
func (s *Service) URL() string { return s.server.URL() }

// Run serves until ctx ends, then finishes requests.
func (s *Service) Run(ctx context.Context) error { return s.server.Serve(ctx) }
