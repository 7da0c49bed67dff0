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

// On a fake clock nothing is late, and the share of waiting is what the kernel's counter grew by.
func TestWitnessReadsEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		w := new(Witness)
		go w.measure(ctx, func() (time.Duration, bool) { return time.Since(begin) / 4, true })
		time.Sleep(3*time.Second + time.Millisecond)
		cancel()
		synctest.Wait()
		got := w.Since(begin)
		if len(got) != 3 {
			t.Fatalf("%d readings in 3 s, want 3: %v", len(got), got)
		}
		for i, r := range got {
			if r.Late != 0 || r.Waiting != 0.25 || !r.At.Equal(begin.Add(time.Duration(i+1)*time.Second)) {
				t.Errorf("reading %d: %+v; want nothing late, a quarter waiting, a second after the one before", i, r)
			}
		}
		if got := w.Since(begin.Add(2 * time.Second)); len(got) != 1 {
			t.Errorf("%d readings since the second second, want 1", len(got))
		}
		if worst := w.Worst(begin); worst.Waiting != 0.25 || worst.Late != 0 {
			t.Errorf("worst %+v", worst)
		}
	})
}

// A system that does not tell of pressure gives a share below 0, not 0.
func TestWitnessWithoutPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		w := new(Witness)
		go w.measure(ctx, func() (time.Duration, bool) { return 0, false })
		time.Sleep(time.Second + time.Millisecond)
		cancel()
		synctest.Wait()
		if got := w.Since(begin); len(got) != 1 || got[0].Waiting >= 0 {
			t.Errorf("readings %+v, want one whose share of waiting is unknown", got)
		}
	})
}

// A witness that sleeps through its ticks tells how late it was.
func TestWitnessTellsLateness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin, calls := time.Now(), 0
		w := new(Witness)
		go w.measure(ctx, func() (time.Duration, bool) {
			if calls++; calls == 2 { // at the end of the first second: the next tick comes late
				time.Sleep(300 * time.Millisecond)
			}
			return 0, true
		})
		time.Sleep(2500 * time.Millisecond)
		cancel()
		synctest.Wait()
		got := w.Since(begin)
		if len(got) != 2 || got[0].Late != 0 || got[1].Late < 280*time.Millisecond || got[1].Late > 300*time.Millisecond {
			t.Errorf("readings %+v; want the second late by some 0.3 s", got)
		}
	})
}
