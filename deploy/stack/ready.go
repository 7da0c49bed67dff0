package stack

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"firedrill/internal/wait"
)

// NotReadyError says which component did not become ready, why, and what it printed last.
type NotReadyError struct {
	Component string
	Cause     string
	Log       string // path of its log
	Tail      string // last lines of its log
}

func (e *NotReadyError) Error() string {
	text := fmt.Sprintf("%s did not become ready: %s", e.Component, e.Cause)
	if e.Tail == "" {
		return text + "\n(nothing in " + e.Log + ")"
	}
	return text + "\nthe end of " + e.Log + ":\n  " + strings.ReplaceAll(e.Tail, "\n", "\n  ")
}

const (
	probeEvery   = 25 * time.Millisecond
	probeTimeout = time.Second // on the reference machine
	crashLimit   = 5           // restarts after which waiting for a component ends early
	tailLines    = 15
)

// awaitReady returns when every component has answered its probe once. died receives a value when the
// supervisor ends; it may be nil.
func (k Stack) awaitReady(ctx context.Context, components []Component, died <-chan error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range components {
		group.Go(func() error { return k.awaitOne(ctx, c) })
	}
	go func() {
		select {
		case err := <-died:
			cancel(&NotReadyError{
				Component: "process-compose", Cause: fmt.Sprintf("it ended: %v", err),
				Log: k.LogPath("process-compose.out"), Tail: k.tail("process-compose.out"),
			})
		case <-ctx.Done():
		}
	}()
	return group.Wait()
}

// awaitOne polls one component until it is ready, its time is up, or it has crashed too often.
func (k Stack) awaitOne(ctx context.Context, c Component) error {
	patience, timeout := k.ReadyFor(k.Patience), k.Machine.Patience(probeTimeout)
	give := time.NewTimer(patience)
	defer give.Stop()
	poll := time.NewTicker(probeEvery)
	defer poll.Stop()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		err := wait.Probe(ctx, http.DefaultClient, c.Ready, timeout)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-give.C:
			return k.notReady(c, fmt.Sprintf("%v after %s", err, patience.Round(time.Millisecond)))
		case <-look.C:
			if n := k.crashes(ctx, c.Name); n >= crashLimit {
				return k.notReady(c, fmt.Sprintf("it ended %d times", n))
			}
		case <-poll.C:
		}
	}
}

// crashes returns how often the supervisor has restarted the component, or 0 if no supervisor answers.
func (k Stack) crashes(ctx context.Context, name string) int {
	states, err := k.supervisor().processes(ctx)
	if err != nil {
		return 0
	}
	return states[name].Restarts
}

func (k Stack) notReady(c Component, cause string) error {
	return &NotReadyError{Component: c.Name, Cause: cause, Log: k.LogPath(c.Name), Tail: k.tail(c.Name)}
}

func (k Stack) tail(name string) string {
	text, err := os.ReadFile(k.LogPath(name))
	if err != nil || len(text) == 0 {
		return ""
	}
	return lastLines(string(text), tailLines)
}
