// Package storetest checks that a store keeps what it acknowledges: on a disk that is full at any byte, and after a kill at
// any byte.
//
// The limit of the size of files (RLIMIT_FSIZE) stands for both. A process that ignores the signal of the limit gets an
// error in the middle of a write, as on a full disk; one that does not is ended there by the kernel.
//
// It must not know what is stored.
package storetest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Store is a store of numbered items.
type Store struct {
	// Put opens the store in the folder dir, stores item n, and closes it. It returns nil if the item is acknowledged.
	Put func(dir string, n int) error
	// Get opens the store in the folder dir anew and returns the items in it.
	Get func(dir string) ([]int, error)
	// Single is true if the store has one value, which the next item replaces.
	Single bool
}

// mostLimits and mostKills bound how many bytes are tried, evenly over the length of what is written, and mostOfLarge how
// many of files that are larger than a page or two. Each kill takes a process of its own.
const (
	mostLimits  = 500
	mostOfLarge = 100
	mostKills   = 30

	large = 8 << 10
)

// childVar tells a process that a test has started what to do: all of the test (here), or store an item and be killed
// ("LIMIT DIR").
const (
	childVar = "FIREDRILL_STORETEST"
	here     = "here"
)

// Survives stores items while the disk is full at each byte, and while the process is killed at each byte, and fails the
// test unless all that was acknowledged is there afterwards and the store works. It must be all of a top-level test,
// because it starts processes that run the same test: one to be limited, as "go test" has the test's process write a log
// that must not be cut, and those to be killed.
func Survives(t *testing.T, s Store) {
	t.Helper()
	switch order := os.Getenv(childVar); order {
	case "":
		if out, err := again(t, here).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	case here:
		s.survives(t)
	default:
		s.child(t, order)
	}
}

// again returns the command that runs the test in another process with an order.
func again(t *testing.T, order string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1") //nolint:gosec // the test itself
	cmd.Env = append(os.Environ(), childVar+"="+order)
	return cmd
}

func (s Store) survives(t *testing.T) {
	t.Helper()
	size := s.size(t)
	for !s.full(t, size) { // a file may be larger while the store is open
		if size *= 2; size > 1<<30 {
			t.Fatal("the store acknowledges nothing")
		}
	}
	most := mostLimits
	if size > large {
		most = mostOfLarge
	}
	refused := 0
	for _, limit := range spread(size, most) {
		if !s.full(t, limit) {
			refused++
		}
	}
	if refused == 0 {
		t.Error("each item was acknowledged: no limit was hit, so that nothing was tested")
	}
	for _, limit := range spread(size, mostKills) {
		s.killed(t, limit)
	}
}

// spread returns at most about most numbers from 0 to more than size.
func spread(size, most int) []int {
	var all []int
	for n := 0; n <= size; n += 1 + size/most {
		all = append(all, n)
	}
	return append(all, size+1)
}

// size returns the size of the largest file of a store with two items.
func (s Store) size(t *testing.T) int {
	t.Helper()
	dir := s.with(t, 1)
	if err := s.Put(dir, 2); err != nil {
		t.Fatalf("store an item on a healthy disk: %v", err)
	}
	largest := int64(0)
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			largest = max(largest, info.Size())
		}
		return err
	})
	if err != nil || largest == 0 {
		t.Fatalf("the store wrote no file: %v", err)
	}
	return int(largest)
}

// with returns a new folder with a store that has an item.
func (s Store) with(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	if err := s.Put(dir, n); err != nil {
		t.Fatalf("store an item on a healthy disk: %v", err)
	}
	return dir
}

// full stores an item while no file may become larger than limit, and reports whether it was acknowledged.
func (s Store) full(t *testing.T, limit int) (acknowledged bool) {
	t.Helper()
	dir := s.with(t, 1)
	signal.Ignore(syscall.SIGXFSZ)
	restore := limitFiles(t, limit)
	err := s.Put(dir, 2)
	restore()
	signal.Reset(syscall.SIGXFSZ)
	s.check(t, dir, fmt.Sprintf("after a disk that was full at byte %d (the store said: %v)", limit, err), err == nil)
	return err == nil
}

// killed stores an item in another process that ends when a file becomes larger than limit.
func (s Store) killed(t *testing.T, limit int) {
	t.Helper()
	dir := s.with(t, 1)
	out, err := again(t, fmt.Sprintf("%d %s", limit, dir)).CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	acknowledged := strings.Contains(string(out), acknowledgement)
	if !acknowledged && !strings.Contains(string(out), "SIGXFSZ") && !strings.Contains(string(out), refusal) {
		t.Fatalf("the process was neither killed nor did it end:\n%s", out)
	}
	s.check(t, dir, fmt.Sprintf("after a kill at byte %d", limit), acknowledged)
}

// What a child prints about its item.
const (
	acknowledgement = "item acknowledged"
	refusal         = "item refused"
)

// child is the process that is killed.
func (s Store) child(t *testing.T, order string) {
	t.Helper()
	var limit int
	limitText, dir, _ := strings.Cut(order, " ")
	if _, err := fmt.Sscan(limitText, &limit); err != nil {
		t.Fatal(err)
	}
	restore := limitFiles(t, limit)
	err := s.Put(dir, 2)
	restore()
	if err != nil {
		fmt.Fprintln(os.Stdout, refusal+":", err)
		return
	}
	fmt.Fprintln(os.Stdout, acknowledgement)
}

// check fails the test unless the store in dir has item 1, and item 2 if it was acknowledged, and takes another item.
func (s Store) check(t *testing.T, dir, when string, acknowledged bool) {
	t.Helper()
	want := []int{1}
	switch {
	case acknowledged && s.Single:
		want = []int{2}
	case acknowledged:
		want = []int{1, 2}
	}
	s.holds(t, dir, when, want, acknowledged)
	if err := s.Put(dir, 3); err != nil {
		t.Fatalf("%s the store takes nothing more: %v", when, err)
	}
	if want = append(want, 3); s.Single {
		want = []int{3}
	}
	s.holds(t, dir, when+" and one more item", want, true)
}

// holds fails the test unless the store has all items that are wanted. Unless it was refused or acknowledged for sure, item
// 2 may be there instead of item 1.
func (s Store) holds(t *testing.T, dir, when string, want []int, sure bool) {
	t.Helper()
	got, err := s.Get(dir)
	if err != nil {
		t.Fatalf("%s the store cannot be read: %v", when, err)
	}
	if s.Single && !sure && slices.Equal(got, []int{2}) {
		return
	}
	for _, n := range want {
		if !slices.Contains(got, n) {
			t.Fatalf("%s there is %v, want %v", when, got, want)
		}
	}
}

// limitFiles bounds the size of the files that this process writes.
func limitFiles(t *testing.T, limit int) (restore func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	now := before
	now.Cur = uint64(limit)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
	}
}
