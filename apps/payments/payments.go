// Package payments is the service that charges customers through the bank, once
// for each order. It refunds orders that are undone, and audits the bank's
// statement.
//
// It must not know what was bought.
package payments

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"time"

	"firedrill/apps/bank"
	"firedrill/apps/fault"
	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
	"firedrill/telemetry"
)

// Name is the name of the service.
const Name = "payments"

//go:embed migrations/*.sql
var migrations embed.FS

// Config configures the service.
type Config struct {
	Addr       string
	AdminAddr  string
	Database   string        // as for storage.Open
	Patience   Patience      // timeouts and retries of calls to the bank
	AuditEvery time.Duration // interval of the audit; default 5 s
}

func (c Config) withDefaults() Config {
	c.Patience = c.Patience.withDefaults()
	if c.AuditEvery == 0 {
		c.AuditEvery = 5 * time.Second
	}
	return c
}

// Bank is the part of the bank that payments uses.
type Bank interface {
	Charge(ctx context.Context, key string, r bank.ChargeRequest) (bank.Charge, error)
	Void(ctx context.Context, key string) error
	Statement(ctx context.Context, after int64) ([]bank.Entry, error)
}

// Deps are the dependencies that the caller provides.
type Deps struct {
	Telemetry *telemetry.Telemetry
	Faults    *fault.Set // nil: no faults
	Bank      Bank
}

// Service is the running payments service.
type Service struct {
	cfg     Config
	tel     *telemetry.Telemetry
	db      *sql.DB
	server  *web.Server
	store   store
	teller  *teller
	bank    Bank
	metrics *metrics
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
	s := &Service{cfg: cfg, tel: deps.Telemetry, db: db, bank: deps.Bank, store: store{db: db, now: time.Now}}
	if err := s.start(ctx, cfg, deps.Faults); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *Service) start(ctx context.Context, cfg Config, faults *fault.Set) (err error) {
	if s.metrics, err = newMetrics(s.tel.Registry()); err != nil {
		return err
	}
	s.teller = newTeller(s.bank, cfg.Patience, s.metrics, s.tel.Logger())
	s.server, err = web.New(ctx, web.Config{
		Name: Name, Addr: cfg.Addr, AdminAddr: cfg.AdminAddr, Timeout: cfg.Patience.Total + time.Second,
		Checks: faults.Checks(map[string]web.Check{"database": s.db.PingContext}),
		Admin:  faults.Admin(),
	}, s.tel)
	if err != nil {
		return err
	}
	s.routes(faults.Router(s.server.App()))
	return nil
}

// URL returns the service's URL.
func (s *Service) URL() string { return s.server.URL() }

// Run serves requests and audits until ctx ends. Then it finishes the active
// requests and closes the database.
func (s *Service) Run(ctx context.Context) error {
	audits := make(chan struct{})
	auditing, stop := context.WithCancel(ctx)
	go func() {
		defer close(audits)
		s.auditLoop(auditing)
	}()
	err := s.server.Serve(ctx)
	stop()
	<-audits
	return errors.Join(err, s.db.Close())
}

// charge charges an order, unless that was done or rejected before. If the
// outcome is unknown, it returns web.Unavailable or web.TimedOut and may be
// called again, because the bank knows the order's id.
func (s *Service) charge(ctx context.Context, r ChargeRequest) (Charge, error) {
	c, err := s.store.begin(ctx, r)
	if err != nil || c.Status != pending {
		return c, err
	}
	answer, err := s.teller.charge(ctx, r.OrderID, bank.ChargeRequest{
		AmountMinor: c.AmountMinor, Currency: c.Currency, Card: r.Card,
	})
	switch web.CodeOf(err) {
	case "":
		return s.settle(ctx, r.OrderID, charged, answer.ID)
	case web.Declined:
		return s.settle(ctx, r.OrderID, declined, "")
	case web.Voided:
		return s.settle(ctx, r.OrderID, voided, "")
	default:
		return c, err
	}
}

// settle stores the bank's answer. It does so even if the request has timed
// out, because the answer is now known.
func (s *Service) settle(ctx context.Context, orderID, status, bankID string) (Charge, error) {
	const limit = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	return s.store.settle(ctx, orderID, status, bankID)
}

// refund refunds an order, even if the outcome of its charge is unknown, and
// rejects a later charge.
func (s *Service) refund(ctx context.Context, orderID string) error {
	asked, err := s.store.refundable(ctx, orderID)
	if err != nil || !asked {
		return err
	}
	if err := s.teller.void(ctx, orderID); err != nil {
		return err
	}
	return s.store.void(ctx, orderID)
}
