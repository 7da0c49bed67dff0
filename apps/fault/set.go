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

// Config says whose faults they are.
type Config struct {
	Service string
	Token   string  // what operators must bring; "": faults are off
	Dialer  *Dialer // with which the service connects; nil: it cannot be rerouted

	// Where faults are told that want to be; nil for a service without telemetry.
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// mostActive is the most faults at a time.
const mostActive = 32

// errNotHere is of a fault that needs what this service, or this way of running
// it, does not have.
var errNotHere = errors.New("there is nothing here to do it to")

// Set is the faults of one service. Its methods may be called on nil, where they
// do nothing and hand back what they were handed.
type Set struct {
	cfg    Config
	told   *told
	dialer *Dialer

	// Where faults take hold.
	requests                    slot[requester]
	statements                  slot[querier]
	stampede, nPlusOne, unready toggle
	skew                        atomic.Int64 // ns
	pool                        atomic.Pointer[sql.DB]
	poison                      atomic.Pointer[func(context.Context) error]
	app                         atomic.Pointer[fiber.App]

	mu     sync.Mutex // guards what is below
	active map[string]*active
	closed bool
}

// New makes the faults of a service; nil if there is no token.
func New(cfg Config) (*Set, error) {
	if cfg.Token == "" {
		return nil, nil // a nil Set is one that is off
	}
	s := &Set{cfg: cfg, dialer: cfg.Dialer, active: make(map[string]*active)}
	var err error
	if s.told, err = newTold(cfg, s.kinds()); err != nil {
		return nil, fmt.Errorf("prepare the faults of %q: %w", cfg.Service, err)
	}
	return s, nil
}

// active is a fault that was begun. All but undo and over is guarded by the Set.
type active struct {
	Active
	timer  *time.Timer
	ending bool
	undo   func()
	over   chan struct{} // closed when it is undone
}

// Begin shows a fault for the length of a lease, or renews the lease of the one
// that has the same id and spec; fresh tells which. It returns when the fault is
// on.
func (s *Set) Begin(ctx context.Context, id string, spec Spec, lease time.Duration) (fresh bool, err error) {
	for {
		fresh, ending, err := s.tryBegin(id, spec, lease)
		if ending == nil {
			return fresh, err
		}
		select {
		case <-ending:
		case <-ctx.Done():
			return false, fmt.Errorf("wait for the end of fault %q: %w", id, ctx.Err())
		}
	}
}

// tryBegin is Begin that does not wait: while the fault that had the id before is
// being undone it returns what to wait for.
func (s *Set) tryBegin(id string, spec Spec, lease time.Duration) (fresh bool, ending chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, known := s.active[id]
	switch {
	case s.closed:
		return false, nil, web.Errorf(web.Unavailable, "the service stops")
	case known && a.ending:
		return false, a.over, nil
	case known && !reflect.DeepEqual(a.Spec, spec):
		return false, nil, web.Errorf(web.IDTaken, "fault %q is %s with other parameters", id, a.Kind)
	case known:
		a.Ends = time.Now().Add(lease)
		a.timer.Reset(lease)
		return false, nil, nil
	case len(s.active) >= mostActive:
		return false, nil, web.Errorf(web.TooMany, "%d faults are on already", mostActive)
	}
	return true, nil, s.begin(id, spec, lease)
}

// begin starts a fault. The lock is held.
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
	s.told.began(a.Active)
	return nil
}

func malformed(err error) error {
	return &web.Error{Code: web.Malformed, Detail: err.Error(), Err: err}
}

// expire ends a fault, unless its lease was renewed as it ended.
func (s *Set) expire(a *active) {
	s.mu.Lock()
	over := !time.Now().Before(a.Ends)
	s.mu.Unlock()
	if over {
		s.end(a, "its lease ended")
	}
}

// End ends a fault, if it is on, and returns when it is undone.
func (s *Set) End(id string) {
	s.mu.Lock()
	a := s.active[id]
	s.mu.Unlock()
	if a != nil {
		s.end(a, "it was ended")
	}
}

// end undoes a fault once; all who call it wait until that is done.
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
	s.told.ended(a.Active, why)
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

// Close ends every fault and lets none begin. A service calls it before it stops,
// so that it can finish what is under way.
func (s *Set) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.EndAll()
}

// Status tells what the service can show, and what it shows.
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
