package session

import (
	"context"
	"fmt"
	"io"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/fault"
	"firedrill/chaos/report"
	"firedrill/chaos/run"
	"firedrill/internal/machine"
	"firedrill/internal/private"
)

// Settings configure how drills are run on any copy. The zero value of a field is valid
// unless its comment says that the field is required.
type Settings struct {
	// Speed is the scale: how many times faster than real the objectives run; 0 means the
	// scale of the copy's rules.
	Speed float64
	// Seed is the seed for random choices of load and faults.
	Seed uint64
	// Rate is the rate of each drill's load. "" means the drill's own rate, or the share of
	// it that this machine can carry.
	Rate string
	// Idle makes the run report faults as active without beginning any.
	Idle bool
	// Version is the version of the program that runs drills, for its telemetry.
	Version string
	// Past are alerts about the past, and Machine are alerts about the machine; see
	// run.Config.
	Past, Machine []drill.AlertPattern
	// ReadLoad reads the result file of a load process. It is required.
	ReadLoad func(path string) (run.LoadResult, error)
	// Predictor returns the predictor of alerts for a target at a scale; nil: no
	// predictions.
	Predictor func(t *Target, scale float64) (run.Predictor, error)
	// Progress is the writer for the timeline and remarks. It is required.
	Progress io.Writer
}

// One is one run of a drill.
type One struct {
	Drill *drill.Drill
	// Shows configures how the drill is shown while it runs.
	Shows report.Display
	// Dir is an existing folder for the files of the run.
	Dir string
	// Wait is how long to wait for alerts that already fire to resolve; 0 refuses at once.
	Wait time.Duration
	// Begun is called with the scale before the drill begins. It returns an additional
	// observer of the drill's events. It may be nil.
	Begun func(scale float64) (func(run.Event), error)
}

// Run runs a drill on a target and returns its journal. The target is locked during the
// run. The error is a *run.RefusedError if the drill did not begin, or a *BusyError if
// another drill runs.
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

// config returns the config of a run of a drill on a target, without observers.
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
	}
	if !t.Ephemeral {
		c.TraceLink = t.Places[placeTempo] + "/api/traces/{trace_id}"
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

// fitted returns the drill with a load that this machine can carry. It writes a remark if
// the load changes.
func (s *Settings) fitted(ctx context.Context, t *Target, d *drill.Drill) (*drill.Drill, error) {
	if err := private.Folder(t.Folder.Data); err != nil {
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
