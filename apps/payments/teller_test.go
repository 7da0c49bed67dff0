package payments

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/sony/gobreaker/v2"

	"firedrill/apps/bank"
	"firedrill/apps/internal/web"
)

// fakeBank returns the configured answers in order, then approves.
type fakeBank struct {
	answers []error
	takes   time.Duration
	charges int
	voids   int
	lines   []bank.Entry
}

func (b *fakeBank) next(ctx context.Context, n int) error {
	select {
	case <-time.After(b.takes):
	case <-ctx.Done():
		return &web.Error{Code: web.TimedOut, Err: ctx.Err()}
	}
	if n < len(b.answers) {
		return b.answers[n]
	}
	return nil
}

func (b *fakeBank) Charge(ctx context.Context, key string, r bank.ChargeRequest) (bank.Charge, error) {
	b.charges++
	if err := b.next(ctx, b.charges-1); err != nil {
		return bank.Charge{}, err
	}
	return bank.Charge{ID: "bank-" + key, Key: key, AmountMinor: r.AmountMinor, Status: bank.Approved}, nil
}

func (b *fakeBank) Void(ctx context.Context, _ string) error {
	b.voids++
	return b.next(ctx, b.voids-1)
}

func (b *fakeBank) Statement(_ context.Context, after int64) ([]bank.Entry, error) {
	for i, e := range b.lines {
		if e.Seq > after {
			return b.lines[i:], nil
		}
	}
	return nil, nil
}

func testTeller(t *testing.T, b Bank, p Patience) (*teller, *metrics) {
	t.Helper()
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return newTeller(b, p.withDefaults(), m, slog.New(slog.DiscardHandler)), m
}

func TestTellerRetries(t *testing.T) {
	down, slow := web.Errorf(web.Unavailable, "down"), web.Errorf(web.TimedOut, "slow")
	for _, c := range []struct {
		name    string
		answers []error
		takes   time.Duration
		code    web.Code
		calls   int
	}{
		{"first attempt", nil, 0, "", 1},
		{"second attempt", []error{down}, 0, "", 2},
		{"third attempt", []error{down, slow}, 0, "", 3},
		{"all attempts fail", []error{down, slow, down}, 0, web.Unavailable, 3},
		{"declined is not retried", []error{web.Errorf(web.Declined, "no")}, 0, web.Declined, 1},
		{"voided is not retried", []error{web.Errorf(web.Voided, "no")}, 0, web.Voided, 1},
		{"malformed is not retried", []error{web.Errorf(web.Malformed, "no")}, 0, web.Malformed, 1},
		{"all attempts time out", nil, time.Second, web.TimedOut, 3},
		{"slow, but in time", nil, 700 * time.Millisecond, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &fakeBank{answers: c.answers, takes: c.takes}
				teller, m := testTeller(t, b, Patience{})
				began := time.Now()
				_, err := teller.charge(t.Context(), "k", bank.ChargeRequest{})
				if web.CodeOf(err) != c.code || b.charges != c.calls {
					t.Errorf("%d calls, %v; want %d, %q", b.charges, err, c.calls, c.code)
				}
				if got := testutil.ToFloat64(m.retries); int(got) != c.calls-1 {
					t.Errorf("%v retries counted, want %d", got, c.calls-1)
				}
				if took := time.Since(began); took > teller.patience.Total {
					t.Errorf("took %v, want at most %v", took, teller.patience.Total)
				}
			})
		})
	}
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &fakeBank{}
		for range 1000 {
			b.answers = append(b.answers, web.Errorf(web.Unavailable, "down"))
		}
		teller, m := testTeller(t, b, Patience{Tries: 1})
		call := func() error {
			_, err := teller.charge(t.Context(), "k", bank.ChargeRequest{})
			return err
		}
		is := func(want string) {
			t.Helper()
			for _, state := range breakerStates {
				expected := map[bool]float64{true: 1}[state == want]
				if got := testutil.ToFloat64(m.breaker.WithLabelValues(bank.Name, state)); got != expected {
					t.Errorf("state %s shows %v, want %v", state, got, expected)
				}
			}
		}
		for i := range tripCalls {
			if i == tripCalls-1 {
				is("closed")
			}
			if err := call(); web.CodeOf(err) != web.Unavailable || errors.Is(err, gobreaker.ErrOpenState) {
				t.Fatalf("call %d: %v", i, err)
			}
		}
		is("open")
		var refused *web.Error
		if err := call(); !errors.As(err, &refused) || !errors.Is(err, gobreaker.ErrOpenState) ||
			refused.Code != web.Unavailable || refused.RetryAfter != teller.patience.Rest {
			t.Errorf("while open: %v", err)
		}
		if b.charges != tripCalls {
			t.Errorf("%d calls to the bank, want %d, because an open breaker stops calls", b.charges, tripCalls)
		}
		b.answers = nil
		time.Sleep(teller.patience.Rest + time.Second)
		for range 3 {
			if err := call(); err != nil {
				t.Errorf("after the open time: %v", err)
			}
		}
		is("closed")
		for state, want := range map[string]float64{"open": 1, "half_open": 1, "closed": 1} {
			if got := testutil.ToFloat64(m.transitions.WithLabelValues(state)); got != want {
				t.Errorf("%v changes to %s, want %v", got, state, want)
			}
		}
	})
}

// A bank that declines works, so the breaker must stay closed.
func TestBreakerIgnoresDeclines(t *testing.T) {
	b := &fakeBank{}
	for range 3 * tripCalls {
		b.answers = append(b.answers, web.Errorf(web.Declined, "no"))
	}
	teller, _ := testTeller(t, b, Patience{})
	for range 3 * tripCalls {
		if _, err := teller.charge(t.Context(), "k", bank.ChargeRequest{}); web.CodeOf(err) != web.Declined {
			t.Fatal(err)
		}
	}
}
