package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"firedrill/internal/cli"
	"firedrill/internal/junit"
	"firedrill/internal/topology"
	"firedrill/internal/userfile"
	"firedrill/loadgen"
	"firedrill/loadgen/attack"
	"firedrill/loadgen/profile"
	loadreport "firedrill/loadgen/report"
	"firedrill/loadgen/schedule"
)

const loadUsage = `load [flags] PROFILE.yaml
       firedrill load [flags] --rate 200/s --duration 2m URL
       firedrill load [flags] --rate 50/s --duration 1m --targets FILE
       firedrill load COMMAND [flags]

Drives a target at the rate that the profile says, whether or not the target keeps up, and tells the truth about it: response
times count from when a request was due. docs/load.md explains profiles; loadgen/profiles has some to begin with.

Commands:
%s
Ctrl-C ends a run cleanly, with a report of what was done; a second one stops at once.
Exit codes: 0 good, 1 a threshold is broken or not one request succeeded, 2 misuse, 3 the run is invalid: it was not the load that the profile describes.`

// loadCommands returns the subcommands of load.
func loadCommands() []command {
	return []command{
		{"compare", "say whether one result differs from another", loadCompare},
		{"merge", "join the results of shards", loadMerge},
		{"demo-omission", "show what coordinated omission hides: a closed loop beside an open one", loadOmission},
	}
}

// loadFlags say what to run and how.
type loadFlags struct {
	rate, duration        string
	poisson, newTraces    bool
	method, body, targets string
	format                string
	headers, thresholds   list
	target, seed, scale   string
	steady                string
	workers               int
	timeout               time.Duration
	share                 string
	run, shard            string
	transport             string
	insecure              bool
	admin, traceURL, wait string
	offset                string
	out                   outputs
}

// longestTargets is the maximum size of targets and bodies, in bytes.
const longestTargets = 64 << 20

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func (f *loadFlags) add(fs *flag.FlagSet) {
	fs.StringVar(&f.rate, "rate", "", "`rate` without a profile: 200/s, 30/m")
	fs.StringVar(&f.duration, "duration", "", "`length` without a profile, such as 2m; until stopped if not given")
	fs.BoolVar(&f.poisson, "poisson", false, "without a profile: arrivals at random times, not evenly spaced")
	fs.StringVar(&f.method, "method", "", "`method` of the requests to URL (default GET)")
	fs.Var(&f.headers, "header", "`\"Name: value\"` of the requests to URL or targets; may be repeated")
	fs.StringVar(&f.body, "body", "", "`text` of the body, or @file")
	fs.StringVar(&f.targets, "targets", "", "`file` of vegeta's targets, taken in turn; - is standard input")
	fs.BoolVar(&f.newTraces, "new-traces", false, "replace the traceparent of targets; otherwise a target's own is sent")
	fs.StringVar(&f.format, "format", "", "`format` of the targets: http (default) or json")
	fs.StringVar(&f.target, "target", "", "base `URL` to send to instead of the profile's")
	fs.StringVar(&f.scale, "scale-rate", "", "`number` that multiplies all rates of a profile: 0.5 is half the load; the report says so")
	fs.StringVar(&f.steady, "steady", "", "`rate`, such as 20/s, of an endless stage instead of a profile's stages; its thresholds do not count")
	fs.StringVar(&f.seed, "seed", "", "`number` instead of the profile's: the same seed gives the same requests")
	fs.StringVar(&f.run, "run", "", "`id` of the run, 16 hex digits, from which trace ids and ${uuid} come (default: a new one)")
	fs.StringVar(&f.shard, "shard", "", "`i/n`: send only the i-th of n equal parts of the schedule (default: in a pod of an Indexed Job, JOB_COMPLETION_INDEX + 1 of FIREDRILL_SHARDS)")
	fs.IntVar(&f.workers, "workers", 0, "`number` of arrivals that may be under way, instead of the profile's")
	fs.DurationVar(&f.timeout, "timeout", 0, "`limit` of a request, instead of the profile's")
	fs.Var(&f.thresholds, "threshold", "`expression` that must hold, such as \"p99 < 300ms\"; may be repeated")
	fs.StringVar(&f.share, "trace-share", "", "`share` of arrivals whose traces are kept, 0 to 1, instead of the profile's")
	fs.StringVar(&f.traceURL, "trace-url", "", "`URL` of a trace, with {trace_id} in it, instead of the profile's")
	fs.StringVar(&f.transport, "transport", attack.Fast, "`name` of the transport: fast (HTTP/1.1) or standard (net/http: HTTP/2 and proxies too)")
	fs.BoolVar(&f.insecure, "insecure", false, "do not check the certificates of https")
	fs.StringVar(&f.wait, "wait", "", "`URL` that must answer 200 before the run begins; the run fails after two minutes")
	fs.StringVar(&f.admin, "admin", "127.0.0.1:0", "`address` to serve loadgen_* metrics at while running, or off")
	fs.StringVar(&f.offset, "offset", "", "`number` added to the ports of this copy's shop and stack (FIREDRILL_PORT_OFFSET)")
	f.out.add(fs)
}

