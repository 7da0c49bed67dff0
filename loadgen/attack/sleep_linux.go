package attack

import (
	"syscall"
	"time"
)

// sleepExactly sleeps in a system call. A signal may end it early, so callers must check the
// clock.
func sleepExactly(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil) // an error means that a signal ended it early
}
