// Package bank is an external provider that takes the shop's payments. It is
// somewhat slow, sometimes declines a charge, and has no telemetry, like a real
// external provider.
//
// It must not know the shop.
package bank

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"firedrill/apps/fault"
	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
)

// Name is the name of the service.
const Name = "bank"

//go:embed migrations/*.sql
var migrations embed.FS

// CardDeclined is a card that is always declined.
const CardDeclined = "card-declined"

// Config configures the bank.
type Config struct {
	Addr      string
	AdminAddr string
	Database  string // as for storage.Open
	Behaviour Behaviour
}

// Behaviour describes how slow the bank is and how often it declines.
type Behaviour struct {
	Seed uint64
	// Latency is the median of a log-normal distribution. Spread is the σ of
	// its logarithm: with 0.5, the 99th percentile is 3.2 times the median.
	Latency time.Duration
	Spread  float64
	Decline float64 // share of the charges that are declined, 0 to 1
}

// DefaultBehaviour returns the behaviour of a good bank on a normal day.
func DefaultBehaviour() Behaviour {
	return Behaviour{Seed: 1, Latency: 25 * time.Millisecond, Spread: 0.5, Decline: 0.01}
}

// Validate returns an error if a value is out of range.
func (b Behaviour) Validate() error {
	if b.Latency < 0 || b.Spread < 0 || b.Decline < 0 || b.Decline > 1 {
		return fmt.Errorf("configure bank: latency %v, spread %v, decline %v: want at least 0, and decline at most 1", b.Latency, b.Spread, b.Decline)
	}
	return nil
}

// Service is the running bank.
type Service struct {
	db     *sql.DB
	server *web.Server
	store  store
	moods  moods
}

// Deps are the dependencies that the caller provides.
type Deps struct {
	Faults *fault.Set // nil: no faults
}

// New opens the ledger and the listeners.
func New(ctx context.Context, cfg Config, deps Deps) (*Service, error) {
	if err := cfg.Behaviour.Validate(); err != nil {
		return nil, err
	}
	db, err := storage.Open(ctx, Name, cfg.Database, migrations, storage.Options{Dial: deps.Faults.DialContext, Wrap: deps.Faults.Connector})
	if err != nil {
		return nil, err
	}
	deps.Faults.Pool(db)
	server, err := web.New(ctx, web.Config{
		Name: Name, Addr: cfg.Addr, AdminAddr: cfg.AdminAddr, Timeout: time.Minute,
		Checks: deps.Faults.Checks(map[string]web.Check{"database": db.PingContext}),
		Admin:  deps.Faults.Admin(),
	}, nil)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &Service{
		db: db, server: server, store: store{db: db, now: time.Now},
		moods: moods{Behaviour: cfg.Behaviour, random: rand.New(rand.NewPCG(cfg.Behaviour.Seed, 0))},
	}
	s.routes(deps.Faults.Router(server.App()))
	return s, nil
}

// URL returns the bank's URL.
func (s *Service) URL() string { return s.server.URL() }

// Run serves until ctx ends, then finishes the active requests and closes the
// ledger.
func (s *Service) Run(ctx context.Context) error {
	return errors.Join(s.server.Serve(ctx), s.db.Close())
}

// moods makes the random decisions of a Behaviour.
type moods struct {
	Behaviour
	mu     sync.Mutex
	random *rand.Rand
}

// latency returns a sample of the log-normal distribution exp(ln Latency +
// Spread·N(0,1)).
func (m *moods) latency() time.Duration {
	m.mu.Lock()
	n := m.random.NormFloat64()
	m.mu.Unlock()
	return time.Duration(float64(m.Latency) * math.Exp(m.Spread*n))
}

// declines reports whether a charge is declined. It depends on the key, so a
// repeated charge gets the same answer even if the first was not recorded.
func (m *moods) declines(key, card string) bool {
	if card == CardDeclined {
		return true
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", m.Seed, key)
	return rand.New(rand.NewPCG(h.Sum64(), m.Seed)).Float64() < m.Decline
}

// wait sleeps for d. If ctx ends first, it returns ctx's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
