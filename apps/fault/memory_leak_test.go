package fault

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryLeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		s := newSet(t, "broker")
		before, _ := heap()
		end := begin(t, s, "memory_leak", map[string]any{"bytes_per_second": 16 * mib, "limit": 40 * mib})
		taken := func(want float64) {
			t.Helper()
			synctest.Wait()
			if now, _ := heap(); math.Abs((now-before)/mib-want) > 2 {
				t.Errorf("%.1f MiB in use, want %v", (now-before)/mib, want)
			}
		}
		time.Sleep(time.Second)
		taken(16)
		time.Sleep(time.Second)
		taken(32)
		time.Sleep(10 * time.Second)
		taken(40)
		end()
		taken(0)
	})
}
