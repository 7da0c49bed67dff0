package telemetry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// fence is a bounded queue between requests and a backend. put adds an item and
// never waits. One goroutine, the drainer, sends the items in batches and
// retries a batch for as long as the backend fails. Every lost item is counted.
//
// Each item has a cost. Limit and Batch are sums of costs: bytes for log lines,
// 1 per span for traces. The batch being sent counts against Limit, so Limit
// bounds the memory in use.
type fence[T any] struct {
	cfg     fenceConfig
	send    func(context.Context, []T) error
	attempt func(time.Duration, error) // called after each call of send, with its duration and error

	mu     sync.Mutex
	queue  []queued[T] // the queue is queue[head:]
	head   int
	waits  int // cost of the items in the queue
	stats  fenceStats
	closed bool

	full chan struct{} // signals that a full batch is in the queue
	quit chan struct{} // closed by close: send what is left, do not wait for a full batch
	done chan struct{} // closed when the drainer has ended

	ctx    context.Context //nolint:containedctx // belongs to the drainer; canceled when close gives up
	cancel context.CancelFunc
}

type queued[T any] struct {
	item T
	cost int
}

// fenceConfig holds the limits of a fence.
type fenceConfig struct {
	Limit   int           // maximum cost in the queue and in the batch being sent
	Batch   int           // cost at which a batch is sent at once
	Delay   time.Duration // maximum wait for a batch to fill
	Timeout time.Duration // maximum duration of one attempt to send
}

// fenceStats counts items. Every item taken in is exported, dropped as rejected
// or at shutdown, or held: enqueued = exported + dropped + held, without items
// dropped by put.
type fenceStats struct {
	enqueued uint64
	exported uint64
	dropped  [len(dropReasons)]uint64
	held     int // items in the queue and in the batch being sent
	cost     int // cost of the held items
}

// dropReason is the reason why an item was dropped.
type dropReason int

const (
	queueFull dropReason = iota // the backend is down or slower than the service
	rejected                    // the backend rejected it with a final error
	shutdown                    // the service stopped before it was sent
)

var dropReasons = [...]string{queueFull: "queue_full", rejected: "rejected", shutdown: "shutdown"}

const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// rejectedError is returned by send when the backend rejected items and a retry
// would not help.
type rejectedError struct {
	items int // number of rejected items; the backend accepted the rest of the batch
	err   error
}

func (e *rejectedError) Error() string { return fmt.Sprintf("%d items rejected: %v", e.items, e.err) }
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

// put adds an item to the queue. If there is no room, or the fence is closed,
// it drops and counts the item. It never waits for the backend.
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
		default: // a signal is already pending
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
			clear(batch) // release the sent items for garbage collection
		}
		if closing {
			return
		}
	}
}

// take moves the oldest items into batch: at least one, and up to a cost of
// cfg.Batch. more reports whether another full batch is in the queue.
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
	if f.head > len(f.queue)/2 { // move the rest to the front, so that the slice does not grow forever
		f.queue = f.queue[:copy(f.queue, f.queue[f.head:])]
		f.head = 0
	}
	f.waits -= cost
	return batch, cost, f.waits >= f.cfg.Batch
}

// account updates the stats after a batch was sent or given up.
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

// deliver sends a batch until the backend accepts or rejects it, or until close
// gives up. It waits between attempts with exponential backoff.
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

// close sends the remaining items and stops the drainer. If ctx ends first, the
// remaining items are dropped, and the error says how many there were.
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
	<-f.done // send returns when its context is canceled
	if lost := f.snapshot().dropped[shutdown] - before; lost > 0 {
		return fmt.Errorf("send queued items: %w: %d items dropped", ctx.Err(), lost)
	}
	return nil
}
