package payments

import (
	"context"
	"net/http"
	"reflect"
	"testing"

	"firedrill/apps/bank"
	"firedrill/apps/internal/storage/storagetest"
	"firedrill/apps/internal/web"
	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// build returns a service that is not running yet.
func build(t *testing.T, database string, b Bank) *Service {
	t.Helper()
	s, err := New(t.Context(), Config{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Database: database, Patience: Patience{Tries: 1}},
		Deps{Telemetry: telemetrytest.New(t, telemetry.Config{Service: Name}), Bank: b})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs a service until the test ends.
func start(t *testing.T, database string, b Bank) (*Client, *Service) {
	t.Helper()
	s := build(t, database, b)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return NewClient(s.URL(), http.DefaultClient), s
}

func TestChargeAndRefund(t *testing.T) {
	down, no := web.Errorf(web.Unavailable, "down"), web.Errorf(web.Declined, "no")
	type op struct {
		refund bool
		amount int64 // default 10
		code   web.Code
	}
	charge, refund := op{}, op{refund: true}
	with := func(o op, code web.Code) op { o.code = code; return o }
	for _, c := range []struct {
		name           string
		answers        []error
		ops            []op
		charges, voids int // calls to the bank
	}{
		{"charged", nil, []op{charge}, 1, 0},
		{"repeated without a second call to the bank", nil, []op{charge, charge}, 1, 0},
		{"another amount", nil, []op{charge, {amount: 11, code: web.KeyReused}}, 1, 0},
		{"declined stays declined", []error{no}, []op{with(charge, web.Declined), with(charge, web.Declined)}, 1, 0},
		{"unknown, then charged", []error{down}, []op{with(charge, web.Unavailable), charge}, 2, 0},
		{"refunded", nil, []op{charge, refund, refund, with(charge, web.Voided)}, 1, 1},
		{"unknown, then refunded", []error{down}, []op{with(charge, web.Unavailable), with(refund, web.Unavailable), refund, with(charge, web.Voided)}, 1, 2},
		{"refunded before the charge", nil, []op{refund, with(charge, web.Voided)}, 0, 1},
		{"charge after a failed refund", []error{down}, []op{with(refund, web.Unavailable), with(charge, web.KeyReused)}, 0, 1},
		{"refund of a declined charge", []error{no}, []op{with(charge, web.Declined), refund}, 1, 0},
		{"voided at the bank", []error{web.Errorf(web.Voided, "undone")}, []op{with(charge, web.Voided), with(charge, web.Voided)}, 1, 0},
		{"negative amount", nil, []op{{amount: -1, code: web.Malformed}}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			storagetest.Each(t, func(t *testing.T, database string) {
				b := &fakeBank{answers: c.answers}
				client, _ := start(t, database, b)
				for i, op := range c.ops {
					var err error
					if op.refund {
						err = client.Refund(t.Context(), "1")
					} else {
						r := ChargeRequest{OrderID: "1", AmountMinor: op.amount, Currency: "EUR", Card: "card"}
						if r.AmountMinor == 0 {
							r.AmountMinor = 10
						}
						var got Charge
						got, err = client.Charge(t.Context(), r)
						if want := (Charge{"1", r.AmountMinor, "EUR", charged, "bank-1"}); err == nil && got != want {
							t.Errorf("step %d: got %+v, want %+v", i, got, want)
						}
					}
					if web.CodeOf(err) != op.code {
						t.Errorf("step %d: got %v, want %q", i, err, op.code)
					}
				}
				if b.charges != c.charges || b.voids != c.voids {
					t.Errorf("%d charges and %d voids at the bank, want %d and %d", b.charges, b.voids, c.charges, c.voids)
				}
			})
		})
	}
}

// The bank answers after the order was abandoned. The refund must win.
func TestRefundWinsOverLateAnswer(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		client, s := start(t, database, &fakeBank{})
		if _, err := s.store.begin(t.Context(), ChargeRequest{OrderID: "1", AmountMinor: 10, Currency: "EUR"}); err != nil {
			t.Fatal(err)
		}
		if err := client.Refund(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.settle(t.Context(), "1", charged, "bank-1"); web.CodeOf(err) != web.Voided {
			t.Errorf("settle after the refund: %v, want %s", err, web.Voided)
		}
	})
}

func TestAudit(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		b := &fakeBank{}
		s := build(t, database, b)
		for _, order := range []string{"1", "2", "3"} {
			if _, err := s.charge(t.Context(), ChargeRequest{OrderID: order, AmountMinor: 10, Currency: "EUR"}); err != nil {
				t.Fatal(err)
			}
		}
		b.lines = []bank.Entry{
			{Seq: 1, Key: "1", Kind: "charge", AmountMinor: 10},
			{Seq: 2, Key: "1", Kind: "refund", AmountMinor: -10},
			{Seq: 3, Key: "2", Kind: "charge", AmountMinor: 10},
			{Seq: 4, Key: "2", Kind: "charge", AmountMinor: 10},
			{Seq: 5, Key: "3", Kind: "charge", AmountMinor: 12},
			{Seq: 6, Key: "4", Kind: "charge", AmountMinor: 10},
		}
		for range 2 { // the second time there is nothing new
			if err := s.auditAll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got := telemetrytest.Series(t, s.tel.Registry(), "shop_payments_audited_charges_total")
		want := map[string]float64{"finding=once": 2, "finding=double": 1, "finding=wrong_amount": 1, "finding=unknown_order": 1}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("findings %v, want %v", got, want)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Run(ended); err != nil {
			t.Error(err)
		}
	})
}
