// Package orders is the service that turns a basket into an order: a saga that
// reserves stock, charges the customer and confirms, or undoes in reverse what it
// did. Each step is written down first, so that any process can die at any time
// and another finishes. Confirmed orders are published through an outbox.
//
// It must not know how stock is kept, money moved, or parcels sent.
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

// Name of the service.
const Name = "orders"

//go:embed migrations/*.sql
var migrations embed.FS

// Config says where the service listens, keeps its data, and how patient it is.
type Config struct {
	Addr      string
	AdminAddr string
	Database  string        // as of storage.Open
	Timeout   time.Duration // most time of a request, and of one try of a saga; default 5 s
	// GiveUp is the age at which an order that cannot be finished is undone;
	// default 2 min.
	GiveUp time.Duration
	Poll   time.Duration // how often unfinished work is looked for; default 500 ms
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

// Stock keeps stock for orders.
type Stock interface {
	Reserve(ctx context.Context, orderID string, lines []catalog.Line) (catalog.Reservation, error)
	Release(ctx context.Context, orderID string) error
}

// Payments takes money for orders.
type Payments interface {
	Charge(ctx context.Context, r payments.ChargeRequest) (payments.Charge, error)
	Refund(ctx context.Context, orderID string) error
}

// Deps are what the service does not make itself.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Stock     Stock
	Payments  Payments
	Faults    *fault.Set // nil: none
	NATS      *nats.Conn // the caller closes it, after Run
}

// Service is the running orders.
type Service struct {
	cfg    Config
	tel    *telemetry.Telemetry
	db     *sql.DB
	server *web.Server
	store  store
	saga   *saga
	outbox *outbox
}

// New opens the database and takes the addresses.
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

// now is the time as a column can hold it.
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
		// Events wait in the outbox while the broker is away.
		Checks: deps.Faults.Checks(map[string]web.Check{"database": s.db.PingContext}),
		Admin:  deps.Faults.Admin(),
	}, s.tel)
	if err != nil {
		return err
	}
	s.routes(deps.Faults.Router(s.server.App()))
	return nil
}

// URL is where the service answers.
func (s *Service) URL() string { return s.server.URL() }

// Run serves, resumes sagas and publishes until ctx ends; then it finishes what
// is under way and closes the database.
func (s *Service) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	loops := make(chan struct{})
	go func() {
		defer close(loops)
		s.loops(background)
	}()
	err := s.server.Serve(ctx)
	stop() // after the requests, whose orders it publishes
	<-loops
	return errors.Join(err, s.db.Close())
}
