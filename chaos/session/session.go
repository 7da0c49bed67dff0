package session

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/fault"
	"firedrill/chaos/report"
	"firedrill/chaos/run"
	"firedrill/internal/machine"
)

// Settings say how drills are run, whatever the copy. The zero value of a field
// without a remark is fine.
type Settings struct {
	// Speed is how many times faster than real the objectives run; 0: as the rules of
	// the copy say.
	Speed float64
	// Seed decides what load and faults leave to chance.
	Seed uint64
	// Rate is the rate of each drill's load; "": the drill's own, or the share of it
	// that this machine can carry.
	Rate string
	// Idle says that faults are on and begins none.
	Idle bool
	// Version is the version of the program that runs drills, for its telemetry.
	Version string
	// Past are alerts that tell of the past only, Machine alerts that tell of the
	// machine; see run.Config.
	Past, Machine []drill.AlertPattern
	// ReadLoad reads the result file of a load process. It is needed.
	ReadLoad func(path string) (run.LoadResult, error)
	// Predictor returns what predicts alerts on a target at a scale; nil: nothing is
	// predicted.
	Predictor func(t *Target, scale float64) (run.Predictor, error)
	// Progress is where the timeline and remarks are written. It is needed.
	Progress io.Writer
}

// One is one run of a drill.
type One struct {
	Drill *drill.Drill
	// Shows says how the drill may be shown while it runs.
	Shows report.Display
	// Dir is an existing folder for what the run writes.
	Dir string
	// Wait is how long to wait for alerts that already fire to resolve; 0 refuses at once.
	Wait time.Duration
	// Begun is called with the scale before the drill begins, and returns one more
	// observer of its events. It may be nil.
	Begun func(scale float64) (func(run.Event), error)
}

// Run runs a drill on a target, which it locks meanwhile, and returns its journal. The
// error is a *run.RefusedError if the drill did not begin, or a *BusyError.
func (s *Settings) Run(ctx context.Context, t *Target, one One) (*run.Journal, error) {
	if err := t.Check(one.Drill); err != nil {
		return nil, err
	}
	release, err := t.Folder.Lock(one.Shows.Name)
	if err != nil {
		return nil, err
	}
	defer release()
	config, err := s.config(ctx, t, one)
	if err != nil {
		return nil, err
	}
	tells, err := newTeller(ctx, t, one.Drill.Name, s.Version, one.Shows)
	if err != nil {
		return nil, err
	}
	defer tells.Close()
	live := report.NewLive(s.Progress, one.Shows)
	defer live.Close()
	observers := []func(run.Event){live.Observe, tells.Observe}
	if one.Begun != nil {
		observe, err := one.Begun(config.Scale)
		if err != nil {
			return nil, err
		}
		observers = append(observers, observe)
	}
	if config.Drill, err = s.fitted(ctx, t, one.Drill); err != nil {
		return nil, err
	}
	config.Observe = func(e run.Event) {
		for _, observe := range observers {
			observe(e)
		}
	}
	return run.Run(ctx, config)
}

// config returns what a run of a drill needs of a target, without observers.
func (s *Settings) config(ctx context.Context, t *Target, one One) (run.Config, error) {
	faults := t.Faults
	var err error
	if faults.Token, err = t.Token(); err != nil {
		return run.Config{}, err
	}
	faults.Seed = s.Seed
	eyes, err := t.eyes()
	if err != nil {
		return run.Config{}, err
	}
	scale := s.Speed
	if scale == 0 {
		if scale, err = t.awaitScale(ctx); err != nil {
			return run.Config{}, err
		}
	}
	c := run.Config{
		Drill: one.Drill, Scale: scale, Seed: s.Seed, Injector: fault.New(faults),
		Load:   load{command: t.Load, read: s.ReadLoad, dir: one.Dir, seed: s.Seed},
		Prober: eyes, Alerts: eyes, Charter: eyes, Witness: eyes.Witness(ctx, t.Processes),
		Past: s.Past, Machine: s.Machine, Wait: one.Wait,
		TraceLink: t.Places[placeTempo] + "/api/traces/{trace_id}",
	}
	if s.Idle {
		c.Injector = run.Idle(c.Injector)
	}
	if s.Predictor != nil {
		if c.Predictor, err = s.Predictor(t, scale); err != nil {
			return run.Config{}, err
		}
	}
	return c, nil
}

// fitted returns the drill with a load for this machine, and says so.
func (s *Settings) fitted(ctx context.Context, t *Target, d *drill.Drill) (*drill.Drill, error) {
	if err := os.MkdirAll(t.Folder.Data, 0o750); err != nil {
		return nil, fmt.Errorf("create the data folder: %w", err)
	}
	capacity, err := machine.Of(ctx, t.Folder.Data)
	if err != nil {
		return nil, err
	}
	out := fit(d, s.Rate, capacity)
	if out.Load.Rate != d.Load.Rate {
		fmt.Fprintf(s.Progress, "This machine: %s. The load is %s instead of %s.\n", capacity, out.Load.Rate, d.Load.Rate)
	}
	return out, nil
}