// load runs a load test, or one of the subcommands.
func load(ctx context.Context, p program, args []string) error {
	if len(args) > 0 {
		for _, c := range loadCommands() {
			if c.name == args[0] {
				return c.run(ctx, p, args[1:])
			}
		}
	}
	var lines strings.Builder
	for _, c := range loadCommands() {
		fmt.Fprintf(&lines, "  %-14s %s\n", c.name, c.summary)
	}
	fs := p.newFlags("load", fmt.Sprintf(loadUsage, lines.String()))
	var f loadFlags
	f.add(fs)
	if err := parse(fs, args, 0, 1); err != nil {
		return err
	}
	if err := f.out.check(); err != nil {
		return &exit{exitMisuse, err}
	}
	return p.reported(f.out.junit, "load", func() ([]junit.Suite, error) {
		cfg, err := f.config(ctx, p, fs.Arg(0))
		if err != nil {
			return nil, &exit{exitMisuse, err}
		}
		if cfg.WaitFor != "" {
			fmt.Fprintf(p.stderr, "Waiting for %s to answer 200, for two minutes at most.\n", cfg.WaitFor)
		}
		run, err := loadgen.Prepare(ctx, cfg)
		if err != nil {
			return nil, &exit{exitMisuse, err}
		}
		found, err := p.doLoad(ctx, run, f.out)
		if found == nil {
			return nil, err
		}
		return []junit.Suite{loadreport.Suite(found)}, err
	})
}

// reported runs do and writes the suites that it returns to a JUnit file, if path is not "". If do fails without a suite
// that says why, the file says so. It returns the error of do.
func (p program) reported(path, name string, do func() ([]junit.Suite, error)) error {
	file, err := junit.Begin(path, name)
	if err != nil {
		return cli.Misuse("--junit: %w", err)
	}
	suites, err := do()
	return file.End(suites, err)
}

// exit is an error with an exit code.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

// ExitCode returns the exit code of the program.
func (e *exit) ExitCode() int { return e.code }

// source sets the profile that the argument names, or the load test that the flags describe.
func (f *loadFlags) source(ctx context.Context, p program, argument string, cfg *loadgen.Config) (err error) {
	adHoc := isURL(argument) || f.targets != ""
	switch {
	case argument != "" && f.targets != "":
		return errors.New("--targets and an argument: there can be only one")
	case adHoc:
		cfg.AdHoc, err = f.adHoc(ctx, p, argument)
		return err
	case argument == "":
		return errors.New("give a profile, a URL or --targets; see \"firedrill load --help\"")
	}
	for name, given := range map[string]bool{
		"--rate": f.rate != "", "--duration": f.duration != "", "--poisson": f.poisson, "--method": f.method != "",
		"--header": f.headers != nil, "--body": f.body != "", "--format": f.format != "",
	} {
		if given {
			return fmt.Errorf("%s is for a URL or --targets; %s sets this, so change it there", name, argument)
		}
	}
	cfg.Profile = argument
	return nil
}

// isURL reports whether an argument of load is a URL and not the name of a profile.
func isURL(argument string) bool {
	scheme, _, ok := strings.Cut(argument, "://")
	return ok && !strings.ContainsAny(scheme, "/.")
}

