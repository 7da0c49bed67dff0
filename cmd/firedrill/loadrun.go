package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"firedrill/internal/wait"
	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/metrics"
	"firedrill/loadgen/profile"
	loadreport "firedrill/loadgen/report"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
	"firedrill/loadgen/threshold"
)

// loadRun is a load test that is ready to run.
type loadRun struct {
	p          program
	out        outputs
	profile    *profile.Profile
	run        journey.RunID
	part       schedule.Part
	thresholds []threshold.Threshold
	attack     *attack.Attack
	collector  *result.Collector
	admin      net.Listener // nil: no metrics
	metrics    *metrics.Metrics
}

// prepareLoad checks all that can be checked before a request is sent. Its errors
// are the user's to mend.
func (p program) prepareLoad(ctx context.Context, f *loadFlags, argument string) (*loadRun, error) {
	prof, err := f.read(p, argument)
	if err != nil {
		return nil, err
	}
	r := &loadRun{p: p, out: f.out, profile: prof}
	if r.run, err = runID(f.run); err != nil {
		return nil, err
	}
	prof.Plan.Run = r.run
	shard, part, err := f.part(p, prof.Schedule)
	if err != nil {
		return nil, err
	}
	r.part = part
	if r.thresholds, err = readThresholds(prof, f.thresholds); err != nil {
		return nil, err
	}
	if err := f.out.check(); err != nil {
		return nil, err
	}
	if err := resolve(ctx, prof.Hosts); err != nil {
		return nil, err
	}
	if err := await(ctx, f.wait); err != nil {
		return nil, err
	}
	if f.admin != "off" {
		if r.admin, err = new(net.ListenConfig).Listen(ctx, "tcp", f.admin); err != nil {
			return nil, fmt.Errorf("-admin: serve metrics: %w", err)
		}
	}
	if err := r.assemble(f, shard); err != nil {
		return nil, err
	}
	return r, nil
}

// runID reads a run's id, or makes one.
func runID(text string) (journey.RunID, error) {
	if text != "" {
		id, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return 0, fmt.Errorf("-run %q: want 16 hex digits", text)
		}
		return journey.RunID(id), nil
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return journey.RunID(binary.BigEndian.Uint64(b[:])), nil
}

func readThresholds(prof *profile.Profile, given []string) ([]threshold.Threshold, error) {
	all := slices.Clone(prof.Thresholds)
	for _, text := range given {
		all = append(all, profile.Threshold{Expression: text, Where: "-threshold"})
	}
	var names threshold.Names
	for i := range prof.Plan.Scenarios {
		sc := &prof.Plan.Scenarios[i]
		names.Scenarios = append(names.Scenarios, sc.Name)
		if sc.Kind != journey.Journey {
			continue
		}
		names.Journeys = append(names.Journeys, sc.Name)
		for k := range sc.Steps {
			names.Steps = append(names.Steps, sc.Steps[k].Name)
		}
	}
	for _, st := range prof.Stages {
		names.Stages = append(names.Stages, st.Name)
	}
	var out []threshold.Threshold
	for _, t := range all {
		parsed, err := threshold.Parse(t.Expression)
		if err == nil {
			err = parsed.Check(names)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Where, err)
		}
		out = append(out, parsed)
	}
	return out, nil
}

// resolve looks every host up, so that a wrong one is found before the first request.
func resolve(ctx context.Context, hosts []profile.Host) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, h := range hosts {
		if _, err := net.DefaultResolver.LookupHost(ctx, h.Name); err != nil {
			return fmt.Errorf("%s: find the host %q: %w", h.Where, h.Name, err)
		}
	}
	return nil
}

// await returns when the URL answers 200.
func await(ctx context.Context, url string) error {
	if url == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := wait.Ready(ctx, http.DefaultClient, url); err != nil {
		return fmt.Errorf("-wait: %w", err)
	}
	return nil
}

// assemble puts the parts of the run together.
func (r *loadRun) assemble(f *loadFlags, shard schedule.Shard) error {
	plan, err := journey.NewPlan(r.profile.Plan)
	if err != nil {
		return err
	}
	r.collector = result.New(r.meta(f, shard), result.Options{Intended: r.part.Count})
	record := attack.Recorders{r.collector}
	if r.admin != nil {
		r.metrics = metrics.New(r.shown())
		record = append(record, r.metrics)
	}
	limits := r.profile.Limits
	r.attack, err = attack.New(attack.Config{
		Schedule: r.part, Plan: plan, Record: record, Workers: limits.Workers, Overrun: limits.Overrun,
		Transport: f.transport, Timeout: limits.Timeout, Insecure: f.insecure,
	})
	return err
}

