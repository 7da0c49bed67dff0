package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"firedrill/chaos"
	"firedrill/chaos/fault"
	"firedrill/chaos/mystery"
	drillreport "firedrill/chaos/report"
)

// mysteryName is what is said of a drill while nobody may know which it is.
const mysteryName = "mystery"

const drillMysteryUsage = `drill mystery [flags]

Runs one of the drills on the stack that runs, without saying which. Look at dashboards, logs and traces, and find out what is
wrong and where. Meanwhile, in another terminal:

    firedrill drill hint                     the next hint; each costs points
    firedrill drill guess SERVICE FAULT      a guess, such as: guess catalog slow_query
    firedrill drill guess --give-up          the answer

The faults end by themselves. Their traces in metrics and logs stay, and so does the game. docs/drills.md lists all faults.
With --seed a teacher chooses: the same seed picks the same drill; without it the choice is random.

Exit codes: 0 it ran, 2 misuse or refused.`

func drillMystery(ctx context.Context, p program, args []string) error {
	flags := p.newFlags("drill mystery", drillMysteryUsage)
	f := addDrillFlags(flags, false)
	if err := parse(flags, args, 0, 0); err != nil {
		return err
	}
	if !isSet(flags, "seed") {
		f.seed = rand.Uint64()
	}
	if f.fresh {
		return fmt.Errorf("%w: a mystery runs on the stack that people look at; leave out --fresh", errUsage)
	}
	runner, err := f.runner(p)
	if err != nil {
		return err
	}
	all, err := runner.target.drills()
	if err != nil {
		return err
	}
	d, err := mystery.Pick(all, f.seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s\n\n\"firedrill drill hint\" and \"firedrill drill guess SERVICE FAULT\" work in another terminal.\n\n", strings.TrimSpace(d.Story))
	j, err := runner.one(ctx, d, false, true)
	if refused := (*chaos.RefusedError)(nil); errors.As(err, &refused) {
		return runner.noMystery(d, err)
	}
	if err != nil {
		return err
	}
	return runner.endMystery(j)
}

// noMystery says why none began, and not which: there will be another try.
func (r *drillRunner) noMystery(d *chaos.Drill, why error) error {
	if err := os.Remove(r.target.gamePath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the mystery: %w", err)
	}
	return &exit{exitMisuse, errors.New(strings.ReplaceAll(why.Error(), d.Name, mysteryName))}
}

// endMystery tells what it was if that was found, and else how to go on.
func (r *drillRunner) endMystery(j *chaos.Journal) error {
	game, err := r.target.game()
	if err != nil || game == nil {
		return errors.Join(err, errQuiet)
	}
	if game.Solved.IsZero() {
		fmt.Fprintln(r.p.stdout, "It is over, and all is healed. What it left in metrics, logs and traces is still there: what was it?")
		return nil
	}
	if err := drillreport.Text(r.p.stdout, j); err != nil {
		return err
	}
	fmt.Fprintln(r.p.stdout, game.Score())
	return nil
}

const drillHintUsage = `drill hint [flags]

Gives the next hint of the mystery. Each costs points.`

func drillHint(ctx context.Context, p program, args []string) error {
	flags := p.newFlags("drill hint", drillHintUsage)
	which := addStackFlags(flags)
	if err := parse(flags, args, 0, 0); err != nil {
		return err
	}
	return p.play(ctx, which, func(g *mystery.Game, d *chaos.Drill) error {
		text, left, err := g.Hint(d)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s\n(%d more)\n", strings.TrimSpace(text), left)
		return nil
	})
}

const drillGuessUsage = `drill guess [flags] SERVICE FAULT
       firedrill drill guess --give-up

Guesses what is broken in the mystery: the service and the kind of fault (docs/drills.md lists them). A wrong guess costs
points. Exit codes: 0 right, 1 wrong.`

func drillGuess(ctx context.Context, p program, args []string) error {
	flags := p.newFlags("drill guess", drillGuessUsage)
	which := addStackFlags(flags)
	giveUp := flags.Bool("give-up", false, "print the answer instead, and end the game")
	if err := parse(flags, args, 0, 2); err != nil {
		return err
	}
	if n := flags.NArg(); *giveUp && n != 0 || !*giveUp && n != 2 {
		return fmt.Errorf("%w: want SERVICE FAULT, or --give-up", errUsage)
	}
	if err := knownFault(flags.Arg(1)); !*giveUp && err != nil {
		return err
	}
	return p.play(ctx, which, func(g *mystery.Game, d *chaos.Drill) error {
		if *giveUp {
			tellAnswer(p, g, d)
			return nil
		}
		reply, err := g.Guess(d, flags.Arg(0), flags.Arg(1), time.Now())
		if err != nil {
			return err
		}
		if reply.Service && reply.Fault {
			fmt.Fprintln(p.stdout, "Right!")
			tellAnswer(p, g, d)
			return nil
		}
		fmt.Fprintln(p.stdout, wrong(reply))
		return errQuiet
	})
}

