package stack

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"firedrill/internal/machine"
)

// ofPower returns the capacity of a machine with two cores and the given power.
func ofPower(power float64) machine.Capacity { return machine.Capacity{Cores: 2, Speed: power} }

func TestLoadRate(t *testing.T) {
	for _, tc := range []struct{ power, want, scale float64 }{
		{0, 25, 1}, // unknown
		{math.NaN(), 25, 1},
		{4, 25, 1},
		{1, 25, 1},
		{0.75, 25, 1},
		{0.6, 20, 0.8},
		{0.45, 15, 0.6},
		{0.3, 10, 0.4},
		{0.1, 10, 0.4},
	} {
		s := Settings{Machine: ofPower(tc.power)}
		if got := s.LoadRate(); got != tc.want || s.LoadScale() != tc.scale {
			t.Errorf("power %v: %v/s, %v times the profile's, want %v/s, %v times", tc.power, got, s.LoadScale(), tc.want, tc.scale)
		}
	}
}

// The constant fullLoad equals the rate in the profile.
func TestFullLoadIsTheProfiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repoRoot(t), "loadgen", "profiles", "trickle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var profile struct {
		Stages []struct {
			Constant struct{ Rate string }
		}
	}
	if err := yaml.Unmarshal(text, &profile); err != nil {
		t.Fatal(err)
	}
	if len(profile.Stages) != 1 || profile.Stages[0].Constant.Rate != "25/s" || fullLoad != 25 {
		t.Errorf("the profile says %+v, the stack %d/s", profile.Stages, fullLoad)
	}
}

func TestLoadComponentHasTheRate(t *testing.T) {
	for _, tc := range []struct {
		power float64
		want  []string
	}{
		{0, nil}, {1, nil}, {0.6, []string{"--scale-rate", "0.8"}}, {0.2, []string{"--scale-rate", "0.4"}},
	} {
		command := Settings{Root: "/repo", Machine: ofPower(tc.power)}.loadComponent(programs{firedrill: "firedrill"}).Command
		want := slices.Concat([]string{"firedrill", "load", "--admin", "127.0.0.1:8107", "--wait", "http://127.0.0.1:8100/readyz"},
			tc.want, []string{"/repo/loadgen/profiles/trickle.yaml"})
		if !slices.Equal(command, want) {
			t.Errorf("power %v: %v, want %v", tc.power, command, want)
		}
	}
}

func TestDeadlinesFollowTheMachine(t *testing.T) {
	for _, tc := range []struct {
		power      float64
		ready, own time.Duration
		stop, down int
		answer     time.Duration
	}{
		{0, time.Minute, 5 * time.Second, 2, 6, time.Second},
		{2, time.Minute, 5 * time.Second, 2, 6, time.Second},
		{0.9, 66667 * time.Millisecond, 5 * time.Second, 2, 6, 1111 * time.Millisecond},
		{0.5, 2 * time.Minute, 5 * time.Second, 4, 12, 2 * time.Second},
		{0.25, 4 * time.Minute, 5 * time.Second, 8, 24, 4 * time.Second},
		{0.01, 8 * time.Minute, 5 * time.Second, 16, 48, 8 * time.Second}, // the longest that a time is stretched
	} {
		s := Settings{Data: t.TempDir(), Machine: ofPower(tc.power)}
		if got := s.ReadyFor(0).Round(time.Millisecond); got != tc.ready {
			t.Errorf("power %v: components get %v, want %v", tc.power, got, tc.ready)
		}
		if got := s.ReadyFor(tc.own); got != tc.own {
			t.Errorf("power %v: components get %v, want %v as asked", tc.power, got, tc.own)
		}
		if got := s.supervisor().patience.Round(time.Millisecond); got != tc.answer {
			t.Errorf("power %v: the supervisor gets %v, want %v", tc.power, got, tc.answer)
		}
		if got, want := s.orderlyFor(), time.Duration(tc.down)*time.Second; got != want {
			t.Errorf("power %v: down waits %v, want %v", tc.power, got, want)
		}
		for stop, want := range map[int]int{0: tc.stop, 1: 1} {
			p, err := composeProcessOf(s, Component{Name: "c", Ready: "http://127.0.0.1:1/", Stop: stop})
			if err != nil || p.Shutdown.TimeoutSeconds != want {
				t.Errorf("power %v: a component with Stop %d gets %d s to end, %v, want %d s", tc.power, stop, p.Shutdown.TimeoutSeconds, err, want)
			}
		}
	}
}

