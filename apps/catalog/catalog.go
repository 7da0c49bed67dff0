// Package catalog is the service that knows the products and their stock: it
// lists them through a cache, and reserves and releases stock for orders.
//
// It must not know what an order is, beyond its id.
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

// Name of the service.
const Name = "catalog"

//go:embed migrations/*.sql
var migrations embed.FS

// Product is what customers see.
type Product struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Category    string `json:"category"`
	PriceMinor  int64  `json:"price_minor"` // in the currency's smallest unit
	Currency    string `json:"currency"`
	Available   bool   `json:"available"` // as of when it was cached
}

// Line is some of one product.
type Line struct {
	ProductID string `json:"product_id"`
	Quantity  int64  `json:"quantity"`
}

// PricedLine is a line at the price of the moment it was reserved.
type PricedLine struct {
	Line
	PriceMinor int64 `json:"price_minor"` // of one piece
}

// Reservation is stock that is kept for an order.
type Reservation struct {
	OrderID    string       `json:"order_id"`
	Lines      []PricedLine `json:"lines"`
	TotalMinor int64        `json:"total_minor"`
	Currency   string       `json:"currency"`
}

// MaxQuantity is the most pieces of one product in an order. The restock policy
// relies on it: what is restocked at all always has more on hand.
const MaxQuantity = 100

// Currency of every price.
const Currency = "EUR"

// Config says where the service listens and keeps its data.
type Config struct {
	Addr      string
	AdminAddr string
	Database  string        // as of storage.Open
	CacheSize int           // most products cached; default 256
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

// Deps are what the service does not make itself.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Faults    *fault.Set // nil: none
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

// New opens the database, seeds it if it is new, and takes the addresses.
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

// URL is where the service answers.
func (s *Service) URL() string { return s.server.URL() }

// Run serves until ctx ends, then finishes requests and closes the database.
func (s *Service) Run(ctx context.Context) error {
	return errors.Join(s.server.Serve(ctx), s.db.Close())
}
