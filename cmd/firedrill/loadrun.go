package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"firedrill/internal/topology"
	"firedrill/loadgen"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/profile"
	loadreport "firedrill/loadgen/report"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
)

// config returns the load test that the flags and the argument describe. It reads the files that flags name.
func (f *loadFlags) config(ctx context.Context, p program, argument string) (loadgen.Config, error) {
	cfg := loadgen.Config{
		Transport: f.transport, Insecure: f.insecure, WaitFor: f.wait, TraceURL: f.traceURL, Version: version,
	}
	offset, err := f.portOffset(p)
	if err != nil {
		return cfg, err
	}
	cfg.LocalTraceURL = fmt.Sprintf("http://127.0.0.1:%d/api/traces/{trace_id}", topology.PortTempo+offset)
	if cfg.Options, err = f.options(p, offset); err != nil {
		return cfg, err
	}
	if err := f.source(ctx, p, argument, &cfg); err != nil {
		return cfg, err
	}
	cfg.ID = journey.NewRunID()
	if f.run != "" {
		if cfg.ID, err = journey.ParseRunID(f.run); err != nil {
			return cfg, fmt.Errorf("--run %w", err)
		}
	}
	if cfg.Shard, err = f.part(p); err != nil {
		return cfg, err
	}
	for _, text := range f.thresholds {
		cfg.Thresholds = append(cfg.Thresholds, profile.Threshold{Expression: text, Where: "--threshold"})
	}
	if f.admin != "off" {
		cfg.Metrics = f.admin
	}
	return cfg, nil
}

// doLoad runs the load test, shows its progress, and writes its result. It returns the result, which is nil if there is
// none, and an error with the exit code.
func (p program) doLoad(ctx context.Context, run *loadgen.Run, out outputs) (*result.Result, error) {
	debug.SetGCPercent(400) // little memory is live and much is garbage: collect less often
	if addr := run.MetricsAddr(); addr != "" {
		takeBack, err := p.announce(addr)
		if err != nil {
			run.Close()
			return nil, err
		}
		defer takeBack()
	}
	show := &show{live: loadreport.NewLive(p.stderr), out: p.stderr, thresholds: run.Thresholds}
	show.note("%s", announcement(run))
	done := make(chan loadgen.Outcome, 1)
	go func() { done <- run.Do(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	interrupted, again := ctx.Done(), make(chan os.Signal, 1)
	defer signal.Stop(again)
	var late <-chan time.Time // nil until the run is interrupted
	for {
		select {
		case found := <-done:
			return show.end(found), out.judge(p, found.Result)
		case <-late:
			show.note("%d arrivals are still under way: they are left out", run.Busy())
			found := run.Cut()
			return show.end(found), out.judge(p, found.Result)
		case <-interrupted:
			interrupted = nil
			signal.Notify(again, os.Interrupt, syscall.SIGTERM)
			late = time.After(grace)
			show.note("stopping when the arrivals that are under way (%d) are done, in %v at the latest; Ctrl-C again stops at once", run.Busy(), grace)
		case <-again:
			show.close()
			return nil, &exit{exitInvalid, errors.New("stopped at once, without a result")}
		case <-tick.C:
			show.update(run.Snapshot())
		}
	}
}

// grace is how long an interrupted run waits for arrivals that are under way.
const grace = 1500 * time.Millisecond

// announcement returns a description of the load test that is about to start.
func announcement(run *loadgen.Run) string {
	until := "until stopped"
	if n := run.Part.Total(); n != schedule.Endless {
		until = fmt.Sprintf("for %v, %s arrivals", run.Part.Length().Round(time.Millisecond), loadreport.Count(n))
	}
	prof := run.Profile
	name := prof.Name
	if prof.Scale != 1 {
		name += fmt.Sprintf(" at %.4g times its rates", prof.Scale)
	}
	text := fmt.Sprintf("%s on %s %s (seed %d, run %s)", name, prof.Target, until, prof.Seed, run.ID)
	if addr := run.MetricsAddr(); addr != "" {
		text += fmt.Sprintf("\nmetrics at http://%s/metrics", addr)
	}
	return text
}
