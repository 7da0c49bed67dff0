package orders

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"firedrill/apps/catalog"
	"firedrill/apps/internal/natstest"
	"firedrill/apps/internal/web"
	"firedrill/apps/payments"
	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// peers is a fake of catalog and payments. It returns the configured failures
// and records what is reserved and charged.
type peers struct {
	mu       sync.Mutex
	failures map[string][]error // by call: reserve, release, charge, refund; nil means success
	calls    []string
	reserved map[string]bool
	charged  map[string]int64
	block    chan struct{} // if set, calls of Charge wait for it
}

func newPeers() *peers {
	return &peers{failures: make(map[string][]error), reserved: make(map[string]bool), charged: make(map[string]int64)}
}

// call records a call and returns its next failure.
func (p *peers) call(name string) error {
	p.calls = append(p.calls, name)
	if len(p.failures[name]) == 0 {
		return nil
	}
	err := p.failures[name][0]
	p.failures[name] = p.failures[name][1:]
	return err
}

func (p *peers) Reserve(_ context.Context, id string, lines []catalog.Line) (catalog.Reservation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("reserve"); err != nil {
		return catalog.Reservation{}, err
	}
	p.reserved[id] = true
	r := catalog.Reservation{OrderID: id, Currency: catalog.Currency}
	for _, l := range lines {
		r.Lines = append(r.Lines, catalog.PricedLine{Line: l, PriceMinor: 100})
		r.TotalMinor += 100 * l.Quantity
	}
	return r, nil
}

func (p *peers) Release(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("release"); err != nil {
		return err
	}
	delete(p.reserved, id)
	return nil
}

func (p *peers) Charge(_ context.Context, r payments.ChargeRequest) (payments.Charge, error) {
	if p.block != nil {
		<-p.block
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("charge"); err != nil {
		return payments.Charge{}, err
	}
	p.charged[r.OrderID] = r.AmountMinor
	return payments.Charge{OrderID: r.OrderID}, nil
}

func (p *peers) Refund(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call("refund"); err != nil {
		return err
	}
	delete(p.charged, id)
	return nil
}

// fixture is a service without background loops. Tests drive it.
type fixture struct {
	*Service
	peers *peers
	now   time.Time
}

// newFixture returns a fixture with a clock that stands still.
func newFixture(t *testing.T, database string, nc *nats.Conn) *fixture {
	t.Helper()
	if nc == nil {
		nc = natstest.Connect(t)
	}
	f := &fixture{peers: newPeers(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s, err := New(t.Context(), Config{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Database: database},
		Deps{Telemetry: telemetrytest.New(t, telemetry.Config{Service: Name}), Stock: f.peers, Payments: f.peers, NATS: nc})
	if err != nil {
		t.Fatal(err)
	}
	s.store.now = func() time.Time { return f.now }
	s.saga.store.now, s.outbox.store.now = s.store.now, s.store.now
	f.Service = s
	return f
}

// serve runs only the listener, until the test ends, and returns a client.
func (f *fixture) serve(t *testing.T) *Client {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		f.db.Close()
	})
	return NewClient(f.URL(), http.DefaultClient)
}

// state returns the state and reason of an order, which must exist.
func (f *fixture) state(t *testing.T, id string) (State, Reason) {
	t.Helper()
	o, err := f.store.find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o.state, o.reason
}

// only returns the id of the only order.
func (f *fixture) only(t *testing.T) string {
	t.Helper()
	var id string
	var n int
	if err := f.db.QueryRowContext(t.Context(), "SELECT MAX(id), COUNT(*) FROM orders").Scan(&id, &n); err != nil || n != 1 {
		t.Fatalf("%d orders, %v; want 1", n, err)
	}
	return id
}

var (
	alice = User{ID: "alice", Role: "customer"}
	bob   = User{ID: "bob", Role: "customer"}
	boss  = User{ID: "boss", Role: RoleStaff}

	basket = PlaceRequest{Lines: []catalog.Line{{ProductID: "p-001", Quantity: 2}}}

	away = web.Errorf(web.Unavailable, "down")
	slow = web.Errorf(web.TimedOut, "slow")
)
