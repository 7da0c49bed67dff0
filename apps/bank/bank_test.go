package bank

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"firedrill/apps/internal/storage/storagetest"
	"firedrill/apps/internal/web"
)

// quick is a bank without latency. It declines only CardDeclined.
var quick = Behaviour{Seed: 1}

func start(t *testing.T, database string, b Behaviour) *Client {
	t.Helper()
	s, err := New(t.Context(), Config{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Database: database, Behaviour: b}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return NewClient(s.URL(), http.DefaultClient)
}

func TestLedger(t *testing.T) {
	ten, twenty := ChargeRequest{10, "EUR", "card"}, ChargeRequest{20, "EUR", "card"}
	bad := ChargeRequest{10, "EUR", CardDeclined}
	type op struct {
		key  string
		void bool
		r    ChargeRequest
		code web.Code
	}
	for _, c := range []struct {
		name string
		ops  []op
		want []Entry
	}{
		{"once", []op{{key: "a", r: ten}}, []Entry{{1, "a", "charge", 10}}},
		{"repeated", []op{{key: "a", r: ten}, {key: "a", r: ten}}, []Entry{{1, "a", "charge", 10}}},
		{"another amount", []op{{key: "a", r: ten}, {key: "a", r: twenty, code: web.KeyReused}}, []Entry{{1, "a", "charge", 10}}},
		{"declined, then repeated", []op{{key: "a", r: bad, code: web.Declined}, {key: "a", r: ten, code: web.Declined}}, []Entry{}},
		{"voided", []op{{key: "a", r: ten}, {key: "a", void: true}}, []Entry{{1, "a", "charge", 10}, {2, "a", "refund", -10}}},
		{"voided twice", []op{{key: "a", r: ten}, {key: "a", void: true}, {key: "a", void: true}}, []Entry{{1, "a", "charge", 10}, {2, "a", "refund", -10}}},
		{"charged after a void", []op{{key: "a", r: ten}, {key: "a", void: true}, {key: "a", r: ten, code: web.Voided}}, []Entry{{1, "a", "charge", 10}, {2, "a", "refund", -10}}},
		{"voided before the charge", []op{{key: "a", void: true}, {key: "a", r: ten, code: web.Voided}}, []Entry{}},
		{"declined, then voided", []op{{key: "a", r: bad, code: web.Declined}, {key: "a", void: true}, {key: "a", r: ten, code: web.Declined}}, []Entry{}},
		{"two keys", []op{{key: "a", r: ten}, {key: "b", r: twenty}}, []Entry{{1, "a", "charge", 10}, {2, "b", "charge", 20}}},
		{"amount of 0", []op{{key: "a", r: ChargeRequest{0, "EUR", "card"}, code: web.Malformed}}, []Entry{}},
		{"no key", []op{{key: "", r: ten, code: web.Malformed}}, []Entry{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, database string) {
				bank := start(t, database, quick)
				for i, op := range c.ops {
					var err error
					if op.void {
						err = bank.Void(t.Context(), op.key)
					} else {
						_, err = bank.Charge(t.Context(), op.key, op.r)
					}
					if web.CodeOf(err) != op.code {
						t.Errorf("step %d: got %v, want %q", i, err, op.code)
					}
				}
				got, err := bank.Statement(t.Context(), 0)
				if err != nil || !reflect.DeepEqual(got, c.want) {
					t.Errorf("ledger %v, %v; want %v", got, err, c.want)
				}
			})
		})
	}
}

// TestChargedOnceByMany sends the same charges concurrently.
func TestConcurrentChargesChargeOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		bank := start(t, database, quick)
		var mu sync.Mutex
		ids := make(map[string]bool)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				charge, err := bank.Charge(t.Context(), strconv.Itoa(i%2), ChargeRequest{10, "EUR", "card"})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ids[charge.ID] = true
			})
		}
		all.Wait()
		entries, err := bank.Statement(t.Context(), 0)
		if err != nil || len(entries) != 2 || len(ids) != 2 {
			t.Errorf("ledger %v, %v, %d charge ids; want two charges", entries, err, len(ids))
		}
		if rest, err := bank.Statement(t.Context(), 1); err != nil || len(rest) != 1 || rest[0].Seq != 2 {
			t.Errorf("statement after entry 1: %v, %v", rest, err)
		}
	})
}

func TestBehaviour(t *testing.T) {
	draw := func(seed uint64) []time.Duration {
		b := DefaultBehaviour()
		b.Seed = seed
		m := moods{Behaviour: b, random: rand.New(rand.NewPCG(seed, 0))}
		all := make([]time.Duration, 10_000)
		for i := range all {
			all[i] = m.latency()
		}
		return all
	}
	all := draw(1)
	if !slices.Equal(all, draw(1)) || slices.Equal(all, draw(2)) {
		t.Error("want equal latencies for equal seeds and others for another seed")
	}
	slices.Sort(all)
	want := DefaultBehaviour()
	near := func(what string, got time.Duration, z float64) {
		if want := float64(want.Latency) * math.Exp(want.Spread*z); math.Abs(float64(got)-want) > 0.1*want {
			t.Errorf("%s %v, want %v ± 10 %%", what, got, time.Duration(want))
		}
	}
	near("median", all[5000], 0)
	near("99th percentile", all[9900], 2.326)

	m := moods{Behaviour: Behaviour{Seed: 1, Decline: 0.1}}
	declined := 0
	for i := range 10_000 {
		key := strconv.Itoa(i)
		first, second := m.declines(key, "card"), m.declines(key, "card")
		if first {
			declined++
		}
		if first != second || !m.declines(key, CardDeclined) {
			t.Fatal("want the same decision for the same key, and CardDeclined always declined")
		}
	}
	if declined < 900 || declined > 1100 {
		t.Errorf("%d of 10000 declined, want about 1000", declined)
	}
}

func TestInvalidBehaviour(t *testing.T) {
	for _, b := range []Behaviour{{Decline: 1.1}, {Decline: -0.1}, {Latency: -1}, {Spread: -1}} {
		if _, err := New(t.Context(), Config{Behaviour: b}, Deps{}); err == nil {
			t.Errorf("%+v was accepted", b)
		}
	}
}
