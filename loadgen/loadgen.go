// Package loadgen runs load tests. Prepare makes a Run from a profile or from a few settings, and Run.Do carries it out:
//
//	run, err := loadgen.Prepare(ctx, loadgen.Config{Profile: "steady.yaml"})
//	if err != nil {
//		return err
//	}
//	found := run.Do(ctx).Result
//
// The packages below it are the parts. Package profile reads profiles. Package schedule computes when requests are due.
// Package journey defines what arrivals do. Package attack sends the requests. Package result collects the measurements.
// Package threshold evaluates them. Packages report and metrics show them.
//
// It must not know flags, terminals or result files.
package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"time"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/metrics"
	"firedrill/loadgen/profile"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
	"firedrill/loadgen/threshold"
)

// Config configures a load test. Exactly one of Profile and AdHoc is required. All other fields may be
// zero.
type Config struct {
	Profile string          // path of a profile
	AdHoc   *profile.AdHoc  // a load test without a file
	Options profile.Options // override the profile

	ID         journey.RunID       // source of trace ids and ${uuid}; NewRunID makes a random one; 0 is a valid id
	Shard      schedule.Shard      // the part of the schedule to send; zero: all of it
	Thresholds []profile.Threshold // thresholds in addition to the profile's

	Transport string // attack.Fast (default) or attack.Standard
	Insecure  bool   // skip verification of certificates

	WaitFor string // Prepare waits up to two minutes until this URL answers 200; "": no wait
	Metrics string // address on which loadgen_* metrics are served, such as "127.0.0.1:0"; "": not served

	TraceURL      string // URL of a trace, with {trace_id} in it; overrides the profile's; "": the profile's
	LocalTraceURL string // URL of a trace for targets on this machine, if neither the profile nor TraceURL has one
	Version       string // version of the program, for the result
}

// Prepare returns a Run that is ready. It checks everything that can be checked before the first request of the test: it
// reads the profile, parses the thresholds, looks up the hosts, waits for WaitFor, and opens the listener for metrics.
//
// Errors are for the user: they name the file and the key, or the setting, that is wrong.
func Prepare(ctx context.Context, cfg Config) (*Run, error) {
	prof, err := read(cfg)
	if err != nil {
		return nil, err
	}
	prof.Plan.Run = cfg.ID
	if cfg.Shard == (schedule.Shard{}) {
		cfg.Shard = schedule.Shard{Index: 1, Of: 1}
	}
	if cfg.Transport == "" {
		cfg.Transport = attack.Fast
	}
	r := &Run{Profile: prof, ID: cfg.ID, Part: prof.Schedule.Part(cfg.Shard)}
	if r.Part.Total() == 0 {
		return nil, fmt.Errorf("shard %s: the schedule has only %d requests", cfg.Shard, prof.Schedule.Total())
	}
	if r.Thresholds, err = readThresholds(prof, cfg.Thresholds); err != nil {
		return nil, err
	}
	if err := r.assemble(cfg); err != nil {
		return nil, err
	}
	if err := resolve(ctx, prof.Hosts); err != nil {
		return nil, err
	}
	if err := await(ctx, cfg.WaitFor); err != nil {
		return nil, err
	}
	if cfg.Metrics != "" {
		if r.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.Metrics); err != nil {
			return nil, fmt.Errorf("serve metrics at %s: %w", cfg.Metrics, err)
		}
	}
	return r, nil
}

// read returns the profile of the file or of the settings.
func read(cfg Config) (*profile.Profile, error) {
	switch {
	case cfg.Profile != "" && cfg.AdHoc != nil:
		return nil, errors.New("a profile and a load test without one: there can be only one")
	case cfg.AdHoc != nil:
		return cfg.AdHoc.Profile(cfg.Options)
	case cfg.Profile != "":
		return profile.Load(cfg.Profile, cfg.Options)
	}
	return nil, errors.New("there is neither a profile nor a load test without one")
}

// readThresholds parses the profile's thresholds and the given ones. It refuses names that the profile does not have.
func readThresholds(prof *profile.Profile, given []profile.Threshold) ([]threshold.Threshold, error) {
	names := thresholdNames(prof)
	var out []threshold.Threshold
	for _, t := range slices.Concat(prof.Thresholds, given) {
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

// thresholdNames returns the names in a profile that its thresholds may use.
func thresholdNames(prof *profile.Profile) threshold.Names {
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
	return names
}

// assemble creates the parts of the run and connects them.
func (r *Run) assemble(cfg Config) error {
	plan, err := journey.NewPlan(r.Profile.Plan)
	if err != nil {
		return err
	}
	r.collector = result.New(r.meta(cfg), result.Options{Intended: r.Part.Count})
	record := attack.Recorders{r.collector}
	if cfg.Metrics != "" {
		r.metrics = metrics.New(r.shown())
		record = append(record, r.metrics)
	}
	limits := r.Profile.Limits
	r.attack, err = attack.New(attack.Config{
		Schedule: r.Part, Plan: plan, Record: record, Workers: limits.Workers, Overrun: limits.Overrun,
		Transport: cfg.Transport, Timeout: limits.Timeout, Insecure: cfg.Insecure,
	})
	return err
}

// meta returns the metadata of the result. Do sets the actual start.
func (r *Run) meta(cfg Config) result.Meta {
	prof := r.Profile
	m := result.Meta{
		Profile: prof.Name, Fingerprint: prof.Fingerprint, Seed: prof.Seed, Shards: []int{cfg.Shard.Index}, ShardsOf: cfg.Shard.Of,
		Target: prof.Target, Start: time.Now(), RateScale: prof.Scale, Workers: prof.Limits.Workers, SampledPart: prof.Plan.Sampled,
		TraceURL: prof.TraceURL, Bounds: result.Bounds{LagP99: prof.Limits.LagP99, RateError: prof.Limits.RateError},
		Versions:    map[string]string{"firedrill": cfg.Version, "go": runtime.Version(), "transport": cfg.Transport},
		Description: strings.TrimSpace(prof.Teaches),
	}
	if cfg.TraceURL != "" {
		m.TraceURL = cfg.TraceURL
	}
	if m.TraceURL == "" && onThisMachine(prof.Hosts) {
		m.TraceURL = cfg.LocalTraceURL
	}
	if length := r.Part.Length(); length != schedule.Forever {
		m.Length = length
	}
	begin := time.Duration(0)
	for i, st := range prof.Stages {
		stage := result.Stage{Name: st.Name, Shape: st.Shape, Begin: begin}
		if end := r.Part.End(i); end != schedule.Forever {
			stage.Length, stage.Intended = end-begin, r.Part.Requests(i)
			begin = end
		}
		m.Stages = append(m.Stages, stage)
	}
	return m
}

// shown returns the run as the metrics need it.
func (r *Run) shown() metrics.Run {
	run := metrics.Run{
		Profile: r.Profile.Name, Failures: journey.Failures(), Workers: r.Profile.Limits.Workers,
		Intended: func() uint64 { return r.Part.Count(r.attack.Elapsed()) },
		Rate:     func() float64 { return r.Part.Rate(r.attack.Elapsed()) },
		Begun:    func() uint64 { return r.attack.Begun() },
		Busy:     func() int { return r.attack.Busy() },
	}
	for i := range r.Profile.Plan.Scenarios {
		sc := &r.Profile.Plan.Scenarios[i]
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
