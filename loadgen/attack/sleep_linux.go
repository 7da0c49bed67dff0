package attack

import (
	"syscall"
	"time"
)

// sleepExactly sleeps in the system, which a signal may cut short: callers look at the clock.
func sleepExactly(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil) // interrupted: see above
}
