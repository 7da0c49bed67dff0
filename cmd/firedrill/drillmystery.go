package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/fault"
	"firedrill/chaos/game"
	drillreport "firedrill/chaos/report"
	chaosrun "firedrill/chaos/run"
	"firedrill/chaos/session"
)

const drillMysteryUsage = `drill mystery [flags]

Runs one of the drills on the stack that runs, without saying which. Look at dashboards, logs and traces, and find out what is
wrong and where. Meanwhile, in another terminal:

    firedrill drill hint                     the next hint; each costs points
    firedrill drill guess SERVICE FAULT      a guess, such as: guess catalog slow_query
    firedrill drill guess --give-up          the answer

The faults end by themselves. Their traces in metrics and logs stay, and so does the game. docs/drills.md lists all faults.
With --seed a teacher chooses: the same seed picks the same drill; without it the choice is random.

Exit codes: 0 the drill went as its file says, 1 it failed, 2 misuse or refused, 3 it is without a clear result.`

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
	d, err := game.Pick(all, f.seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s\n\n\"firedrill drill hint\" and \"firedrill drill guess SERVICE FAULT\" work in another terminal.\n\n", strings.TrimSpace(d.Story))
	store := runner.target.game()
	j, err := runner.series().One(ctx, d, false, game.Display(), func(scale float64) (func(chaosrun.Event), error) {
		return store.Begin(ctx, game.Game{Drill: d.Name, Seed: f.seed, Scale: scale})
	})
	if session.Refused(err) {
		return noMystery(store, d, err)
	}
	if err != nil {
		return misuse(err)
	}
	return endMystery(p, store, j)
}

// game returns the store of the copy's mystery.
func (t drillTarget) game() game.Store {
	return game.Store{Path: filepath.Join(t.folder().Notes, "mystery.json")}
}

// noMystery returns an error that says why no mystery began. It hides the drill's name, because the user may
// try again.
func noMystery(s game.Store, d *drill.Drill, why error) error {
	if err := s.Forget(); err != nil {
		return err
	}
	return &exit{exitMisuse, game.Conceal(d, why)}
}

// endMystery prints the report and the score if the cause was found. Otherwise it prints what to do next.
func endMystery(p program, s game.Store, j *chaosrun.Journal) error {
	g, err := s.Load()
	if err != nil || g == nil {
		return errors.Join(err, errQuiet)
	}
	if g.Solved.IsZero() {
		fmt.Fprintln(p.stdout, "It is over: every fault has ended. What it left in metrics, logs and traces is still there: what was it?")
		return endOf(j)
	}
	if err := drillreport.Text(p.stdout, j); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, g.Score())
	return endOf(j)
}

// endOf returns an error if a drill did not go as its file says, without its name: the game goes on.
func endOf(j *chaosrun.Journal) error {
	switch j.Verdict {
	case chaosrun.Pass:
		return nil
	case chaosrun.Fail:
		return errors.New("but not everything went as the drill expects: the verdict is FAIL; after the answer is told, \"firedrill drill report\" shows why")
	case chaosrun.Inconclusive, chaosrun.Aborted:
	}
	return &exit{exitInvalid, fmt.Errorf("but the drill is without a clear result: the verdict is %s", strings.ToUpper(string(j.Verdict)))}
}

const drillHintUsage = `drill hint [flags]

Gives the next hint of the mystery. Each costs points.`

func drillHint(ctx context.Context, p program, args []string) error {
	flags := p.newFlags("drill hint", drillHintUsage)
	which := addStackFlags(flags)
	if err := parse(flags, args, 0, 0); err != nil {
		return err
	}
	return p.play(ctx, which, func(g *game.Game, d *drill.Drill) error {
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
	if !*giveUp {
		if err := game.CheckFault(flags.Arg(1), fault.Kinds()); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	return p.play(ctx, which, func(g *game.Game, d *drill.Drill) error {
		if *giveUp {
			fmt.Fprint(p.stdout, g.Answer(d))
			return nil
		}
		reply, err := g.Guess(d, flags.Arg(0), flags.Arg(1), time.Now())
		if err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, reply)
		if !reply.Right() {
			return errQuiet
		}
		fmt.Fprint(p.stdout, g.Answer(d))
		return nil
	})
}

// play calls do with the game of the copy that the flags select.
func (p program) play(ctx context.Context, which *stackFlags, do func(*game.Game, *drill.Drill) error) error {
	t, err := which.drillTarget(p)
	if err != nil {
		return err
	}
	err = t.game().Play(ctx, t.library(), do)
	if errors.Is(err, game.ErrNone) {
		return fmt.Errorf("%w: %w on %s; \"firedrill drill mystery\" begins one", errUsage, err, t.Data)
	}
	return err
}
