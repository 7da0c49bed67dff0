package orders

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"firedrill/apps/catalog"
	"firedrill/apps/internal/storage/storagetest"
	"firedrill/apps/internal/web"
	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry/telemetrytest"
)

func TestIdempotencyKey(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := newFixture(t, database, nil)
		client := f.serve(t)
		place := func(u User, key string, r PlaceRequest) (Order, error) { return client.Place(t.Context(), u, key, r) }
		first, err := place(alice, "key", basket)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := place(alice, "key", basket); err != nil || again.ID != first.ID {
			t.Errorf("repeated: order %s, %v; want %s", again.ID, err, first.ID)
		}
		more := PlaceRequest{Lines: []catalog.Line{{ProductID: "p-001", Quantity: 3}}}
		if _, err := place(alice, "key", more); web.CodeOf(err) != web.KeyReused {
			t.Errorf("another basket: %v, want %s", err, web.KeyReused)
		}
		other := basket
		other.Card = "another card"
		if _, err := place(alice, "key", other); web.CodeOf(err) != web.KeyReused {
			t.Errorf("another card: %v, want %s", err, web.KeyReused)
		}
		if his, err := place(bob, "key", more); err != nil || his.ID == first.ID {
			t.Errorf("another user's key: order %s, %v", his.ID, err)
		}
		ids := map[string]bool{}
		for range 2 {
			o, err := place(alice, "", basket)
			if err != nil {
				t.Fatal(err)
			}
			ids[o.ID] = true
		}
		if len(ids) != 2 {
			t.Error("want a new order for each request without a key")
		}
	})
}

// TestRepeatWhilePending repeats a request that is still running, then one that
// ended without an outcome.
func TestRepeatWhilePending(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := newFixture(t, database, nil)
		client := f.serve(t)
		f.peers.block = make(chan struct{})
		f.peers.failures["charge"] = []error{slow}
		var first sync.WaitGroup
		first.Go(func() {
			if _, err := client.Place(t.Context(), alice, "key", basket); web.CodeOf(err) != web.TimedOut {
				t.Errorf("first request: %v, want %s", err, web.TimedOut)
			}
		})
		// When the stock is reserved, the first request waits for the charge.
		machinetest.Eventually(t, "the first request reserves stock", func() bool {
			f.peers.mu.Lock()
			defer f.peers.mu.Unlock()
			return len(f.peers.reserved) == 1
		})
		_, err := client.Place(t.Context(), alice, "key", basket)
		var problem *web.Error
		if !errors.As(err, &problem) || problem.Code != web.InProgress || problem.RetryAfter != time.Second || problem.Instance != "/orders/"+f.only(t) {
			t.Errorf("repeated while running: %+v, want %s", err, web.InProgress)
		}
		close(f.peers.block)
		first.Wait()
		o, err := client.Place(t.Context(), alice, "key", basket)
		if err != nil || o.ID != f.only(t) || o.Status != StatusConfirmed {
			t.Errorf("repeated later: %+v, %v; want it confirmed", o, err)
		}
	})
}

func TestRepeatOfFailedOrder(t *testing.T) {
	f := newFixture(t, t.TempDir()+"/test.db", nil)
	client := f.serve(t)
	f.peers.failures["charge"] = []error{web.Errorf(web.Declined, "no")}
	for range 2 {
		if _, err := client.Place(t.Context(), alice, "key", basket); web.CodeOf(err) != web.Declined {
			t.Errorf("got %v, want %s", err, web.Declined)
		}
	}
	if want := []string{"reserve", "charge", "release"}; !reflect.DeepEqual(f.peers.calls, want) {
		t.Errorf("calls %v, want %v, because a failed order is not tried again", f.peers.calls, want)
	}
}

