package orders

import (
	"errors"
	"maps"
	"reflect"
	"testing"
	"time"

	"firedrill/apps/internal/storage/storagetest"
	"firedrill/apps/internal/web"
	"firedrill/telemetry/telemetrytest"
)

// TestSaga places one order while calls fail, and then lets the background work
// finish it.
func TestSaga(t *testing.T) {
	type failures = map[string][]error
	no, none, unknown := web.Errorf(web.Declined, "no"), web.Errorf(web.OutOfStock, "none"), web.Errorf(web.UnknownProduct, "what?")
	late := 3 * time.Minute // longer than the age at which orders are abandoned
	for _, c := range []struct {
		name     string
		failures failures
		pause    time.Duration // before the background work runs
		answer   web.Code      // code of the response; "" for 201
		at       State         // state at the time of the response
		end      State
		reason   Reason
		calls    []string
	}{
		{name: "good", at: Confirmed, end: Confirmed, calls: []string{"reserve", "charge"}},
		{name: "out of stock", failures: failures{"reserve": {none}}, answer: web.OutOfStock, at: Failed, end: Failed, reason: NoStock, calls: []string{"reserve"}},
		{name: "unknown product", failures: failures{"reserve": {unknown}}, answer: web.UnknownProduct, at: Failed, end: Failed, reason: UnknownProduct, calls: []string{"reserve"}},
		{name: "declined, stock is released", failures: failures{"charge": {no}}, answer: web.Declined, at: Failed, end: Failed, reason: Declined, calls: []string{"reserve", "charge", "release"}},
		{name: "declined, release fails once", failures: failures{"charge": {no}, "release": {away}}, pause: time.Second,
			answer: web.Declined, at: Releasing, end: Failed, reason: Declined, calls: []string{"reserve", "charge", "release", "release"}},
		{name: "catalog down, finished later", failures: failures{"reserve": {away}}, pause: time.Second,
			answer: web.Unavailable, at: Placed, end: Confirmed, calls: []string{"reserve", "reserve", "charge"}},
		{name: "payments slow, finished later", failures: failures{"charge": {slow}}, pause: time.Second,
			answer: web.TimedOut, at: Reserved, end: Confirmed, calls: []string{"reserve", "charge", "charge"}},
		{name: "payments slow, then it declines", failures: failures{"charge": {slow, no}}, pause: time.Second,
			answer: web.TimedOut, at: Reserved, end: Failed, reason: Declined, calls: []string{"reserve", "charge", "charge", "release"}},
		{name: "not due yet", failures: failures{"charge": {slow}}, pause: firstPause - time.Microsecond,
			answer: web.TimedOut, at: Reserved, end: Reserved, calls: []string{"reserve", "charge"}},
		{name: "catalog down for too long", failures: failures{"reserve": {away}}, pause: late,
			answer: web.Unavailable, at: Placed, end: Failed, reason: Abandoned, calls: []string{"reserve", "release"}},
		{name: "payments down for too long, undone in reverse", failures: failures{"charge": {slow}}, pause: late,
			answer: web.TimedOut, at: Reserved, end: Failed, reason: Abandoned, calls: []string{"reserve", "charge", "refund", "release"}},
		{name: "abandoned, refund fails", failures: failures{"charge": {slow}, "refund": {away}}, pause: late,
			answer: web.TimedOut, at: Reserved, end: Refunding, reason: Abandoned, calls: []string{"reserve", "charge", "refund"}},
		{name: "voided by another driver", failures: failures{"charge": {web.Errorf(web.Voided, "undone")}}, answer: web.Abandoned,
			at: Failed, end: Failed, reason: Abandoned, calls: []string{"reserve", "charge", "release"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, database string) {
				f := newFixture(t, database, nil)
				client := f.serve(t)
				if c.failures != nil {
					f.peers.failures = maps.Clone(c.failures)
				}
				placed, err := client.Place(t.Context(), alice, "key", basket)
				if web.CodeOf(err) != c.answer {
					t.Errorf("response %v, want %q", err, c.answer)
				}
				id := f.only(t)
				var problem *web.Error
				if errors.As(err, &problem) && problem.Instance != "/orders/"+id {
					t.Errorf("the problem has instance %q, want order %s", problem.Instance, id)
				}
				if err == nil && (placed.ID != id || placed.Status != StatusConfirmed || placed.TotalMinor != 200) {
					t.Errorf("placed %+v", placed)
				}
				if got, _ := f.state(t, id); got != c.at {
					t.Errorf("state %s at the response, want %s", got, c.at)
				}
				f.now = f.now.Add(c.pause)
				if err := f.saga.resumeDue(t.Context()); err != nil {
					t.Fatal(err)
				}
				end, reason := f.state(t, id)
				if end != c.end || reason != c.reason {
					t.Errorf("final state %s %q, want %s %q", end, reason, c.end, c.reason)
				}
				if !reflect.DeepEqual(f.peers.calls, c.calls) {
					t.Errorf("calls %v, want %v", f.peers.calls, c.calls)
				}
				if end == Failed && (len(f.peers.reserved) > 0 || len(f.peers.charged) > 0) {
					t.Errorf("failed with stock %v still reserved and %v charged", f.peers.reserved, f.peers.charged)
				}
				f.checkOutbox(t, end == Confirmed)
				f.checkOutcome(t, end, reason)
			})
		})
	}
}