// adHoc returns the load test that the flags describe.
func (f *loadFlags) adHoc(ctx context.Context, p program, url string) (*profile.AdHoc, error) {
	a := &profile.AdHoc{
		Rate: f.rate, Poisson: f.poisson, Method: f.method, URL: url, Headers: f.headers, Format: f.format, File: f.targets, NewTraces: f.newTraces,
	}
	if f.rate == "" {
		return nil, errors.New("--rate is missing: how many requests a second, such as --rate 50/s")
	}
	if f.target != "" {
		return nil, errors.New("--target is for profiles")
	}
	if f.scale != "" {
		return nil, errors.New("--scale-rate is for profiles; --rate says the rate")
	}
	if f.steady != "" {
		return nil, errors.New("--steady is for profiles; --rate says the rate")
	}
	var err error
	if f.duration != "" {
		if a.Length, err = time.ParseDuration(f.duration); err != nil || a.Length <= 0 {
			return nil, fmt.Errorf("--duration %q: want a length of time such as 2m", f.duration)
		}
	}
	a.Body = f.body
	if file, ok := strings.CutPrefix(f.body, "@"); ok {
		text, err := userfile.Read(file, longestTargets)
		if err != nil {
			return nil, fmt.Errorf("--body: %w", err)
		}
		a.Body = string(text)
	}
	switch f.targets {
	case "":
	case "-":
		fmt.Fprintln(p.stderr, "Reading all targets from standard input before the run begins, so that a seed gives the same requests.")
		a.Targets, err = userfile.ReadStream(ctx, os.Stdin, "standard input", longestTargets)
	default:
		a.Targets, err = userfile.Read(f.targets, longestTargets)
	}
	if err != nil {
		return nil, fmt.Errorf("--targets: %w", err)
	}
	return a, nil
}

// options returns the options by which the flags override the profile. offset is added to the port of the shop.
func (f *loadFlags) options(p program, offset int) (o profile.Options, err error) {
	o = profile.Options{
		Target: f.target, Workers: f.workers, Timeout: f.timeout, Steady: f.steady, Getenv: p.getenv,
		Shop: fmt.Sprintf("http://127.0.0.1:%d", topology.Find(topology.Gateway).Port+offset),
	}
	if f.seed != "" {
		seed, err := strconv.ParseUint(f.seed, 10, 64)
		if err != nil {
			return o, fmt.Errorf("--seed %q: want a whole number", f.seed)
		}
		o.Seed = &seed
	}
	if f.scale != "" {
		if o.Scale, err = strconv.ParseFloat(f.scale, 64); err != nil || !(o.Scale > 0) || math.IsInf(o.Scale, 1) {
			return o, fmt.Errorf("--scale-rate %q: want a number greater than 0, such as 0.5", f.scale)
		}
	}
	if f.share != "" {
		share, err := strconv.ParseFloat(f.share, 64)
		if err != nil {
			return o, fmt.Errorf("--trace-share %q: want 0 to 1", f.share)
		}
		o.Share = &share
	}
	return o, nil
}

// portOffset returns the port offset of this copy.
func (f *loadFlags) portOffset(p program) (int, error) {
	name, text := "--offset", f.offset
	if text == "" {
		name, text = "FIREDRILL_PORT_OFFSET", p.getenv("FIREDRILL_PORT_OFFSET")
	}
	if text == "" {
		return p.runningOffset(), nil
	}
	offset, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s %q: want a whole number", name, text)
	}
	return offset, nil
}

// part returns the shard that the flag or the environment selects. The zero value is the whole.
func (f *loadFlags) part(p program) (shard schedule.Shard, err error) {
	text, said := f.shard, "--shard"
	if text == "" {
		text, said, err = p.indexedShard()
	}
	if err == nil && text != "" {
		shard, err = schedule.ParseShard(text)
	}
	if err != nil {
		return shard, fmt.Errorf("%s: %w", said, err)
	}
	return shard, nil
}

// indexedShard returns the shard of a pod of an Indexed Job, whose indexes begin at 0. It returns "" elsewhere.
// said names the source for messages.
func (p program) indexedShard() (shard, said string, err error) {
	of := p.getenv("FIREDRILL_SHARDS")
	if of == "" {
		return "", "", nil
	}
	index := p.getenv("JOB_COMPLETION_INDEX")
	said = fmt.Sprintf("JOB_COMPLETION_INDEX %q of FIREDRILL_SHARDS %q", index, of)
	n, err := strconv.Atoi(index)
	if err != nil {
		return "", said, errors.New("want the index of a pod of an Indexed Job")
	}
	return fmt.Sprintf("%d/%s", n+1, of), said, nil
}
