package fault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"firedrill/apps/fault/client"
	"firedrill/apps/internal/web"
)

func status(t *testing.T, s *Set) string {
	t.Helper()
	var all []string
	for _, a := range s.Status().Active {
		all = append(all, fmt.Sprintf("%s=%s/%v", a.ID, a.Kind, time.Until(a.Ends)))
	}
	return strings.Join(all, " ")
}

func TestFaultEndsWithItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "bank")
		spec := Spec{Kind: "unready"}
		if fresh, err := s.Begin(t.Context(), "a", spec, 10*time.Second); err != nil || !fresh {
			t.Fatalf("begin: fresh %v, %v", fresh, err)
		}
		time.Sleep(9 * time.Second)
		if fresh, err := s.Begin(t.Context(), "a", spec, 5*time.Second); err != nil || fresh {
			t.Fatalf("renew: fresh %v, %v", fresh, err)
		}
		time.Sleep(5*time.Second - time.Nanosecond)
		synctest.Wait()
		if got := status(t, s); got != "a=unready/1ns" || !s.unready.on() {
			t.Errorf("active before the lease ends: %q", got)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := status(t, s); got != "" || s.unready.on() {
			t.Errorf("active after the lease has ended: %q", got)
		}
		if fresh, err := s.Begin(t.Context(), "a", spec, time.Second); err != nil || !fresh {
			t.Errorf("begin again: fresh %v, %v", fresh, err)
		}
	})
}

// slowToEnd is a fault whose end takes the given time.
type slowToEnd struct{ takes time.Duration }

func (f slowToEnd) begin(*Set, *dice) (func(), error) {
	return func() { time.Sleep(f.takes) }, nil
}

func TestEndWaitsUntilUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "bank")
		undo, _ := slowToEnd{time.Second}.begin(s, nil)
		a := &active{Active: Active{ID: "a"}, undo: undo, over: make(chan struct{}), timer: time.NewTimer(time.Hour)}
		s.active["a"] = a
		began := time.Now()
		took := make(chan time.Duration, 3)
		for range 2 {
			go func() { s.End("a"); took <- time.Since(began) }()
		}
		synctest.Wait()
		go func() { // a new fault with the same id waits for the end
			if fresh, err := s.Begin(t.Context(), "a", Spec{Kind: "unready"}, time.Second); err != nil || !fresh {
				t.Errorf("begin: fresh %v, %v", fresh, err)
			}
			took <- time.Since(began)
		}()
		for range 3 {
			if got := <-took; got != time.Second {
				t.Errorf("took %v, want 1s", got)
			}
		}
		s.End("nobody") // an unknown id is ignored
	})
}

func TestBeginReturnsWhenContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "bank")
		undo, _ := slowToEnd{time.Minute}.begin(s, nil)
		s.active["a"] = &active{Active: Active{ID: "a"}, undo: undo, over: make(chan struct{}), timer: time.NewTimer(time.Hour)}
		go s.End("a")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Begin(ctx, "a", Spec{Kind: "unready"}, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestBeginErrors(t *testing.T) {
	s := newSet(t, "bank")
	begin(t, s, "unready", nil)
	for _, c := range []struct {
		id     string
		spec   Spec
		status int
		detail string
	}{
		{"unready", Spec{Kind: "errors"}, http.StatusConflict, `fault "unready" is active as unready with other parameters`},
		{"unready", Spec{Kind: "unready", Seed: 2}, http.StatusConflict, "other parameters"},
		{"b", Spec{Kind: "gremlins"}, http.StatusBadRequest, `kind "gremlins"`},
		{"b", Spec{Kind: "token_skew"}, http.StatusBadRequest, `kind "token_skew": bank cannot show it, only [gateway]`},
		{"b", Spec{Kind: "latency"}, http.StatusBadRequest, `kind "latency": parameter "median" is missing`},
		{"b", Spec{Kind: "pool_exhaustion"}, http.StatusBadRequest, "has nothing that the fault can act on"}, // no pool was set
		{"b", Spec{Kind: "errors"}, http.StatusBadRequest, "has nothing that the fault can act on"},          // no routes
	} {
		_, err := s.Begin(t.Context(), c.id, c.spec, time.Second)
		if status, _ := web.CodeOf(err).Status(); status != c.status || !strings.Contains(err.Error(), c.detail) {
			t.Errorf("%+v: got %d, %v; want %d and %q", c.spec, status, err, c.status, c.detail)
		}
	}
	for i := range mostActive - 1 {
		if _, err := s.Begin(t.Context(), fmt.Sprint(i), Spec{Kind: "unready"}, client.MaxLease); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Begin(t.Context(), "one more", Spec{Kind: "unready"}, time.Second); web.CodeOf(err) != web.TooMany {
		t.Errorf("more than the maximum: %v", err)
	}
	s.Close()
	if _, err := s.Begin(t.Context(), "late", Spec{Kind: "unready"}, time.Second); web.CodeOf(err) != web.Unavailable {
		t.Errorf("after Close: %v", err)
	}
	if s.unready.on() || status(t, s) != "" {
		t.Errorf("still active after Close: %s", status(t, s))
	}
}

// The same seed gives the same decisions. Another seed or fault gives others.
func TestSeed(t *testing.T) {
	draw := func(seed uint64, id string) (out string) {
		d := newDice(seed, id)
		for range 64 {
			out += fmt.Sprint(d.chance(0.5))
		}
		return out
	}
	if once, again := draw(1, "a"), draw(1, "a"); once != again {
		t.Error("the same seed gave different decisions")
	}
	if draw(1, "a") == draw(2, "a") || draw(1, "a") == draw(1, "b") {
		t.Error("another seed or fault gave the same decisions")
	}
}
