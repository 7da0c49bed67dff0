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

// slot holds what active faults put at one place of the service. To look into it
// costs one atomic load.
type slot[T comparable] struct {
	mu  sync.Mutex // guards writing
	all atomic.Pointer[[]T]
}

// put adds v until it is removed.
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

// toggle is on while any fault wants it on.
type toggle struct{ wanted atomic.Int32 }

func (t *toggle) on() bool { return t.wanted.Load() > 0 }

func (t *toggle) turnOn() (turnOff func()) {
	t.wanted.Add(1)
	return func() { t.wanted.Add(-1) }
}

// dice decide what a fault leaves to chance. The same seed and the same order of
// questions give the same answers.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
}

// newDice are those of one fault: two faults with one seed differ.
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

// chance is true with the given probability.
func (d *dice) chance(p float64) (yes bool) {
	d.draw(func(r *rand.Rand) { yes = r.Float64() < p })
	return yes
}

// loop runs do beside the caller. The returned function ends do's context and
// waits until it has returned.
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

// sleep waits for d, or until over is closed. If ctx ends earlier it returns its
// error.
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
