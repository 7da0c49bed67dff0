package fault

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/fault/kinds"
)

// timed returns how long a request takes on the fake clock.
func timed(app *fiber.App, method, path string) time.Duration {
	began := time.Now()
	ask(app, method, path)
	return time.Since(began)
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "orders")
		app := shop(s)
		end := begin(t, s, "latency", map[string]any{"median": "250ms", "route": "/orders/:id"})
		if got := timed(app, http.MethodGet, "/orders/7"); got != 250*time.Millisecond {
			t.Errorf("delayed by %v, want 250ms", got)
		}
		if got := timed(app, http.MethodPost, "/orders"); got != 0 {
			t.Errorf("another route was delayed by %v", got)
		}
		end()
		if got := timed(app, http.MethodGet, "/orders/7"); got != 0 {
			t.Errorf("delayed by %v after the end", got)
		}
	})
}

// Waiting requests continue when the fault ends.
func TestLatencyEndReleasesWaitingRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "orders")
		app := shop(s)
		end := begin(t, s, "latency", map[string]any{"median": "30s"})
		took := make(chan time.Duration)
		go func() { took <- timed(app, http.MethodPost, "/orders") }()
		time.Sleep(time.Second)
		end()
		if got := <-took; got != time.Second {
			t.Errorf("the request waited for %v, want 1s", got)
		}
	})
}

// A delay ends at the request's deadline.
func TestLatencyRespectsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "orders")
		app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the request failed with %v", err)
			}
			return c.SendStatus(http.StatusGatewayTimeout)
		}})
		app.Use(func(c *fiber.Ctx) error {
			ctx, cancel := context.WithTimeout(c.UserContext(), 4*time.Second)
			defer cancel()
			c.SetUserContext(ctx)
			return c.Next()
		})
		s.Router(app).Get("/", func(*fiber.Ctx) error { return nil })
		begin(t, s, "latency", map[string]any{"median": "30s"})
		if got := timed(app, http.MethodGet, "/"); got != 4*time.Second {
			t.Errorf("the request took %v, want 4s", got)
		}
	})
}

func TestLatencyDistributions(t *testing.T) {
	const median = 100 * time.Millisecond
	for _, c := range []struct {
		distribution string
		spread       float64
		p90          float64 // theoretical 0.9 quantile, as a factor of the median
	}{
		{"constant", 0, 1},
		{"normal", 0.2, 1 + 0.2*1.2816},
		{"lognormal", 0.5, math.Exp(0.5 * 1.2816)},
		{"pareto", 0.5, math.Pow(2*0.1, -0.5)},
	} {
		k, err := kinds.Of("latency")
		if err != nil {
			t.Fatal(err)
		}
		e, err := newEffect(k, map[string]any{"median": median.String(), "distribution": c.distribution, "spread": c.spread, "most": "1s"})
		if err != nil {
			t.Fatal(err)
		}
		l := e.(*latency)
		l.dice = newDice(1, c.distribution)
		const n = 20_000
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = l.delay()
		}
		slices.Sort(all)
		for q, want := range map[float64]float64{0.5: 1, 0.9: c.p90} {
			if got := float64(all[int(q*n)]) / float64(median); math.Abs(got/want-1) > 0.05 {
				t.Errorf("%s: the %v-quantile is %.3f of the median, want %.3f", c.distribution, q, got, want)
			}
		}
		if all[0] < 0 || all[n-1] > time.Second {
			t.Errorf("%s: delays are %v to %v, want 0 to 1s", c.distribution, all[0], all[n-1])
		}
	}
}
