package machine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestParsePressure(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       time.Duration
		ok         bool
	}{
		{"a kernel's file", "some avg10=87.89 avg60=56.65 avg300=25.03 total=97346312\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n", 97346312 * time.Microsecond, true},
		{"full comes first", "full avg10=0.00 total=7\nsome avg10=0.00 total=9\n", 9 * time.Microsecond, true},
		{"no total", "some avg10=0.00\n", 0, false},
		{"no number", "some total=many\n", 0, false},
		{"below zero", "some total=-4\n", -4 * time.Microsecond, false},
		{"empty", "", 0, false},
	} {
		got, ok := parsePressure(tc.text)
		if ok != tc.ok || ok && got != tc.want {
			t.Errorf("%s: %v, %v; want %v, %v", tc.name, got, ok, tc.want, tc.ok)
		}
	}
}

// nothing is a measurement without a result.
func nothing() (time.Duration, bool) { return 0, false }

// On a fake clock nothing is late. The share of waiting is the growth of the kernel's counter.
func TestWitnessReadsEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		w := &Witness{
			waited: func() (time.Duration, bool) { return time.Since(begin) / 4, true },
			delay:  func() (time.Duration, bool) { return 60 * time.Millisecond, true },
		}
		go w.measure(ctx)
		time.Sleep(3*time.Second + time.Millisecond)
		cancel()
		synctest.Wait()
		got := w.Since(begin)
		if len(got) != 3 {
			t.Fatalf("%d readings in 3 s, want 3: %v", len(got), got)
		}
		for i, r := range got {
			if r.Late != 0 || r.Waiting != 0.25 || r.Delay != 60*time.Millisecond || r.Wait() != r.Delay || !r.At.Equal(begin.Add(time.Duration(i+1)*time.Second)) {
				t.Errorf("reading %d: %+v; want nothing late, work delayed by 60 ms, a quarter waiting, a second after the one before", i, r)
			}
		}
		if got := w.Since(begin.Add(2 * time.Second)); len(got) != 1 {
			t.Errorf("%d readings since the second second, want 1", len(got))
		}
		if got := w.StrainedShare(begin); got != 1 {
			t.Errorf("strained for %v of the time, want all of it", got)
		}
		if worst := w.Worst(begin); worst.Waiting != 0.25 || worst.Late != 0 {
			t.Errorf("worst %+v", worst)
		}
	})
}

// On a system without pressure information, the share is below 0, not 0.
func TestWitnessWithoutPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		w := &Witness{waited: nothing, delay: nothing}
		go w.measure(ctx)
		time.Sleep(time.Second + time.Millisecond)
		cancel()
		synctest.Wait()
		if got := w.Since(begin); len(got) != 1 || got[0].Waiting >= 0 || got[0].Delay >= 0 || got[0].Wait() != 0 {
			t.Errorf("readings %+v, want one whose share of waiting and delay are unknown", got)
		}
		if got := w.StrainedShare(begin); got != 0 {
			t.Errorf("strained for %v of the time, want none of it", got)
		}
	})
}

// A witness that wakes up late records by how much.
func TestWitnessTellsLateness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin, calls := time.Now(), 0
		w := &Witness{delay: nothing, waited: func() (time.Duration, bool) {
			if calls++; calls == 2 { // at the end of the first second: the next tick is late
				time.Sleep(300 * time.Millisecond)
			}
			return 0, true
		}}
		go w.measure(ctx)
		time.Sleep(2500 * time.Millisecond)
		cancel()
		synctest.Wait()
		got := w.Since(begin)
		if len(got) != 2 || got[0].Late != 0 || got[1].Late < 280*time.Millisecond || got[1].Late > 300*time.Millisecond {
			t.Errorf("readings %+v; want the second late by some 0.3 s", got)
		}
	})
}

func TestWait(t *testing.T) {
	for _, tc := range []struct {
		name string
		r    Reading
		want time.Duration
	}{
		{"a late tick", Reading{Late: 80 * time.Millisecond, Delay: 5 * time.Millisecond, Waiting: 0.2}, 80 * time.Millisecond},
		{"delayed work", Reading{Late: time.Millisecond, Delay: 90 * time.Millisecond, Waiting: 1}, 90 * time.Millisecond},
		{"others wait, the watched processes do not", Reading{Late: time.Millisecond, Delay: 2 * time.Millisecond, Waiting: 1}, 2 * time.Millisecond},
		{"somebody always waits, and nothing is watched", Reading{Late: time.Millisecond, Delay: -1, Waiting: 0.95}, Strained},
		{"somebody waits now and then, and nothing is watched", Reading{Late: time.Millisecond, Delay: -1, Waiting: 0.5}, time.Millisecond},
		{"nothing is known", Reading{Late: time.Millisecond, Delay: -1, Waiting: -1}, time.Millisecond},
	} {
		if got := tc.r.Wait(); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}
