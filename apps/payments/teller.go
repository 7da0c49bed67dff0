package payments

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sony/gobreaker/v2"

	"firedrill/apps/bank"
	"firedrill/apps/internal/web"
	"firedrill/telemetry/client"
)

// Patience holds the timeouts and retries of calls to the bank.
type Patience struct {
	Attempt time.Duration // time limit of one call; default 800 ms
	Tries   uint          // maximum number of calls for one charge; default 3
	Total   time.Duration // time limit of all calls together; default 3 s
	Rest    time.Duration // how long the breaker stays open; default 5 s
}

func (p Patience) withDefaults() Patience {
	if p.Attempt == 0 {
		p.Attempt = 800 * time.Millisecond
	}
	if p.Tries == 0 {
		p.Tries = 3
	}
	if p.Total == 0 {
		p.Total = 3 * time.Second
	}
	if p.Rest == 0 {
		p.Rest = 5 * time.Second
	}
	return p
}

// The breaker opens if there were at least tripCalls calls within tripWindow,
// and at least tripShare of them failed.
const (
	tripCalls  = 20
	tripShare  = 0.5
	tripWindow = 10 * time.Second
)

// teller calls the bank. Each call has a timeout. Failed calls are retried with
// exponential backoff and jitter. If most calls fail, a circuit breaker stops
// them.
type teller struct {
	bank     Bank
	patience Patience
	breaker  *gobreaker.CircuitBreaker[bank.Charge]
	metrics  *metrics
}

func newTeller(b Bank, p Patience, m *metrics, log *slog.Logger) *teller {
	t := &teller{bank: b, patience: p, metrics: m}
	t.breaker = gobreaker.NewCircuitBreaker[bank.Charge](gobreaker.Settings{
		Name:         bank.Name,
		MaxRequests:  3,
		Interval:     tripWindow,
		BucketPeriod: time.Second,
		Timeout:      p.Rest,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.Requests >= tripCalls && float64(c.TotalFailures) >= tripShare*float64(c.Requests)
		},
		IsSuccessful: func(err error) bool { return !unknown(err) },
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(name string, from, to gobreaker.State) {
			m.breakerIs(to)
			m.transitions.WithLabelValues(breakerStates[to]).Inc()
			log.Warn("circuit breaker changed", slog.String("breaker", name),
				slog.String("from", from.String()), slog.String("to", to.String()))
		},
	})
	m.breakerIs(gobreaker.StateClosed)
	return t
}

// unknown reports whether err leaves open what the bank did.
func unknown(err error) bool {
	switch web.CodeOf(err) {
	case "", web.Declined, web.Voided, web.KeyReused:
		return false
	default:
		return true
	}
}

func (t *teller) charge(ctx context.Context, key string, r bank.ChargeRequest) (bank.Charge, error) {
	return t.call(ctx, func(ctx context.Context) (bank.Charge, error) { return t.bank.Charge(ctx, key, r) })
}

func (t *teller) void(ctx context.Context, key string) error {
	_, err := t.call(ctx, func(ctx context.Context) (bank.Charge, error) { return bank.Charge{}, t.bank.Void(ctx, key) })
	return err
}

func (t *teller) call(ctx context.Context, do func(context.Context) (bank.Charge, error)) (bank.Charge, error) {
	ctx, cancel := context.WithTimeout(ctx, t.patience.Total)
	defer cancel()
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 50 * time.Millisecond
	attempt := -1
	answer, err := backoff.Retry(ctx, func() (bank.Charge, error) {
		attempt++
		if attempt > 0 {
			t.metrics.retries.Inc()
		}
		return t.attempt(client.WithAttempt(ctx, attempt), do)
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(t.patience.Tries))
	if open := errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests); open {
		err = &web.Error{Code: web.Unavailable, RetryAfter: t.patience.Rest, Err: err}
	}
	return answer, err
}

// attempt makes one call. Its error is permanent if a retry would not help.
func (t *teller) attempt(ctx context.Context, do func(context.Context) (bank.Charge, error)) (bank.Charge, error) {
	answer, err := t.breaker.Execute(func() (bank.Charge, error) {
		ctx, cancel := context.WithTimeout(ctx, t.patience.Attempt)
		defer cancel()
		return do(ctx)
	})
	if code := web.CodeOf(err); err != nil && code != web.Unavailable && code != web.TimedOut {
		err = backoff.Permanent(err)
	}
	return answer, err
}
