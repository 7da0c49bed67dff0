package fault

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlowQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "orders")
		pool := sql.OpenDB(s.Connector(&fakeDriver{}))
		defer pool.Close()
		took := func(ctx context.Context) (time.Duration, error) {
			began := time.Now()
			_, err := pool.ExecContext(ctx, "UPDATE things")
			return time.Since(began), err
		}
		end := begin(t, s, "slow_query", map[string]any{"delay": "300ms"})
		if d, err := took(t.Context()); err != nil || d != 300*time.Millisecond {
			t.Errorf("a statement took %v, %v; want 300ms", d, err)
		}
		began := time.Now()
		err := pool.QueryRowContext(t.Context(), "SELECT things").Scan(new(int))
		if d := time.Since(began); !errors.Is(err, sql.ErrNoRows) || d != 300*time.Millisecond {
			t.Errorf("a query took %v, %v; want 300ms and no rows", d, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if d, err := took(ctx); err == nil || d != 100*time.Millisecond {
			t.Errorf("a statement with a deadline took %v, %v; want 100ms and an error", d, err)
		}
		end()
		if d, err := took(t.Context()); err != nil || d != 0 {
			t.Errorf("a statement after the end took %v, %v", d, err)
		}
	})
}
