package telemetry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// A fence stands between the requests and a backend. Requests put items in a
// bounded queue and never wait; one drainer sends them in batches, keeps a
// batch for as long as the backend is away, and counts whatever is lost.
//
// Items have a cost; Limit and Batch are sums of costs (bytes for log lines,
// one a span for traces). The batch under way counts against Limit, so the
// memory held is bounded by it.
type fence[T any] struct {
	cfg     fenceConfig
	send    func(context.Context, []T) error
	attempt func(time.Duration, error) // told of each call of send

	mu     sync.Mutex
	queue  []queued[T] // from head on
	head   int
	waits  int // cost of the queue
	stats  fenceStats
	closed bool

	full chan struct{} // a batch waits
	quit chan struct{} // closing: do not wait for a batch to fill
	done chan struct{} // the drainer has ended

	ctx    context.Context //nolint:containedctx // the drainer's own: it ends when close gives up
	cancel context.CancelFunc
}

type queued[T any] struct {
	item T
	cost int
}

// fenceConfig bounds a fence.
type fenceConfig struct {
	Limit   int           // most cost held at a time
	Batch   int           // cost from which a batch is sent at once
	Delay   time.Duration // longest wait for a batch to fill
	Timeout time.Duration // longest time of one attempt to send
}

// fenceStats accounts for every item: taken in = exported + dropped later + held.
type fenceStats struct {
	enqueued uint64
	exported uint64
	dropped  [len(dropReasons)]uint64
	held     int // items in the queue and in the batch under way
	cost     int // their cost
}

// dropReason says why an item was lost.
type dropReason int

const (
	queueFull dropReason = iota // the backend is away or slower than the service
	rejected                    // the backend refused it for good
	shutdown                    // the service ended first
)

var dropReasons = [...]string{queueFull: "queue_full", rejected: "rejected", shutdown: "shutdown"}

const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// rejectedError is what send returns when the backend refused items for good:
// sending them again would not help.
type rejectedError struct {
	items int // how many; the others of the batch were taken
	err   error
}

func (e *rejectedError) Error() string { return fmt.Sprintf("%d items refused: %v", e.items, e.err) }
func (e *rejectedError) Unwrap() error { return e.err }

func newFence[T any](cfg fenceConfig, send func(context.Context, []T) error,
	attempt func(time.Duration, error),
) *fence[T] {
	f := &fence[T]{
		cfg:     cfg,
		send:    send,
		attempt: attempt,
		full:    make(chan struct{}, 1),
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	go f.drain()
	return f
}

// put queues an item, or drops and counts it. It never waits for the backend.
func (f *fence[T]) put(item T, cost int) {
	f.mu.Lock()
	switch {
	case f.closed:
		f.stats.dropped[shutdown]++
		f.mu.Unlock()
		return
	case f.stats.cost+cost > f.cfg.Limit:
		f.stats.dropped[queueFull]++
		f.mu.Unlock()
		return
	}
	f.queue = append(f.queue, queued[T]{item, cost})
	f.waits += cost
	f.stats.enqueued++
	f.stats.held++
	f.stats.cost += cost
	wake := f.waits >= f.cfg.Batch
	f.mu.Unlock()
	if wake {
		select {
		case f.full <- struct{}{}:
		default: // the drainer knows
		}
	}
}

func (f *fence[T]) drain() {
	defer close(f.done)
	tick := time.NewTicker(f.cfg.Delay)
	defer tick.Stop()
	var batch []T
	for {
		closing := false
		select {
		case <-f.full:
		case <-tick.C:
		case <-f.quit:
			closing = true
		}
		for more := true; more || closing; {
			var cost int
			batch, cost, more = f.take(batch[:0])
			if len(batch) == 0 {
				break
			}
			f.account(len(batch), cost, f.deliver(batch))
			clear(batch) // let go of what was sent
		}
		if closing {
			return
		}
	}
}

// take moves the oldest items into batch: up to Batch of cost, one at least. It
// tells whether another full batch waits.
func (f *fence[T]) take(batch []T) (_ []T, cost int, more bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.head < len(f.queue) {
		q := &f.queue[f.head]
		if len(batch) > 0 && cost+q.cost > f.cfg.Batch {
			break
		}
		batch = append(batch, q.item)
		cost += q.cost
		*q = queued[T]{}
		f.head++
	}
	if f.head > len(f.queue)/2 { // so that what was taken does not pile up
		f.queue = f.queue[:copy(f.queue, f.queue[f.head:])]
		f.head = 0
	}
	f.waits -= cost
	return batch, cost, f.waits >= f.cfg.Batch
}

// account books what became of a batch.
func (f *fence[T]) account(items, cost int, err error) {
	lost, reason := 0, shutdown
	var refused *rejectedError
	if errors.As(err, &refused) {
		lost, reason = min(refused.items, items), rejected
	} else if err != nil {
		lost = items
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.held -= items
	f.stats.cost -= cost
	f.stats.exported += uint64(items - lost)
	f.stats.dropped[reason] += uint64(lost)
}

// deliver sends until the backend takes the batch or refuses it, or until close
// gives up.
func (f *fence[T]) deliver(batch []T) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = firstRetry, lastRetry
	for {
		ctx, cancel := context.WithTimeout(f.ctx, f.cfg.Timeout)
		began := time.Now()
		err := f.send(ctx, batch)
		cancel()
		f.attempt(time.Since(began), err)

		var refused *rejectedError
		if err == nil || errors.As(err, &refused) || f.ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(wait.NextBackOff())
		select {
		case <-timer.C:
		case <-f.ctx.Done():
			timer.Stop()
			return err
		}
	}
}

func (f *fence[T]) snapshot() fenceStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

// close sends what is left and ends the drainer. When ctx ends first, what is
// left counts as dropped and close says how much that was.
func (f *fence[T]) close(ctx context.Context) error {
	f.mu.Lock()
	first := !f.closed
	f.closed = true
	f.mu.Unlock()
	if first {
		close(f.quit)
	}
	select {
	case <-f.done:
		f.cancel()
		return nil
	case <-ctx.Done():
	}
	before := f.snapshot().dropped[shutdown]
	f.cancel()
	<-f.done // send honours its context
	if lost := f.snapshot().dropped[shutdown] - before; lost > 0 {
		return fmt.Errorf("%w: %d items dropped", ctx.Err(), lost)
	}
	return nil
}