// meta is what the result says of the run.
func (r *loadRun) meta(f *loadFlags, shard schedule.Shard) result.Meta {
	prof := r.profile
	m := result.Meta{
		Profile: prof.Name, Fingerprint: prof.Fingerprint, Seed: prof.Seed, Shards: []int{shard.Index}, ShardsOf: shard.Of,
		Target: prof.Target, Start: time.Now(), RateScale: prof.Scale, Workers: prof.Limits.Workers, SampledPart: prof.Plan.Sampled,
		TraceURL: prof.TraceURL, Bounds: result.Bounds{LagP99: prof.Limits.LagP99, RateError: prof.Limits.RateError},
		Versions:    map[string]string{"firedrill": version, "go": runtime.Version(), "transport": f.transport},
		Description: strings.TrimSpace(prof.Teaches),
	}
	if f.traceURL != "" {
		m.TraceURL = f.traceURL
	}
	if m.TraceURL == "" {
		m.TraceURL = f.tempo(r.p, prof.Hosts)
	}
	if length := r.part.Length(); length != schedule.Forever {
		m.Length = length
	}
	begin := time.Duration(0)
	for i, st := range prof.Stages {
		stage := result.Stage{Name: st.Name, Shape: st.Shape, Begin: begin}
		if end := r.part.End(i); end != schedule.Forever {
			stage.Length, stage.Intended = end-begin, r.part.Requests(i)
			begin = end
		}
		m.Stages = append(m.Stages, stage)
	}
	return m
}

// tempo is where this copy's Tempo shows a trace, if the target is on this machine.
func (f *loadFlags) tempo(p program, hosts []profile.Host) string {
	offset, err := f.portOffset(p)
	for _, h := range hosts {
		ip := net.ParseIP(h.Name)
		if h.Name != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return ""
		}
	}
	if err != nil || len(hosts) == 0 {
		return ""
	}
	return fmt.Sprintf("http://127.0.0.1:%d/api/traces/{trace_id}", 3200+offset)
}

// shown is what Prometheus may see of the run.
func (r *loadRun) shown() metrics.Run {
	run := metrics.Run{
		Profile: r.profile.Name, Failures: journey.Failures(), Workers: r.profile.Limits.Workers,
		Intended: func() uint64 { return r.part.Count(r.attack.Elapsed()) },
		Rate:     func() float64 { return r.part.Rate(r.attack.Elapsed()) },
		Begun:    func() uint64 { return r.attack.Begun() },
		Busy:     func() int { return r.attack.Busy() },
	}
	for i := range r.profile.Plan.Scenarios {
		sc := &r.profile.Plan.Scenarios[i]
		if sc.Kind == journey.Journey {
			run.Journeys = append(run.Journeys, sc.Name)
		}
		for k := range sc.Steps {
			if st := (metrics.Step{Scenario: sc.Name, Step: sc.Steps[k].Name}); !slices.Contains(run.Steps, st) {
				run.Steps = append(run.Steps, st)
			}
		}
	}
	return run
}

// do runs the load test, shows how it goes, and tells what was found.
func (r *loadRun) do(ctx context.Context) error {
	debug.SetGCPercent(400) // what lives is small and what dies is much: collect less often
	if r.admin != nil {
		server := &http.Server{Handler: r.metrics.Handler(), ReadHeaderTimeout: 5 * time.Second}
		go server.Serve(r.admin) //nolint:errcheck // ends when it is closed
		defer server.Close()
		takeBack, err := r.p.announce(r.admin.Addr().String())
		if err != nil {
			return err
		}
		defer takeBack()
	}
	show := &show{live: loadreport.NewLive(r.p.stderr), out: r.p.stderr, thresholds: r.thresholds}
	show.note("%s", r.announcement())
	done := make(chan result.Ending, 1)
	go func() { done <- r.attack.Run(ctx) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	interrupted, again := ctx.Done(), make(chan os.Signal, 1)
	defer signal.Stop(again)
	for {
		select {
		case ending := <-done:
			show.close()
			for class, text := range r.attack.Errors() {
				show.note("the first %s failure: %s", class, text)
			}
			return r.out.judge(r.p, r.collector.Finish(ending), r.thresholds)
		case <-interrupted:
			interrupted = nil
			signal.Notify(again, os.Interrupt, syscall.SIGTERM)
			show.note("stopping when the arrivals that are under way (%d) are done; Ctrl-C again stops at once", r.attack.Busy())
		case <-again:
			show.close()
			return &exit{exitInvalid, errors.New("stopped at once, without a result")}
		case <-tick.C:
			show.update(r.collector.Snapshot(min(r.attack.Elapsed(), r.part.Length())))
		}
	}
}

// announcement says what is about to happen.
func (r *loadRun) announcement() string {
	until := "until stopped"
	if n := r.part.Total(); n != schedule.Endless {
		until = fmt.Sprintf("for %v, %s arrivals", r.part.Length().Round(time.Millisecond), loadreport.Count(n))
	}
	name := r.profile.Name
	if r.profile.Scale != 1 {
		name += fmt.Sprintf(" at %.4g times its rates", r.profile.Scale)
	}
	text := fmt.Sprintf("%s on %s %s (seed %d, run %s)", name, r.profile.Target, until, r.profile.Seed, r.run)
	if r.admin != nil {
		text += fmt.Sprintf("\nmetrics at http://%s/metrics", r.admin.Addr())
	}
	return text
}
