// Package machinetest lets tests wait as long as the machine needs. It also lets them report that the machine,
// and not the product, was too slow.
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

// guard is the shortest timeout of a test, on the reference machine. A shorter timeout would measure the
// machine.
const guard = time.Minute

// calibrated measures the machine once per process.
var calibrated = sync.OnceValues(func() (machine.Capacity, error) { return machine.Calibrate(context.Background()) })

// Patience returns how long to wait for something that takes at most d on the reference machine. It is d or a
// minute, whichever is longer, and more on a slower machine. What takes longer is not slow but hangs. Patience
// must not be called in a synctest bubble, where work takes no time.
func Patience(t testing.TB, d time.Duration) time.Duration {
	t.Helper()
	capacity, err := calibrated()
	if err != nil {
		t.Fatal(err)
	}
	return capacity.Patience(max(d, guard))
}

// Eventually waits until holds returns true. It fails the test if this takes longer than the Patience of a
// minute.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	Await(t, what, func() (string, bool) { return "", holds() })
}

// Await is like Eventually. holds also returns what it saw, for the message of the failure.
func Await(t testing.TB, what string, holds func() (seen string, ok bool)) {
	t.Helper()
	if err := Awaited(t, guard, holds); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Awaited waits until holds returns true. It returns an error if this takes longer than the Patience of d. It
// may be called from other goroutines than the test's.
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

// Pauses between two checks. They get longer, because some checks start a process.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 100 * time.Millisecond
)

// tooSlow begins the message of an inconclusive test. No other failure has it.
const tooSlow = "this machine could not keep up"

// inconclusive holds the names of the tests that called CouldNotKeepUp.
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

// tell writes the number and the names of the inconclusive tests. It writes nothing if there are none.
func (all *tests) tell(w io.Writer) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if n := len(all.names); n > 0 {
		fmt.Fprintf(w, "%d inconclusive: %s (%s)\n", n, tooSlow, strings.Join(all.names, ", "))
	}
}

// CouldNotKeepUp ends a test as failed because it is inconclusive: the machine was too slow. figure says what
// was too slow. Main lists the test again at the end.
func CouldNotKeepUp(t testing.TB, figure string) {
	t.Helper()
	inconclusive.add(t.Name())
	t.Fatalf("%s: %s", tooSlow, figure)
}

// Main is the TestMain of a package whose tests call CouldNotKeepUp. It runs the tests, prints on the last line
// how many were inconclusive, and ends the process.
func Main(m *testing.M) {
	code := m.Run()
	inconclusive.tell(os.Stdout)
	os.Exit(code)
}
