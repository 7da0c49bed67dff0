// Package catalog is the service for products and stock. It lists products
// through a cache, and reserves and releases stock for orders.
//
// It must know nothing about an order but its id.
package catalog

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"firedrill/apps/fault"
	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
	"firedrill/telemetry"
)

// Name is the name of the service.
const Name = "catalog"

//go:embed migrations/*.sql
var migrations embed.FS

// Product is a product as customers see it.
type Product struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Category    string `json:"category"`
	PriceMinor  int64  `json:"price_minor"` // in the currency's smallest unit
	Currency    string `json:"currency"`
	Available   bool   `json:"available"` // when the product was cached
}

// Line is a quantity of one product.
type Line struct {
	ProductID string `json:"product_id"`
	Quantity  int64  `json:"quantity"`
}

// PricedLine is a line with the price at the time of the reservation.
type PricedLine struct {
	Line
	PriceMinor int64 `json:"price_minor"` // of one piece, in the currency's smallest unit
}

// Reservation is stock that is reserved for an order.
type Reservation struct {
	OrderID    string       `json:"order_id"`
	Lines      []PricedLine `json:"lines"`
	TotalMinor int64        `json:"total_minor"`
	Currency   string       `json:"currency"`
}

// MaxQuantity is the maximum quantity of one product in an order. The restock
// rule relies on it: a product that is restocked always has more than this on
// hand.
const MaxQuantity = 100

// Currency is the currency of all prices.
const Currency = "EUR"

// Config configures the service.
type Config struct {
	Addr      string
	AdminAddr string
	Database  string        // as for storage.Open
	CacheSize int           // maximum number of cached products; default 256
	CacheTTL  time.Duration // default 5 s
}

func (c Config) withDefaults() Config {
	if c.CacheSize == 0 {
		c.CacheSize = 256
	}
	if c.CacheTTL == 0 {
		c.CacheTTL = 5 * time.Second
	}
	return c
}

// Deps are the dependencies that the caller provides.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Faults    *fault.Set // nil: no faults
}

// Service is the running catalog.
type Service struct {
	db       *sql.DB
	server   *web.Server
	store    store
	products *cache[Product]
	lists    *cache[[]Product]
	metrics  *metrics
}

// New opens the database, adds the products if they are missing, and opens the
// listeners.
func New(ctx context.Context, cfg Config, deps Deps) (*Service, error) {
	cfg = cfg.withDefaults()
	db, err := storage.Open(ctx, Name, cfg.Database, migrations, storage.Options{
		Telemetry: deps.Telemetry, Dial: deps.Faults.DialContext, Wrap: deps.Faults.Connector,
	})
	if err != nil {
		return nil, err
	}
	deps.Faults.Pool(db)
	s := &Service{db: db, store: store{db: db, now: time.Now}}
	if err := s.start(ctx, cfg, deps); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Service) start(ctx context.Context, cfg Config, deps Deps) (err error) {
	if err := s.store.seed(ctx, assortment()); err != nil {
		return fmt.Errorf("seed the catalog: %w", err)
	}
	if s.metrics, err = newMetrics(deps.Telemetry.Registry()); err != nil {
		return err
	}
	s.products = newCache(cfg.CacheSize, cfg.CacheTTL, s.store.product, s.metrics.lookups("product"))
	s.lists = newCache(1, cfg.CacheTTL, s.store.lister(deps.Faults.NPlusOne), s.metrics.lookups("list"))
	s.products.bypass, s.lists.bypass = deps.Faults.Stampede, deps.Faults.Stampede
	s.server, err = web.New(ctx, web.Config{
		Name: Name, Addr: cfg.Addr, AdminAddr: cfg.AdminAddr,
		Checks: deps.Faults.Checks(map[string]web.Check{"database": s.db.PingContext}),
		Admin:  deps.Faults.Admin(),
	}, deps.Telemetry)
	if err != nil {
		return err
	}
	s.routes(deps.Faults.Router(s.server.App()))
	return nil
}

// URL returns the service's URL.
func (s *Service) URL() string { return s.server.URL() }

// Run serves until ctx ends, then finishes the active requests and closes the
// database.
func (s *Service) Run(ctx context.Context) error {
	return errors.Join(s.server.Serve(ctx), s.db.Close())
}
