package fault

import (
	"syscall"
	"testing"
	"time"
)

// cpu is the processor time that this process has had.
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
	await(t, "200 ms of processor time", func() bool { return cpu(t)-before > 200*time.Millisecond })
	if got := running("burn"); got != 2 {
		t.Errorf("%d goroutines burn, want 2", got)
	}
	end()
	if running("burn") > 0 {
		t.Error("it burns on")
	}
}
