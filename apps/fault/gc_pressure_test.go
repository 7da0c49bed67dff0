package fault

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestGCPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		s := newSet(t, "broker")
		inUse, before := heap()
		end := begin(t, s, "gc_pressure", map[string]any{"bytes_per_second": 64 * mib})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		now, total := heap()
		if made := (total - before) / mib; made < 120 || made > 140 {
			t.Errorf("allocated %.1f MiB in 2 s, want 128", made)
		}
		if now-inUse > 2*mib {
			t.Errorf("%.1f MiB are still in use, want 0", (now-inUse)/mib)
		}
		end()
		_, before = heap()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if _, total = heap(); total-before > mib {
			t.Errorf("allocated %.1f MiB after the end", (total-before)/mib)
		}
	})
}
