package game_test

import (
	"errors"
	"testing"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/game"
	"firedrill/chaos/run"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func named(name string, answer *drill.Answer) *drill.Drill {
	return &drill.Drill{Name: name, Answer: answer, Hints: []string{"vague", "plain"}}
}

func TestPick(t *testing.T) {
	some := &drill.Answer{Service: "catalog", Fault: "slow_query"}
	a, b, c, control := named("a", some), named("b", some), named("c", some), named("control", nil)
	seen := map[string]int{}
	for seed := range uint64(300) {
		one, err := game.Pick([]*drill.Drill{a, control, b, c}, seed)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := game.Pick([]*drill.Drill{c, b, a}, seed)
		if one != again {
			t.Fatalf("seed %d picked %s, then %s", seed, one.Name, again.Name)
		}
		seen[one.Name]++
	}
	if len(seen) != 3 || seen["a"] < 60 || seen["b"] < 60 || seen["c"] < 60 {
		t.Errorf("picked %v", seen)
	}
	if _, err := game.Pick([]*drill.Drill{control}, 1); err == nil {
		t.Error("picked one that has no answer")
	}
}

func TestGame(t *testing.T) {
	d := named("a", &drill.Answer{Service: "catalog", Fault: "slow_query"})
	g := game.Game{Scale: 60}
	after := start.Add
	if _, err := g.Guess(d, "catalog", "slow_query", start); !errors.Is(err, game.ErrEarly) {
		t.Errorf("a guess before the fault: %v", err)
	}
	for _, e := range []run.Event{
		{At: after(0), Kind: run.EventNotification, State: run.StateTold}, // before the fault
		{At: after(time.Minute), Kind: run.EventFault, State: run.StateBegan},
		{At: after(2 * time.Minute), Kind: run.EventFault, State: run.StateBegan},
		{At: after(time.Minute + 12*time.Second), Kind: run.EventNotification, State: run.StateTold},
		{At: after(3 * time.Minute), Kind: run.EventNotification, State: run.StateTold},
	} {
		g.Observe(e)
	}
	if text, left, err := g.Hint(d); text != "vague" || left != 1 || err != nil {
		t.Errorf("hint %q, %d left, %v", text, left, err)
	}
	for _, c := range []struct {
		service, fault string
		want           game.Reply
	}{{"orders", "errors", game.Reply{}}, {"Catalog", "latency", game.Reply{Service: true}}, {"catalog", "slow query", game.Reply{Service: true, Fault: true}}} {
		got, err := g.Guess(d, c.service, c.fault, after(4*time.Minute+30*time.Second))
		if got != c.want || err != nil {
			t.Errorf("%s %s: %+v, %v, want %+v", c.service, c.fault, got, err, c.want)
		}
	}
	if _, err := g.Guess(d, "catalog", "slow_query", start); !errors.Is(err, game.ErrSolved) {
		t.Errorf("a guess after the right one: %v", err)
	}
	// 100 minus a hint (15), two wrong guesses (20), and four minutes, rounded up (8).
	want := "57 points: an alert told after 12s, the cause was found after 3m30s, hints used: 1, wrong guesses: 2"
	if got := g.Score().String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	g.Scale = 1 // at this scale the same time is less than a minute
	if got := g.Score().Points; got != 63 {
		t.Errorf("%d points at scale 1, want 63", got)
	}
}

func TestUnsolved(t *testing.T) {
	d := named("a", &drill.Answer{Service: "catalog", Fault: "slow_query"})
	g := game.Game{Scale: 60, Broken: start}
	for range 2 {
		_, _, _ = g.Hint(d)
	}
	if _, _, err := g.Hint(d); !errors.Is(err, game.ErrNoHints) {
		t.Errorf("a third hint of two: %v", err)
	}
	_, _ = g.Guess(d, "orders", "errors", start)
	want := "0 points: nobody was told by an alert, the cause was not found, hints used: 2, wrong guesses: 1"
	if got := g.Score().String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