func TestPlaceErrors(t *testing.T) {
	f := newFixture(t, t.TempDir()+"/test.db", nil)
	client := f.serve(t)
	line := func(id string, n int64) catalog.Line { return catalog.Line{ProductID: id, Quantity: n} }
	var many []catalog.Line
	for i := range maxLines + 1 {
		many = append(many, line(fmt.Sprint(i), 1))
	}
	for _, c := range []struct {
		name string
		user User
		key  string
		r    PlaceRequest
		code web.Code
	}{
		{"no lines", alice, "", PlaceRequest{}, web.Malformed},
		{"quantity too large", alice, "", PlaceRequest{Lines: []catalog.Line{line("a", catalog.MaxQuantity+1)}}, web.Malformed},
		{"quantity of 0", alice, "", PlaceRequest{Lines: []catalog.Line{line("a", 0)}}, web.Malformed},
		{"product twice", alice, "", PlaceRequest{Lines: []catalog.Line{line("a", 1), line("a", 1)}}, web.Malformed},
		{"too many lines", alice, "", PlaceRequest{Lines: many}, web.Malformed},
		{"card too long", alice, "", PlaceRequest{Lines: basket.Lines, Card: strings.Repeat("x", maxCard+1)}, web.Malformed},
		{"key too long", alice, strings.Repeat("x", maxKey+1), basket, web.Malformed},
		{"no user", User{}, "", basket, web.Unauthenticated},
	} {
		if _, err := client.Place(t.Context(), c.user, c.key, c.r); web.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
	if len(f.peers.calls) > 0 {
		t.Errorf("calls %v, want none", f.peers.calls)
	}
}

func TestOrderIsVisibleToUserAndStaff(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := newFixture(t, database, nil)
		client := f.serve(t)
		placed, err := client.Place(t.Context(), alice, "key", basket)
		if err != nil {
			t.Fatal(err)
		}
		for user, code := range map[User]web.Code{alice: "", bob: web.NotFound, boss: "", {}: web.NotFound} {
			o, err := client.Order(t.Context(), user, placed.ID)
			if web.CodeOf(err) != code {
				t.Errorf("%+v: got %v, want %q", user, err, code)
			}
			if err == nil && !reflect.DeepEqual(o, placed) {
				t.Errorf("%+v got %+v, want %+v", user, o, placed)
			}
		}
		if _, err := client.Order(t.Context(), boss, "nonsense"); web.CodeOf(err) != web.NotFound {
			t.Errorf("got %v, want %s", err, web.NotFound)
		}
	})
}

func TestShipped(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := newFixture(t, database, nil)
		client := f.serve(t)
		placed, err := client.Place(t.Context(), alice, "key", basket)
		if err != nil {
			t.Fatal(err)
		}
		f.now = f.now.Add(3 * time.Second)
		for range 2 {
			if err := client.Shipped(t.Context(), placed.ID); err != nil {
				t.Error(err)
			}
			f.now = f.now.Add(time.Second)
		}
		o, err := client.Order(t.Context(), alice, placed.ID)
		if err != nil || o.Status != StatusShipped || o.ShippedAt.Sub(o.ConfirmedAt) != 3*time.Second {
			t.Errorf("got %+v, %v; want shipped after 3 s", o, err)
		}
		h := telemetrytest.Family(t, f.tel.Registry(), "shop_order_confirmed_to_shipped_seconds").Metric[0].Histogram
		if h.GetSampleCount() != 1 || h.GetSampleSum() != 3 {
			t.Errorf("%d shipments with a sum of %v s were observed, want one of 3 s", h.GetSampleCount(), h.GetSampleSum())
		}
		if err := client.Shipped(t.Context(), "nonsense"); web.CodeOf(err) != web.NotFound {
			t.Errorf("got %v, want %s", err, web.NotFound)
		}
		f.peers.failures["charge"] = []error{slow}
		if _, err := client.Place(t.Context(), bob, "key", basket); web.CodeOf(err) != web.TimedOut {
			t.Fatal(err)
		}
		due, err := f.store.unpublished(t.Context(), 10)
		if err != nil || len(due) != 1 {
			t.Errorf("%d events, %v; want only the first order's", len(due), err)
		}
	})
}
