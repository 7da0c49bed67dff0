package fault

import (
	"syscall"
	"testing"
	"time"

	"firedrill/internal/machine/machinetest"
)

// cpu returns the CPU time that this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestCPUBurn(t *testing.T) {
	s := newSet(t, "broker")
	before := cpu(t)
	end := begin(t, s, "cpu_burn", map[string]any{"cores": 1.5})
	machinetest.Eventually(t, "200 ms of processor time", func() bool { return cpu(t)-before > 200*time.Millisecond })
	if got := running("burn"); got != 2 {
		t.Errorf("%d busy loops, want 2", got)
	}
	end()
	if running("burn") > 0 {
		t.Error("busy loops are left after the end")
	}
}

// The number of loops that make work wait this long depends on the machine. The
// wait does not.
func TestCPUBurnMakesWorkWait(t *testing.T) {
	const wait = 100 * time.Millisecond
	end := begin(t, newSet(t, "broker"), "cpu_burn", map[string]any{"wait": wait.String()})
	machinetest.Eventually(t, "goroutines wait for a processor", func() bool { return turn() > wait*3/4 })
	end()
	if running("burn") > 0 {
		t.Error("busy loops are left after the end")
	}
}

func TestCPUStarveAdjusts(t *testing.T) {
	s := cpuStarve{wait: 300 * time.Millisecond}
	for _, c := range []struct {
		loops int
		took  time.Duration
		want  int
	}{
		{2, 0, 4}, // nothing waits: half as many again, plus one
		{10, 100 * time.Millisecond, 16},
		{20, 250 * time.Millisecond, 24},
		{20, 300 * time.Millisecond, 20},
		{20, 3 * time.Second, 16}, // at most a fifth less
		{1, time.Minute, 1},
		{900, time.Millisecond, 1000},
	} {
		if got := s.adjust(c.loops, c.took); got != c.want {
			t.Errorf("adjust(%d, %v) = %d, want %d", c.loops, c.took, got, c.want)
		}
	}
}
