package fault

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// slot holds the active faults of one place in the service. Reading it costs
// one atomic load.
type slot[T comparable] struct {
	mu  sync.Mutex // guards writes
	all atomic.Pointer[[]T]
}

// put adds v until remove is called.
func (s *slot[T]) put(v T) (remove func()) {
	s.change(func(all []T) []T { return append(all, v) })
	return func() {
		s.change(func(all []T) []T {
			i := slices.Index(all, v)
			return slices.Delete(all, i, i+1)
		})
	}
}

func (s *slot[T]) change(to func([]T) []T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := to(slices.Clone(s.load()))
	s.all.Store(&all)
}

func (s *slot[T]) load() []T {
	if all := s.all.Load(); all != nil {
		return *all
	}
	return nil
}

// toggle is on while at least one fault turns it on.
type toggle struct{ wanted atomic.Int32 }

func (t *toggle) on() bool { return t.wanted.Load() > 0 }

func (t *toggle) turnOn() (turnOff func()) {
	t.wanted.Add(1)
	return func() { t.wanted.Add(-1) }
}

// dice takes the random decisions of a fault. The same seed and the same order
// of calls give the same results.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
}

// newDice returns the dice of one fault. Two faults with the same seed get
// different dice.
func newDice(seed uint64, id string) *dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // never fails
	return &dice{random: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

func (d *dice) draw(with func(*rand.Rand)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	with(d.random)
}

// chance returns true with probability p.
func (d *dice) chance(p float64) (yes bool) {
	d.draw(func(r *rand.Rand) { yes = r.Float64() < p })
	return yes
}

// loop runs do in a goroutine. end cancels do's context and waits until do has
// returned.
func loop(do func(ctx context.Context)) (end func()) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		do(ctx)
	}()
	return func() {
		stop()
		<-done
	}
}

// sleep waits for d or until over is closed. If ctx ends first, it returns
// ctx's error.
func sleep(ctx context.Context, d time.Duration, over <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-over:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