// checkOutbox checks that there is one event if the order is confirmed, else
// none.
func (f *fixture) checkOutbox(t *testing.T, want bool) {
	t.Helper()
	events, err := f.store.unpublished(t.Context(), 10)
	if err != nil || len(events) != map[bool]int{true: 1}[want] {
		t.Errorf("%d events in the outbox, %v; want an event: %v", len(events), err, want)
	}
}

// checkOutcome checks that the order is counted once, when its outcome is
// decided.
func (f *fixture) checkOutcome(t *testing.T, end State, reason Reason) {
	t.Helper()
	want := map[string]float64{
		"outcome=confirmed": 0, "outcome=out_of_stock": 0, "outcome=declined": 0, "outcome=unknown_product": 0, "outcome=abandoned": 0,
	}
	switch end.Status() {
	case StatusConfirmed:
		want["outcome=confirmed"] = 1
	case StatusFailed:
		want["outcome="+string(reason)] = 1
	default: // not decided
	}
	if got := telemetrytest.Series(t, f.tel.Registry(), "shop_orders_total"); !reflect.DeepEqual(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// TestResumeAfterDeath resumes orders that a crashed process left in each
// state.
func TestResumeAfterCrash(t *testing.T) {
	for _, c := range []struct {
		at, end State
		reason  Reason
		calls   []string
	}{
		{Placed, Confirmed, "", []string{"reserve", "charge"}},
		{Reserved, Confirmed, "", []string{"charge"}},
		{Refunding, Failed, Abandoned, []string{"refund", "release"}},
		{Releasing, Failed, Declined, []string{"release"}},
		{Confirmed, Confirmed, "", nil},
		{Shipped, Shipped, "", nil},
		{Failed, Failed, NoStock, nil},
	} {
		t.Run(string(c.at), func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, database string) {
				f := newFixture(t, database, nil)
				f.serve(t)
				o := &order{id: "1", userID: "alice", state: Placed, currency: "EUR", trace: map[string]string{}}
				if _, mine, err := f.store.place(t.Context(), o, "key", "print"); err != nil || !mine {
					t.Fatalf("mine %v, %v", mine, err)
				}
				if _, err := f.db.ExecContext(t.Context(), "UPDATE orders SET state = $1, reason = $2", c.at, c.reason); err != nil {
					t.Fatal(err)
				}
				f.resume(t)
				if len(f.peers.calls) > 0 {
					t.Errorf("calls before the lease of the crashed process expired: %v", f.peers.calls)
				}
				f.now = f.now.Add(f.store.lease)
				f.resume(t)
				if end, reason := f.state(t, "1"); end != c.end || reason != c.reason {
					t.Errorf("final state %s %q, want %s %q", end, reason, c.end, c.reason)
				}
				if !reflect.DeepEqual(f.peers.calls, c.calls) {
					t.Errorf("calls %v, want %v", f.peers.calls, c.calls)
				}
			})
		})
	}
}

func (f *fixture) resume(t *testing.T) {
	t.Helper()
	if err := f.saga.resumeDue(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestPausesGrow checks the times of the background attempts in a long outage.
func TestPausesGrow(t *testing.T) {
	f := newFixture(t, t.TempDir()+"/test.db", nil)
	client := f.serve(t)
	f.saga.giveUp = time.Hour
	for range 100 {
		f.peers.failures["charge"] = append(f.peers.failures["charge"], away)
	}
	if _, err := client.Place(t.Context(), alice, "key", basket); web.CodeOf(err) != web.Unavailable {
		t.Fatal(err)
	}
	began, tries := f.now, []float64{}
	for f.now.Sub(began) < time.Minute {
		f.now = f.now.Add(firstPause)
		before := len(f.peers.calls)
		f.resume(t)
		if len(f.peers.calls) > before {
			tries = append(tries, f.now.Sub(began).Seconds())
		}
	}
	// 0.5 s after the request, then pauses of 0.5, 1, 2, 4, 8, 15, 15, … s.
	if want := []float64{.5, 1, 2, 4, 8, 16, 31, 46}; !reflect.DeepEqual(tries, want) {
		t.Errorf("tries after %v s, want %v", tries, want)
	}
}

// TestTwoDrivers moves an order from the same state twice.
func TestTwoDrivers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := newFixture(t, database, nil)
		f.serve(t)
		o := &order{id: "1", userID: "alice", state: Placed, currency: "EUR", trace: map[string]string{}}
		if _, _, err := f.store.place(t.Context(), o, "key", "print"); err != nil {
			t.Fatal(err)
		}
		second := *o
		if err := f.saga.drive(t.Context(), o); err != nil || o.state != Confirmed {
			t.Fatalf("%s, %v", o.state, err)
		}
		f.peers.failures["reserve"] = []error{web.Errorf(web.OutOfStock, "none")} // the slower driver gets this error
		if err := f.saga.drive(t.Context(), &second); err != nil || second.state != Confirmed {
			t.Errorf("the slower driver ended in state %s, %v; want the state of the faster one", second.state, err)
		}
		f.checkOutbox(t, true)
		f.checkOutcome(t, Confirmed, "")
	})
}
