package telemetry

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink is a fake backend. Tests can make it fail.
type sink struct {
	mu      sync.Mutex
	err     error
	hang    bool // send blocks until the attempt times out
	got     []int
	batches []int // sizes of the batches
	tries   int
}

func (s *sink) send(ctx context.Context, items []int) error {
	s.mu.Lock()
	s.tries++
	err, hang := s.err, s.hang
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, items...)
	s.batches = append(s.batches, len(items))
	return nil
}

func (s *sink) set(err error, hang bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.hang = err, hang
}

// seen returns copies of the received items and batch sizes, and the number of
// attempts.
func (s *sink) seen() (got, batches []int, tries int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got), slices.Clone(s.batches), s.tries
}

func startFence(s *sink, cfg fenceConfig) *fence[int] {
	return newFence(cfg, s.send, func(time.Duration, error) {})
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func wantStats(t *testing.T, f *fence[int], want fenceStats) {
	t.Helper()
	got := f.snapshot()
	if got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	later := got.dropped[rejected]
	if got.enqueued != got.exported+uint64(got.held)+later && got.dropped[shutdown] == 0 {
		t.Errorf("the counts do not add up: %+v", got)
	}
}

func TestFenceSendsInOrderAndInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		f := startFence(s, fenceConfig{Limit: 100, Batch: 4, Delay: time.Second, Timeout: time.Second})
		for _, i := range numbers(10) {
			f.put(i, 1)
		}
		synctest.Wait()
		if _, batches, _ := s.seen(); !slices.Equal(batches, []int{4, 4}) {
			t.Errorf("full batches sent at once: %v, want [4 4]", batches)
		}
		time.Sleep(time.Second + time.Millisecond)
		synctest.Wait()
		if got, _, _ := s.seen(); !slices.Equal(got, numbers(10)) {
			t.Errorf("got %v after the delay", got)
		}
		wantStats(t, f, fenceStats{enqueued: 10, exported: 10})
		if err := f.close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestFenceSurvivesLongOutage(t *testing.T) {
	failures := map[string]func(*sink){
		"connection refused": func(s *sink) { s.set(errors.New("connection refused"), false) },
		"hangs":              func(s *sink) { s.set(nil, true) },
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &sink{}
				fail(s)
				f := startFence(s, fenceConfig{Limit: 50, Batch: 10, Delay: time.Second, Timeout: 2 * time.Second})
				for _, i := range numbers(80) { // 30 more than the limit
					before := time.Now()
					f.put(i, 1)
					if waited := time.Since(before); waited != 0 {
						t.Fatalf("put waited %v", waited)
					}
				}
				time.Sleep(7 * time.Minute)
				synctest.Wait()
				held := fenceStats{enqueued: 50, held: 50, cost: 50}
				held.dropped[queueFull] = 30
				wantStats(t, f, held)
				if _, _, tries := s.seen(); tries < 60 || tries > 500 {
					t.Errorf("%d attempts in 7 minutes, want one every 2 to 7 s", tries)
				}

				s.set(nil, false)
				time.Sleep(15 * time.Second)
				synctest.Wait()
				if got, _, _ := s.seen(); !slices.Equal(got, numbers(50)) {
					t.Errorf("the queued items did not arrive in order: %v", got)
				}
				after := fenceStats{enqueued: 50, exported: 50, dropped: held.dropped}
				wantStats(t, f, after)
				if err := f.close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestFenceCountsRejectedItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{err: &rejectedError{items: 2, err: errors.New("bad line")}}
		f := startFence(s, fenceConfig{Limit: 100, Batch: 5, Delay: time.Second, Timeout: time.Second})
		for _, i := range numbers(5) {
			f.put(i, 1)
		}
		synctest.Wait()
		want := fenceStats{enqueued: 5, exported: 3}
		want.dropped[rejected] = 2
		wantStats(t, f, want)
		if _, _, tries := s.seen(); tries != 1 {
			t.Errorf("%d attempts to send rejected items, want 1", tries)
		}
		_ = f.close(t.Context())
	})
}

func TestFenceClose(t *testing.T) {
	tests := []struct {
		name     string
		hang     bool
		grace    time.Duration
		exported uint64
		lost     uint64
	}{
		{"flushes", false, time.Second, 23, 0},
		{"gives up in time", true, 3 * time.Second, 0, 23},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &sink{hang: tt.hang}
				f := startFence(s, fenceConfig{Limit: 100, Batch: 10, Delay: time.Hour, Timeout: time.Minute})
				for _, i := range numbers(23) {
					f.put(i, 1)
				}
				ctx, cancel := context.WithTimeout(t.Context(), tt.grace)
				defer cancel()
				began := time.Now()
				err := f.close(ctx)
				if took := time.Since(began); took > tt.grace {
					t.Errorf("close took %v, want at most %v", took, tt.grace)
				}
				if (err != nil) != (tt.lost > 0) {
					t.Errorf("close returned %v", err)
				}
				f.put(99, 1) // after close, items are dropped and counted
				want := fenceStats{enqueued: 23, exported: tt.exported}
				want.dropped[shutdown] = tt.lost + 1
				if got := f.snapshot(); got != want {
					t.Errorf("stats %+v, want %+v", got, want)
				}
				if err := f.close(t.Context()); err != nil {
					t.Errorf("second close: %v", err)
				}
			})
		})
	}
}

func TestFenceBoundsCostNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{hang: true}
		f := startFence(s, fenceConfig{Limit: 1000, Batch: 500, Delay: time.Hour, Timeout: time.Minute})
		f.put(1, 999)
		f.put(2, 2) // does not fit
		f.put(3, 1) // fits
		want := fenceStats{enqueued: 2, held: 2, cost: 1000}
		want.dropped[queueFull] = 1
		wantStats(t, f, want)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = f.close(ctx)
	})
}

func TestFenceQueueDoesNotGrowWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		f := startFence(s, fenceConfig{Limit: 64, Batch: 8, Delay: time.Second, Timeout: time.Second})
		for _, i := range numbers(100_000) {
			f.put(i, 1)
			if i%32 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		if c := cap(f.queue); c > 256 {
			t.Errorf("capacity for %d items with a limit of 64", c)
		}
		_ = f.close(t.Context())
	})
}
