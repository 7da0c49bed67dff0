package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/report"
	"firedrill/chaos/run"
)

// Default times to wait, before a drill, for alerts that already fire to resolve.
const (
	waitFresh     = time.Minute      // on a copy that was just started
	waitFollowing = 10 * time.Minute // after another drill on the same copy
)

// Series runs drills one after the other and stores their results.
type Series struct {
	Settings
	// Folder is the folder for results, whichever copy a drill runs on.
	Folder Folder
	// Copy returns the target of one drill, and a function to call afterwards. dir is the
	// drill's folder of results.
	Copy func(ctx context.Context, dir string) (t *Target, done func(), err error)
	// Fresh must be true if Copy starts a copy for each drill.
	Fresh bool
	// Wait is how long to wait for alerts that already fire; 0 means a default that depends
	// on what ran before.
	Wait time.Duration
	// Page is an additional file for the page of each drill; "": none.
	Page string
}

// Refused reports whether an error means that a drill did not begin.
func Refused(err error) bool {
	refused := (*run.RefusedError)(nil)
	return errors.As(err, &refused)
}

// One runs a drill and stores its results. following must be true if another drill ran on
// the same copy before. begun may be nil; see the type One.
func (s *Series) One(
	ctx context.Context, d *drill.Drill, following bool, shows report.Display, begun func(scale float64) (func(run.Event), error),
) (*run.Journal, error) {
	dir, err := s.Folder.newResult(shows.Name)
	if err != nil {
		return nil, err
	}
	t, done, err := s.Copy(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer done()
	j, err := s.Run(ctx, t, One{Drill: d, Shows: shows, Dir: dir, Wait: s.wait(following), Begun: begun})
	if err != nil {
		return nil, t.explain(d, err)
	}
	if err := keep(j, dir, s.Page); err != nil {
		return nil, err
	}
	fmt.Fprintf(s.Progress, "Report: %s\n", filepath.Join(dir, pageName))
	return j, nil
}

func (s *Series) wait(following bool) time.Duration {
	switch {
	case s.Wait != 0:
		return s.Wait
	case s.Fresh:
		return waitFresh
	case following:
		return waitFollowing
	}
	return 0
}

// Refusals lists the drills that an error says were refused.
func Refusals(err error) []*run.RefusedError {
	if many, joined := err.(interface{ Unwrap() []error }); joined {
		var all []*run.RefusedError
		for _, one := range many.Unwrap() {
			all = append(all, Refusals(one)...)
		}
		return all
	}
	refused := (*run.RefusedError)(nil)
	if errors.As(err, &refused) {
		return []*run.RefusedError{refused}
	}
	return nil
}

// Each runs drills one after the other and calls show with the journal of each. A drill
// that is refused does not stop the others; refused joins the reasons of all refusals. If
// ctx ends, the remaining drills do not run. The journals of the drills that ran are
// returned with any error.
func (s *Series) Each(ctx context.Context, drills []*drill.Drill, show func(*run.Journal) error) (all []*run.Journal, refused, err error) {
	var reasons []error
	for i, d := range drills {
		j, err := s.One(ctx, d, i > 0, report.Display{Name: d.Name}, nil)
		switch {
		case err != nil && Refused(err):
			reasons = append(reasons, err)
			fmt.Fprintln(s.Progress, err)
		case err != nil:
			return all, nil, err
		default:
			all = append(all, j)
			if err := show(j); err != nil {
				return all, nil, err
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return all, errors.Join(reasons...), nil
}

// Mutants runs a drill as it is and, if it has faults, with its faults switched off. It
// returns the verdict of each run, and the verdicts of the first run with parts of what it
// saw removed.
func (s *Series) Mutants(ctx context.Context, d *drill.Drill) ([]run.Mutant, error) {
	shows := report.Display{Name: d.Name}
	whole, err := s.One(ctx, d, false, shows, nil)
	if err != nil {
		return nil, err
	}
	all := []run.Mutant{run.NewMutant(whole, run.ChangeNone)}
	if whole.Verdict == run.Pass {
		judged, err := run.Mutants(whole, d)
		if err != nil {
			return nil, err
		}
		all = append(all, judged...)
	}
	if len(d.Faults) == 0 {
		return all, nil
	}
	select {
	case <-ctx.Done(): // what is known is told
		return all, nil
	default:
	}
	off := *s
	off.Idle = true
	idle, err := off.One(ctx, d, true, shows, nil)
	if err != nil {
		return nil, err
	}
	return append(all, run.NewMutant(idle, run.ChangeFaultOff)), nil
}
