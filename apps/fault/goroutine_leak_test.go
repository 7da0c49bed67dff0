package fault

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestGoroutineLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "broker")
		end := begin(t, s, "goroutine_leak", map[string]any{"per_second": 200, "limit": 500})
		check := func(least, most int) {
			t.Helper()
			synctest.Wait()
			if got := running("leaked"); got < least || got > most {
				t.Errorf("%d leaked goroutines, want %d to %d", got, least, most)
			}
		}
		time.Sleep(time.Second)
		check(195, 205)
		time.Sleep(time.Minute)
		check(500, 500)
		end()
		check(0, 0)
	})
}
