package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// topic is something that viewers look at together. It is asked for only while somebody looks.
type topic struct {
	every time.Duration
	fetch func(ctx context.Context) any

	mu      sync.Mutex
	viewers map[chan []byte]bool
	stop    context.CancelFunc // nil: nobody looks
	last    []byte             // the latest value as JSON; nil: none yet
}

// live serves GET /api/live?topics=A,B as an event stream. Each event has the topic as its name and a value as JSON.
type live struct {
	ctx    context.Context //nolint:containedctx // of the server: pollers end with it
	topics map[string]*topic
}

// heartbeat is how often an event stream sends a comment, so that a viewer who has gone is noticed.
const heartbeat = 15 * time.Second

// ServeHTTP implements http.Handler.
func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	names := strings.Split(r.URL.Query().Get("topics"), ",")
	for _, name := range names {
		if l.topics[name] == nil {
			fail(w, http.StatusNotFound, fmt.Sprintf("no topic %q", name))
			return
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	send := func(text string) bool {
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Now().Add(heartbeat)) // a viewer who does not read is dropped
		_, err := w.Write([]byte(text))
		return err == nil && control.Flush() == nil
	}
	if !send("retry: 1000\n\n") {
		return
	}
	updates := make(chan string, len(names))
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	for _, name := range names {
		values := l.topics[name].join(l.ctx) //nolint:contextcheck // the poller outlives this viewer
		defer l.topics[name].leave(values)
		go forward(ctx, name, values, updates)
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-ctx.Done():
			return
		case <-l.ctx.Done():
			return
		case text = <-updates:
		case <-beat.C:
		}
		if !send(text) {
			return
		}
	}
}

// forward turns values of a topic into events until ctx ends.
func forward(ctx context.Context, name string, values <-chan []byte, events chan<- string) {
	for {
		select {
		case <-ctx.Done():
			return
		case v := <-values:
			select {
			case events <- fmt.Sprintf("event: %s\ndata: %s\n\n", name, v):
			case <-ctx.Done():
				return
			}
		}
	}
}

// join returns a channel with the latest value of the topic. A viewer who is slow misses values, but never gets an old one.
func (t *topic) join(ctx context.Context) chan []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := make(chan []byte, 1)
	if t.last != nil {
		c <- t.last
	}
	t.viewers[c] = true
	if t.stop == nil {
		polling, stop := context.WithCancel(ctx)
		t.stop = stop
		go t.poll(polling)
	}
	return c
}

func (t *topic) leave(c chan []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.viewers, c)
	if len(t.viewers) == 0 && t.stop != nil {
		t.stop()
		t.stop, t.last = nil, nil // what is old when the next viewer comes is not shown
	}
}

// poll asks for the value again and again until ctx ends, and gives it to all viewers if it has changed.
func (t *topic) poll(ctx context.Context) {
	tick := time.NewTicker(t.every)
	defer tick.Stop()
	for {
		value, err := json.Marshal(t.fetch(ctx))
		if err == nil && ctx.Err() == nil {
			t.publish(ctx, value)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (t *topic) publish(ctx context.Context, value []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() != nil || bytes.Equal(value, t.last) {
		return
	}
	t.last = value
	for c := range t.viewers {
		select {
		case <-c: // a value that was not read yet
		default:
		}
		c <- value
	}
}
