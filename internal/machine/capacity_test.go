package machine

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestPatienceGrowsOnASlowMachineOnly(t *testing.T) {
	for _, tc := range []struct {
		name string
		c    Capacity
		want time.Duration // of 10 s
	}{
		{"the reference machine", Capacity{Cores: 2, Speed: 1}, 10 * time.Second},
		{"a faster one", Capacity{Cores: 8, Speed: 1.5}, 10 * time.Second},
		{"half the cores", Capacity{Cores: 1, Speed: 1}, 20 * time.Second},
		{"a quarter as fast", Capacity{Cores: 2, Speed: 0.25}, 40 * time.Second},
		{"hardly alive", Capacity{Cores: 1, Speed: 0.01}, 80 * time.Second},
		{"unknown", Capacity{}, 10 * time.Second},
	} {
		if got := tc.c.Patience(10 * time.Second); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestKeptCapacity(t *testing.T) {
	dir := t.TempDir()
	if _, ok, err := Known(dir); ok || err != nil {
		t.Errorf("an empty folder: %v, %v", ok, err)
	}
	kept := Capacity{Cores: runtime.GOMAXPROCS(0), Speed: 0.7, Measured: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	if err := kept.Keep(dir); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := Known(dir); got != kept || !ok || err != nil {
		t.Errorf("%+v, %v, %v; want %+v", got, ok, err, kept)
	}
	other := Capacity{Cores: kept.Cores + 1, Speed: 0.7}
	if err := other.Keep(dir); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := Known(dir); ok {
		t.Error("the capacity of another number of cores counts as known")
	}
	if err := os.WriteFile(filepath.Join(dir, capacityFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := Known(dir); ok || err == nil {
		t.Errorf("a broken file: %v, %v; want an error", ok, err)
	}
}

func TestMeasureKeepsTheBetterResultOfADay(t *testing.T) {
	now := time.Now()
	cores := runtime.GOMAXPROCS(0)
	fresh := Capacity{Cores: cores, Speed: 0.5, Measured: now}
	for _, tc := range []struct {
		name  string
		known Capacity
		keeps bool // the known capacity
	}{
		{"nothing is known", Capacity{}, false},
		{"better, an hour old", Capacity{Cores: cores, Speed: 1, Measured: now.Add(-time.Hour)}, true},
		{"worse, an hour old", Capacity{Cores: cores, Speed: 0.3, Measured: now.Add(-time.Hour)}, false},
		{"better, two days old", Capacity{Cores: cores, Speed: 1, Measured: now.Add(-48 * time.Hour)}, false},
		{"better, from the future", Capacity{Cores: cores, Speed: 1, Measured: now.Add(time.Hour)}, false},
		{"better, with other cores", Capacity{Cores: cores + 1, Speed: 1, Measured: now}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if tc.known.Cores > 0 {
				if err := tc.known.Keep(dir); err != nil {
					t.Fatal(err)
				}
			}
			want := fresh
			if tc.keeps {
				want = tc.known
			}
			got, err := Measure(t.Context(), dir, func(context.Context) (Capacity, error) { return fresh, nil })
			kept, ok, keptErr := Known(dir)
			if err != nil || keptErr != nil || !ok {
				t.Fatalf("%v, %v, %v", err, keptErr, ok)
			}
			if got.Power() != want.Power() || kept.Power() != want.Power() {
				t.Errorf("returned %+v, kept %+v, want %+v", got, kept, want)
			}
		})
	}
}

func TestCalibrate(t *testing.T) {
	c, err := Calibrate(t.Context())
	if err != nil || c.Cores != runtime.GOMAXPROCS(0) || !(c.Speed > 0) || c.Measured.IsZero() {
		t.Errorf("%+v, %v", c, err)
	}
	t.Log(c)
}
