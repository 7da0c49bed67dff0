//go:build !linux

package attack

import "time"

func sleepExactly(d time.Duration) { time.Sleep(d) }
