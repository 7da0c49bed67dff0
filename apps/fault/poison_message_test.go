package fault

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestPoisonMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "orders")
		var tries, sent atomic.Int64
		s.Poison(func(context.Context) error {
			if tries.Add(1) == 1 {
				return errors.New("the broker is down")
			}
			sent.Add(1)
			return nil
		})
		end := begin(t, s, "poison_message", map[string]any{"count": 3, "per_second": 2})
		for i, want := range []int64{0, 1, 2, 3, 3} { // every half second; the first attempt fails
			synctest.Wait()
			if got := sent.Load(); got != want {
				t.Errorf("after %d half seconds: %d events, want %d", i, got, want)
			}
			time.Sleep(500 * time.Millisecond)
		}
		end()

		end = begin(t, s, "poison_message", map[string]any{"count": 100, "per_second": 10})
		time.Sleep(time.Second)
		end()
		before := sent.Load()
		time.Sleep(time.Minute)
		if got := sent.Load(); got != before || before < 10 {
			t.Errorf("%d events at the end of the fault, %d a minute later", before, got)
		}
	})
}
