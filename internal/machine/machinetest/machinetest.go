// Package machinetest lets tests wait as long as the machine needs, and lets them say that the machine, and not the
// product, was too slow.
//
// It must not know what is tested.
package machinetest

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"firedrill/internal/machine"
)

// guard is the least that a test waits, on the reference machine. A test that waits for less measures the machine.
const guard = time.Minute

// calibrated measures the machine once a process.
var calibrated = sync.OnceValues(func() (machine.Capacity, error) { return machine.Calibrate(context.Background()) })

// Patience returns how long to wait for what takes at most d on the reference machine: d or a minute, whichever is longer,
// stretched on a slower machine. Nothing is slow that takes longer: it hangs. It must not be called in a synctest bubble,
// where work takes no time.
func Patience(t testing.TB, d time.Duration) time.Duration {
	t.Helper()
	capacity, err := calibrated()
	if err != nil {
		t.Fatal(err)
	}
	return capacity.Patience(max(d, guard))
}

// Eventually waits until holds returns true. It fails the test where that takes longer than Patience of a minute.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	Await(t, what, func() (string, bool) { return "", holds() })
}

// Await is Eventually for a condition that also returns what it saw, which the failure tells.
func Await(t testing.TB, what string, holds func() (seen string, ok bool)) {
	t.Helper()
	if err := Awaited(t, guard, holds); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Awaited waits until holds returns true, and returns an error where that takes longer than Patience of d. Other goroutines
// than the test's may call it.
func Awaited(t testing.TB, d time.Duration, holds func() (seen string, ok bool)) error {
	t.Helper()
	capacity, err := calibrated()
	if err != nil {
		return fmt.Errorf("wait: %w", err)
	}
	limit := capacity.Patience(max(d, guard))
	pause := firstPause
	for began := time.Now(); ; time.Sleep(pause) {
		pause = min(pause*5/4, lastPause)
		seen, ok := holds()
		switch {
		case ok:
			return nil
		case time.Since(began) < limit:
		case seen == "":
			return fmt.Errorf("not within %v", limit)
		default:
			return fmt.Errorf("not within %v; last: %s", limit, seen)
		}
	}
}

// Looks are taken often at first, then less often: some of them cost a process.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 100 * time.Millisecond
)

// tooSlow begins the message of a test that could not tell anything. No failure of the product has it.
const tooSlow = "this machine could not keep up"

// inconclusive are the tests that called CouldNotKeepUp.
var inconclusive tests

type tests struct {
	mu    sync.Mutex
	names []string
}

func (all *tests) add(name string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.names = append(all.names, name)
}

// tell writes how many tests were inconclusive and which; nothing if none was.
func (all *tests) tell(w io.Writer) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if n := len(all.names); n > 0 {
		fmt.Fprintf(w, "%d inconclusive: %s (%s)\n", n, tooSlow, strings.Join(all.names, ", "))
	}
}

// CouldNotKeepUp ends the test as failed, because nobody can say whether the product does what is tested: the machine was too
// slow for it. The figure says what was too slow. Main tells of the test again at the end.
func CouldNotKeepUp(t testing.TB, figure string) {
	t.Helper()
	inconclusive.add(t.Name())
	t.Fatalf("%s: %s", tooSlow, figure)
}

// Main is the TestMain of a package whose tests call CouldNotKeepUp: it runs them and then says, on the last line, how many
// were inconclusive. It ends the process.
func Main(m *testing.M) {
	code := m.Run()
	inconclusive.tell(os.Stdout)
	os.Exit(code)
}