func TestSizing(t *testing.T) {
	for _, tc := range []struct {
		name  string
		power float64
		load  bool
		asked time.Duration
		want  string
	}{
		{"reference", 1, true, 0, "This machine: 2 cores, 1 times the reference machine. Background load 25/s; components get up to 1m0s to be ready."},
		{"slow", 0.5, true, 0, "This machine: 2 cores, 0.5 times the reference machine. Background load 17/s instead of 25/s; components get up to 2m0s to be ready."},
		{"no load", 0.5, false, 0, "This machine: 2 cores, 0.5 times the reference machine. No background load; components get up to 2m0s to be ready."},
		{"a time is asked for", 0.5, true, 5 * time.Second, "This machine: 2 cores, 0.5 times the reference machine. Background load 17/s instead of 25/s; components get up to 5s to be ready."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := (Settings{Machine: ofPower(tc.power), Load: tc.load}).Sizing(tc.asked); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestUpMeasuresTheMachine(t *testing.T) {
	k := Stack{Settings: Settings{Data: t.TempDir(), Machine: ofPower(1)}, Out: new(strings.Builder)}
	fresh := machine.Capacity{Cores: 2, Speed: 0.5, Measured: time.Now()}
	k.Calibrate = func(context.Context) (machine.Capacity, error) { return fresh, nil }
	got, err := k.sized(t.Context())
	if err != nil || got.Machine != fresh {
		t.Errorf("%+v, %v, want %+v", got.Machine, err, fresh)
	}
	if want := got.Sizing(0) + "\n"; k.Out.(*strings.Builder).String() != want {
		t.Errorf("said %q, want %q", k.Out, want)
	}
}

func TestAMachineThatCannotBeMeasured(t *testing.T) {
	broken := errors.New("interrupted")
	k := Stack{Settings: Settings{Data: t.TempDir()}, Out: new(strings.Builder)}
	k.Calibrate = func(context.Context) (machine.Capacity, error) { return machine.Capacity{}, broken }
	if _, err := k.sized(t.Context()); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	k.Calibrate = func(context.Context) (machine.Capacity, error) { return ofPower(1), nil }
	k.Data = filepath.Join(k.Data, "missing")
	if _, err := k.sized(t.Context()); err == nil || !strings.Contains(err.Error(), "keep the machine's capacity") {
		t.Errorf("error %v, want that it cannot be kept", err)
	}
}

func TestStatusTellsOfTheMachine(t *testing.T) {
	k := Stack{Settings: Settings{Data: t.TempDir(), Machine: ofPower(0.5)}}
	if err := os.MkdirAll(k.runDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeState(k.Settings, Record{LoadRate: 17}); err != nil {
		t.Fatal(err)
	}
	got, err := k.Status(t.Context())
	if err != nil || got.LoadRate != 17 || got.Machine == nil || *got.Machine != (Machine{ofPower(0.5), 0.5}) {
		t.Errorf("status %+v, %v", got, err)
	}
	k.Machine = machine.Capacity{}
	if got, err := k.Status(t.Context()); err != nil || got.Machine != nil {
		t.Errorf("nothing is known, but the status has %+v, %v", got.Machine, err)
	}
}

func TestForgetDead(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"1073741824.json", "own.json"} { // larger than every process id
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ForgetDead(folder)
	if files, _ := filepath.Glob(filepath.Join(folder, "*")); !slices.Equal(files, []string{filepath.Join(folder, "own.json")}) {
		t.Errorf("files %v stay", files)
	}
}