// knownFault refuses what is no kind of fault: a slip of the pen costs nothing.
func knownFault(name string) error {
	var kinds []string
	for _, k := range fault.Kinds() {
		if mystery.Same(name, k.Name) {
			return nil
		}
		kinds = append(kinds, k.Name)
	}
	return fmt.Errorf("%w: %q is no fault: there are %s", errUsage, name, strings.Join(kinds, ", "))
}

func wrong(r mystery.Reply) string {
	switch {
	case r.Service:
		return "The service is right. The fault is not."
	case r.Fault:
		return "The fault is right. It is elsewhere."
	}
	return "Neither."
}

func tellAnswer(p program, g *mystery.Game, d *chaos.Drill) {
	fmt.Fprintf(p.stdout, "%s: %s in %s. %s\n%s\n(drill %s, seed %d)\n",
		d.Title, d.Answer.Fault, d.Answer.Service, strings.TrimSpace(d.Answer.Because), g.Score(), d.Name, g.Seed)
}

// play lets do make a move in the game of a copy. A move that failed is kept too:
// wrong guesses count.
func (p program) play(ctx context.Context, which *stackFlags, do func(*mystery.Game, *chaos.Drill) error) error {
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	t := drillTarget{Stack: kit, getenv: p.getenv}
	g, err := t.game()
	if err != nil {
		return err
	}
	if g == nil {
		return fmt.Errorf("%w: there is no mystery on %s; \"firedrill drill mystery\" begins one", errUsage, t.Data)
	}
	d, err := t.drill(g.Drill)
	if err != nil {
		return err
	}
	var moved error
	kept := t.updateGame(ctx, func(g *mystery.Game) { moved = do(g, d) })
	return errors.Join(moved, kept)
}

// beginGame keeps a new game, and returns what follows the drill's events.
func (t drillTarget) beginGame(ctx context.Context, g mystery.Game) (func(chaos.Event), error) {
	if err := t.keepGame(&g); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // how it ends belongs to the game
	return func(e chaos.Event) {
		if e.Kind != chaos.EventFault && e.Kind != chaos.EventNotification {
			return
		}
		// The game misses a time then; the drill goes on.
		_ = t.updateGame(ctx, func(g *mystery.Game) { g.Observe(e) })
	}, nil
}

// gamePath is where a copy keeps its mystery.
func (t drillTarget) gamePath() string { return filepath.Join(t.notes(), "mystery.json") }

// game is the last mystery of the copy, nil if there was none.
func (t drillTarget) game() (*mystery.Game, error) {
	text, err := os.ReadFile(t.gamePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // no game is no error
	}
	g := new(mystery.Game)
	if err == nil {
		err = json.Unmarshal(text, g)
	}
	if err != nil {
		return nil, fmt.Errorf("read the mystery: %w", err)
	}
	return g, nil
}

// updateGame changes the mystery while nobody else does: the drill notes what
// happens, and people guess, each in a process of their own.
func (t drillTarget) updateGame(ctx context.Context, change func(*mystery.Game)) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	l := flock.New(t.gamePath() + ".lock")
	if _, err := l.TryLockContext(ctx, 10*time.Millisecond); err != nil {
		return fmt.Errorf("lock the mystery: %w", err)
	}
	defer l.Unlock() //nolint:errcheck // goes with the process anyway
	g, err := t.game()
	if err != nil {
		return err
	}
	if g == nil {
		return fmt.Errorf("%w: the mystery is gone", errUsage)
	}
	change(g)
	return t.keepGame(g)
}

// keepGame replaces the file at once, so that no reader finds half of it.
func (t drillTarget) keepGame(g *mystery.Game) error {
	text, err := json.Marshal(g)
	if err == nil {
		err = os.WriteFile(t.gamePath()+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(t.gamePath()+".new", t.gamePath())
	}
	if err != nil {
		return fmt.Errorf("keep the mystery: %w", err)
	}
	return nil
}
