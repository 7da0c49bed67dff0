// Package shipping is the worker that ships confirmed orders. It receives an
// event from the broker, ships the order once, calls orders, and then
// acknowledges the event.
//
// It must not know how an order was confirmed.
package shipping

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"firedrill/apps/fault"
	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
	"firedrill/telemetry"
)

// Name is the name of the service and of its durable consumer.
const Name = "shipping"

//go:embed migrations/*.sql
var migrations embed.FS

// Config configures the service.
type Config struct {
	Addr      string
	AdminAddr string
	Database  string        // as for storage.Open
	Workers   int           // events processed concurrently; default 4
	Attempts  int           // deliveries after which an event that cannot be processed is dropped; default 5
	Retry     time.Duration // pause before an event is delivered again, doubling up to 1 min; default 500 ms
}

func (c Config) withDefaults() Config {
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Attempts == 0 {
		c.Attempts = 5
	}
	if c.Retry == 0 {
		c.Retry = 500 * time.Millisecond
	}
	return c
}

// Orders is the part of orders that shipping uses.
type Orders interface {
	Shipped(ctx context.Context, orderID string) error
}

// Deps are the dependencies that the caller provides.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Faults    *fault.Set // nil: no faults
	Orders    Orders
	NATS      *nats.Conn // the caller closes it after Run
}

// Service is the running shipping service.
type Service struct {
	db     *sql.DB
	server *web.Server
	worker *worker
}

// New opens the database and the listeners.
func New(ctx context.Context, cfg Config, deps Deps) (*Service, error) {
	cfg = cfg.withDefaults()
	db, err := storage.Open(ctx, Name, cfg.Database, migrations, storage.Options{
		Telemetry: deps.Telemetry, Dial: deps.Faults.DialContext, Wrap: deps.Faults.Connector,
	})
	if err != nil {
		return nil, err
	}
	deps.Faults.Pool(db)
	s := &Service{db: db}
	if err := s.start(ctx, cfg, deps); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Service) start(ctx context.Context, cfg Config, deps Deps) error {
	m, err := newMetrics(deps.Telemetry.Registry())
	if err != nil {
		return err
	}
	js, err := jetstream.New(deps.NATS)
	if err != nil {
		return err
	}
	s.worker = &worker{
		cfg: cfg, js: js, tel: deps.Telemetry, metrics: m, orders: deps.Orders,
		store: store{db: s.db, now: time.Now},
	}
	s.server, err = web.New(ctx, web.Config{
		Name: Name, Addr: cfg.Addr, AdminAddr: cfg.AdminAddr,
		Admin: deps.Faults.Admin(),
		Checks: deps.Faults.Checks(map[string]web.Check{
			"database": s.db.PingContext,
			"broker": func(context.Context) error {
				if status := deps.NATS.Status(); status != nats.CONNECTED {
					return fmt.Errorf("broker: %s", status)
				}
				return nil
			},
		}),
	}, deps.Telemetry)
	return err
}

// URL returns the service's URL. It has only health checks.
func (s *Service) URL() string { return s.server.URL() }

// Run ships until ctx ends. Then it finishes active work and closes the
// database.
func (s *Service) Run(ctx context.Context) error {
	work := make(chan struct{})
	working, stop := context.WithCancel(ctx)
	go func() {
		defer close(work)
		s.worker.loop(working)
	}()
	err := s.server.Serve(ctx)
	stop()
	<-work
	return errors.Join(err, s.db.Close())
}
