// Package orders is the service that turns a basket into an order. Each order
// is a saga: it reserves stock, charges the customer and confirms, or undoes
// its steps in reverse order. Each step is stored before the next one begins,
// so a process may crash at any time and another can finish the order.
// Confirmed orders are published through an outbox.
//
// It must not know how stock is kept, how money moves, or how parcels are sent.
package orders

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"firedrill/apps/catalog"
	"firedrill/apps/fault"
	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
	"firedrill/apps/payments"
	"firedrill/telemetry"
)

// Name is the name of the service.
const Name = "orders"

//go:embed migrations/*.sql
var migrations embed.FS

// Config configures the service.
type Config struct {
	Addr      string
	AdminAddr string
	Database  string        // as for storage.Open
	Timeout   time.Duration // time limit of a request and of one attempt of a saga; default 5 s
	// GiveUp is the age at which an unfinished order is undone; default 2 min.
	GiveUp time.Duration
	Poll   time.Duration // interval of the search for unfinished work; default 500 ms
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.GiveUp == 0 {
		c.GiveUp = 2 * time.Minute
	}
	if c.Poll == 0 {
		c.Poll = 500 * time.Millisecond
	}
	return c
}

// Stock reserves stock for orders.
type Stock interface {
	Reserve(ctx context.Context, orderID string, lines []catalog.Line) (catalog.Reservation, error)
	Release(ctx context.Context, orderID string) error
}

// Payments charges and refunds orders.
type Payments interface {
	Charge(ctx context.Context, r payments.ChargeRequest) (payments.Charge, error)
	Refund(ctx context.Context, orderID string) error
}

// Deps are the dependencies that the caller provides.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Stock     Stock
	Payments  Payments
	Faults    *fault.Set // nil: no faults
	NATS      *nats.Conn // the caller closes it after Run
}

// Service is the running orders service.
type Service struct {
	cfg    Config
	tel    *telemetry.Telemetry
	db     *sql.DB
	server *web.Server
	store  store
	saga   *saga
	outbox *outbox
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
	s := &Service{cfg: cfg, tel: deps.Telemetry, db: db, store: store{db: db, now: now, lease: cfg.Timeout + time.Second}}
	if err := s.start(ctx, cfg, deps); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// now returns the time in microseconds, the precision of the database columns.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (s *Service) start(ctx context.Context, cfg Config, deps Deps) error {
	m, err := newMetrics(s.tel.Registry())
	if err != nil {
		return err
	}
	js, err := jetstream.New(deps.NATS)
	if err != nil {
		return err
	}
	s.outbox = newOutbox(s.store, js, s.tel, m, cfg.Poll)
	deps.Faults.Poison(s.outbox.poison)
	s.saga = newSaga(s.store, deps.Stock, deps.Payments, s.tel, m, cfg)
	s.saga.confirmed = s.outbox.wake
	s.server, err = web.New(ctx, web.Config{
		Name: Name, Addr: cfg.Addr, AdminAddr: cfg.AdminAddr, Timeout: cfg.Timeout,
		// The broker is not checked: events wait in the outbox while it is
		// down.
		Checks: deps.Faults.Checks(map[string]web.Check{"database": s.db.PingContext}),
		Admin:  deps.Faults.Admin(),
	}, s.tel)
	if err != nil {
		return err
	}
	s.routes(deps.Faults.Router(s.server.App()))
	return nil
}

// URL returns the service's URL.
func (s *Service) URL() string { return s.server.URL() }

// Run serves requests, resumes sagas and publishes events until ctx ends. Then
// it finishes active work and closes the database.
func (s *Service) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	loops := make(chan struct{})
	go func() {
		defer close(loops)
		s.loops(background)
	}()
	err := s.server.Serve(ctx)
	stop() // after the last request, so that its order is published
	<-loops
	return errors.Join(err, s.db.Close())
}
