package fault

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"firedrill/apps/fault/kinds"
	"firedrill/apps/internal/web"
)

// Config configures the faults of a service.
type Config struct {
	Service string
	Token   string  // required from operators; "": faults are off
	Dialer  *Dialer // the service's dialer; nil: the service cannot be rerouted

	// Logger and Registry announce faults that request it. They are nil for a
	// service without telemetry.
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// mostActive is the maximum number of active faults.
const mostActive = 32

// errNotHere means that the service, or the way it is run, lacks what the fault
// needs.
var errNotHere = errors.New("this service has nothing that the fault can act on")

// Set holds the faults of one service. On a nil Set, the methods that a service
// calls do nothing and return their argument.
type Set struct {
	cfg       Config
	announcer *announcer
	dialer    *Dialer

	// The places where faults act.
	requests                    slot[requester]
	statements                  slot[querier]
	stampede, nPlusOne, unready toggle
	skew                        atomic.Int64 // ns
	pool                        atomic.Pointer[sql.DB]
	poison                      atomic.Pointer[func(context.Context) error]
	app                         atomic.Pointer[fiber.App]

	mu     sync.Mutex // guards the fields below
	active map[string]*active
	closed bool
}

// New returns the faults of a service. It returns nil if there is no token.
func New(cfg Config) (*Set, error) {
	if cfg.Token == "" {
		return nil, nil // a nil Set means that faults are off
	}
	s := &Set{cfg: cfg, dialer: cfg.Dialer, active: make(map[string]*active)}
	var err error
	if s.announcer, err = newAnnouncer(cfg, s.kinds()); err != nil {
		return nil, fmt.Errorf("set up faults of %q: %w", cfg.Service, err)
	}
	return s, nil
}

// active is a fault that has begun. The Set's lock guards all fields but undo
// and over.
type active struct {
	Active
	timer  *time.Timer
	ending bool
	undo   func()
	over   chan struct{} // closed when the fault is undone
}

// Begin starts a fault for the duration of a lease and returns when it is
// active. If a fault with the same id and spec is active, Begin renews its
// lease. fresh reports whether the fault is new. If a fault with the same id is
// ending, Begin waits for its end or for ctx.
func (s *Set) Begin(ctx context.Context, id string, spec Spec, lease time.Duration) (fresh bool, err error) {
	for {
		fresh, ending, err := s.tryBegin(id, spec, lease)
		if ending == nil {
			return fresh, err
		}
		select {
		case <-ending:
		case <-ctx.Done():
			return false, fmt.Errorf("begin fault %q: wait for the end of its predecessor: %w", id, ctx.Err())
		}
	}
}

// tryBegin is Begin without the wait. If a fault with the same id is ending, it
// returns a channel that is closed at its end.
func (s *Set) tryBegin(id string, spec Spec, lease time.Duration) (fresh bool, ending chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, known := s.active[id]
	switch {
	case s.closed:
		return false, nil, web.Errorf(web.Unavailable, "the service is stopping")
	case known && a.ending:
		return false, a.over, nil
	case known && !reflect.DeepEqual(a.Spec, spec):
		return false, nil, web.Errorf(web.IDTaken, "fault %q is active as %s with other parameters", id, a.Kind)
	case known:
		a.Ends = time.Now().Add(lease)
		a.timer.Reset(lease)
		return false, nil, nil
	case len(s.active) >= mostActive:
		return false, nil, web.Errorf(web.TooMany, "%d faults are active, which is the maximum", mostActive)
	}
	return true, nil, s.begin(id, spec, lease)
}

// begin starts a fault. The caller holds s.mu.
func (s *Set) begin(id string, spec Spec, lease time.Duration) error {
	kind, err := kinds.Of(spec.Kind)
	if err != nil {
		return malformed(err)
	}
	if !kind.ShownBy(s.cfg.Service) {
		return web.Errorf(web.Malformed, "kind %q: %s cannot show it, only %v", kind.Name, s.cfg.Service, kind.Services)
	}
	e, err := newEffect(kind, spec.Params)
	if err != nil {
		return malformed(err)
	}
	undo, err := e.begin(s, newDice(spec.Seed, id))
	if err != nil {
		return malformed(fmt.Errorf("kind %q: %w", kind.Name, err))
	}
	a := &active{Active: Active{ID: id, Spec: spec, Ends: time.Now().Add(lease)}, undo: undo, over: make(chan struct{})}
	a.timer = time.AfterFunc(lease, func() { s.expire(a) })
	s.active[id] = a
	s.announcer.began(a.Active)
	return nil
}

func malformed(err error) error {
	return &web.Error{Code: web.Malformed, Detail: err.Error(), Err: err}
}

// expire ends a fault, unless its lease was renewed at the last moment.
func (s *Set) expire(a *active) {
	s.mu.Lock()
	over := !time.Now().Before(a.Ends)
	s.mu.Unlock()
	if over {
		s.end(a, "its lease ended")
	}
}

// End ends a fault if it is active, and returns when it is undone.
func (s *Set) End(id string) {
	s.mu.Lock()
	a := s.active[id]
	s.mu.Unlock()
	if a != nil {
		s.end(a, "it was ended")
	}
}

// end undoes a fault once. All callers wait until it is undone.
func (s *Set) end(a *active, why string) {
	s.mu.Lock()
	mine := !a.ending
	a.ending = true
	s.mu.Unlock()
	if !mine {
		<-a.over
		return
	}
	a.timer.Stop()
	a.undo()
	s.mu.Lock()
	delete(s.active, a.ID)
	s.mu.Unlock()
	s.announcer.ended(a.Active, why)
	close(a.over)
}

// EndAll ends every fault and returns when all are undone.
func (s *Set) EndAll() {
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.active))
	s.mu.Unlock()
	var undone sync.WaitGroup
	for _, a := range all {
		undone.Go(func() { s.end(a, "all were ended") })
	}
	undone.Wait()
}

// Close ends every fault and rejects new ones. A service calls it before it
// stops, so that active requests can finish.
func (s *Set) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.EndAll()
}

// Status returns the kinds that the service can show and the active faults.
func (s *Set) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Status{Service: s.cfg.Service, Kinds: s.kinds(), Active: []Active{}}
	for _, a := range s.active {
		out.Active = append(out.Active, a.Active)
	}
	slices.SortFunc(out.Active, func(a, b Active) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (s *Set) kinds() []string {
	var all []string
	for _, k := range kinds.All() {
		if k.ShownBy(s.cfg.Service) {
			all = append(all, k.Name)
		}
	}
	return all
}
