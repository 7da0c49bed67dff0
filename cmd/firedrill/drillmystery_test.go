package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/game"
	chaosrun "firedrill/chaos/run"
)

// A game is stored between commands: hints and guesses in other processes find what the drill stored.
func TestMystery(t *testing.T) {
	target := drillsAt(t, 1000)
	say := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		env := func(name string) string {
			return map[string]string{"FIREDRILL_ROOT": target.Root, "FIREDRILL_DATA": target.Data}[name]
		}
		if code := run(t.Context(), append([]string{"drill"}, args...), env, &out, &out); code != want {
			t.Fatalf("%v: exit code %d, want %d:\n%s", args, code, want, out.String())
		}
		return out.String()
	}
	if got := say(exitMisuse, "hint"); !strings.Contains(got, "there is no mystery") {
		t.Errorf("a hint without a mystery: %s", got)
	}
	if err := os.MkdirAll(target.folder().Notes, 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := target.drill("payment-latency")
	if err != nil {
		t.Fatal(err)
	}
	observe, err := target.game().Begin(t.Context(), game.Game{Drill: d.Name, Seed: 7, Scale: 60})
	if err != nil {
		t.Fatal(err)
	}
	say(exitFailed, "guess", d.Answer.Service, d.Answer.Fault) // nothing is broken yet
	observe(chaosrun.Event{At: time.Now(), Kind: chaosrun.EventFault, State: chaosrun.StateBegan})
	observe(chaosrun.Event{At: time.Now(), Kind: chaosrun.EventNotification, State: chaosrun.StateTold})
	if got := say(0, "hint"); !strings.HasPrefix(got, strings.TrimSpace(d.Hints[0])) {
		t.Errorf("the hint is %q, want %q", got, d.Hints[0])
	}
	if got := say(exitFailed, "guess", d.Answer.Service, "memory_leak"); got != "The service is right. The fault is not.\n" {
		t.Errorf("half a guess: %q", got)
	}
	say(exitMisuse, "guess", d.Answer.Service)
	if got := say(exitMisuse, "guess", d.Answer.Service, "latenzy"); !strings.Contains(got, "is no fault: there are bad_deploy,") {
		t.Errorf("a slip of the pen: %s", got)
	}
	got := say(0, "guess", strings.ToUpper(d.Answer.Service), d.Answer.Fault)
	// 100 less a hint (15), a wrong guess (10) and the started minute (2).
	for _, want := range []string{"Right!\n" + d.Title, "73 points: an alert told after", "hints used: 1, wrong guesses: 1", "drill payment-latency, seed 7"} {
		if !strings.Contains(got, want) {
			t.Errorf("the answer lacks %q:\n%s", want, got)
		}
	}
	if got := say(exitFailed, "guess", d.Answer.Service, d.Answer.Fault); !strings.Contains(got, "solved already") {
		t.Errorf("a guess after the end: %s", got)
	}
}

// An error of a refused mystery does not reveal the drill, and no game is left.
func TestRefusedMystery(t *testing.T) {
	target := drillsAt(t, 1000)
	if err := os.MkdirAll(target.folder().Notes, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := target.game().Begin(t.Context(), game.Game{Drill: "bank-down"}); err != nil {
		t.Fatal(err)
	}
	err := noMystery(target.game(), &drill.Drill{Name: "bank-down"}, errors.New(`drill "bank-down" refused: TargetDown fires`))
	var own coder
	if !errors.As(err, &own) || own.ExitCode() != exitMisuse || err.Error() != `drill "mystery" refused: TargetDown fires` {
		t.Errorf("it says %v", err)
	}
	if g, err := target.game().Load(); g != nil || err != nil {
		t.Errorf("a game is left: %v, %v", g, err)
	}
}
