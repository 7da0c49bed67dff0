package fault

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestPoolExhaustion(t *testing.T) {
	for _, c := range []struct {
		name   string
		params map[string]any
		held   int
	}{
		{"some", map[string]any{"connections": 2}, 2},
		{"all", nil, 3},
		{"more than the pool has", map[string]any{"connections": 9}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSet(t, "orders")
				pool := sql.OpenDB(&fakeDriver{bare: true})
				defer pool.Close()
				pool.SetMaxOpenConns(3)
				s.Pool(pool)
				end := begin(t, s, "pool_exhaustion", c.params)
				synctest.Wait()
				if got := pool.Stats().InUse; got != c.held {
					t.Errorf("%d connections are held, want %d", got, c.held)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := pool.ExecContext(ctx, "UPDATE x")
				if starved := errors.Is(err, context.DeadlineExceeded); starved != (c.held == 3) {
					t.Errorf("statement during the fault: %v", err)
				}
				end()
				if got := pool.Stats().InUse; got != 0 {
					t.Errorf("%d connections are held after the end", got)
				}
				if _, err := pool.ExecContext(t.Context(), "UPDATE x"); err != nil {
					t.Errorf("statement after the end: %v", err)
				}
			})
		})
	}
}

// The fault can be ended while it waits for connections that others use.
func TestPoolExhaustionEndsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "orders")
		pool := sql.OpenDB(&fakeDriver{bare: true})
		defer pool.Close()
		pool.SetMaxOpenConns(1)
		s.Pool(pool)
		mine, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		end := begin(t, s, "pool_exhaustion", nil)
		synctest.Wait()
		end()
		mine.Close()
		if got := pool.Stats().InUse; got != 0 {
			t.Errorf("%d connections are held after the end", got)
		}
	})
}
