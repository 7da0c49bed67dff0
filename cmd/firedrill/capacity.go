package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"firedrill/deploy/capacity"
	"firedrill/deploy/stack"
	"firedrill/internal/backend"
	"firedrill/internal/contract"
)

const capacityUsage = `capacity COMMAND [flags]

Says what a rate of requests to the shop makes of telemetry, and what it takes to keep that. docs/scaling.md has the tables.

    firedrill load loadgen/profiles/steady.yaml &   a load, whichever you like
    firedrill capacity measure                      what a request costs
    firedrill capacity limit loki                   how far one program goes; prometheus and tempo too
    firedrill capacity plan                         the tables

Commands:
  measure    watch the running stack under load and tell what a request costs
  limit      load one program of the running stack until it keeps up no more
  plan       compute tables from what was measured`

// capacityFile is where measurements are kept, below the repository's root.
const capacityFile = "deploy/capacity/measured.json"

func capacityMain(ctx context.Context, p program, args []string) error {
	commands := map[string]func(context.Context, program, []string) error{
		"measure": capacityMeasure, "limit": capacityLimit, "plan": capacityPlan,
	}
	if len(args) > 0 && commands[args[0]] != nil {
		return commands[args[0]](ctx, p, args[1:])
	}
	fmt.Fprintf(p.stderr, "Usage: firedrill %s\n", capacityUsage)
	if len(args) > 0 && slices.Contains([]string{"-h", "--help", "help"}, args[0]) {
		return flag.ErrHelp
	}
	return fmt.Errorf("%w: measure, limit or plan", errUsage)
}

// reportFlag is the flag for the file of measurements.
func reportFlag(fs *flag.FlagSet) *string {
	return fs.String("file", "", "`file` of what was measured (default "+capacityFile+" in the repository)")
}

// reportFile is the file that the flag means.
func reportFile(kit stack.Stack, given string) string {
	if given != "" {
		return given
	}
	return filepath.Join(kit.Root, filepath.FromSlash(capacityFile))
}

// amend changes the file of measurements; one that is not there is made.
func amend(file string, change func(*capacity.Report)) error {
	r, err := capacity.ReadReport(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	change(&r)
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write what was measured: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil { //nolint:gosec // figures are no secret
		return fmt.Errorf("write what was measured: %w", err)
	}
	return nil
}

func capacityMeasure(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("capacity measure", "capacity measure [flags]\n\nWatches the running stack under load and tells what a request costs.")
	which, file := addStackFlags(fs), reportFlag(fs)
	watch := fs.Duration("for", time.Minute, "how long to watch")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	metrics, err := contract.ReadFiles(filepath.Join(kit.Root, "telemetry", "metrics.json"), filepath.Join(kit.Root, "apps", "metrics.json"))
	if err != nil {
		return err
	}
	ask, err := backend.NewPrometheus(kit.Values().Prometheus.URL(), http.DefaultClient)
	if err != nil {
		return err
	}
	costs, err := capacity.Measure(ctx, ask, metrics, *watch)
	if errors.Is(err, capacity.ErrQuiet) {
		return &exit{exitInvalid, err}
	}
	if err != nil {
		return err
	}
	if err := amend(reportFile(kit, *file), func(r *capacity.Report) { r.Costs = costs }); err != nil {
		return err
	}
	return writeJSON(p.stdout, costs)
}

func capacityLimit(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("capacity limit", "capacity limit [flags] prometheus|loki|tempo\n\nLoads one program of the running stack more and more, until it keeps up no more.")
	which, file := addStackFlags(fs), reportFlag(fs)
	settle := fs.Duration("settle", 6*time.Second, "how long to wait after each change of the rate")
	watch := fs.Duration("for", 12*time.Second, "how long to watch each rate")
	if err := parse(fs, args, 1, 1); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	ramp, err := newRamp(ctx, kit, fs.Arg(0))
	if err != nil {
		return err
	}
	ramp.Settle, ramp.Watch = *settle, *watch
	ramp.Told = func(s capacity.Step) {
		fmt.Fprintf(p.stdout, "%8.0f of %8.0f %s  %5.2f cores  %6.0f MB\n", s.Achieved, s.Intended, ramp.Unit, s.Cores, s.RSS/1e6)
	}
	limit, err := ramp.Run(ctx)
	if errors.Is(err, capacity.ErrBusy) {
		return &exit{exitInvalid, err}
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, limit.End)
	return amend(reportFile(kit, *file), func(r *capacity.Report) { r.Put(limit) })
}

// newRamp is the ramp for a program of the running stack.
func newRamp(ctx context.Context, kit stack.Stack, program string) (capacity.Ramp, error) {
	values := kit.Values()
	r := capacity.Ramp{Program: program, Client: http.DefaultClient}
	var err error
	switch program {
	case "prometheus":
		r.Unit, r.Metrics, r.Count = "samples/s", values.Prometheus.URL()+"/metrics", []string{"prometheus_tsdb_head_samples_appended_total"}
		r.Rates = []float64{25e3, 50e3, 100e3, 200e3, 400e3}
		r.Drive, err = capacity.Samples(ctx, kit.LoadTargets())
	case "loki":
		r.Unit, r.Metrics, r.Count = "lines/s", values.Loki.URL()+"/metrics", []string{"loki_distributor_lines_received_total"}
		r.Bytes, r.Rates = "loki_distributor_bytes_received_total", []float64{1e3, 2500, 5e3, 10e3, 20e3, 40e3, 80e3}
		r.Drive, err = capacity.Lines(ctx, values.Loki.URL())
	case "tempo":
		r.Unit, r.Metrics, r.Count = "spans/s", values.Tempo.URL()+"/metrics", []string{"tempo_distributor_spans_received_total"}
		r.Bytes, r.Rates = "tempo_distributor_bytes_received_total", []float64{1e3, 2500, 5e3, 10e3, 20e3, 40e3}
		r.Drive, err = capacity.Spans(ctx, values.OTLPGRPC.URL())
	default:
		return r, fmt.Errorf("%w: %q is no program with a ramp: want prometheus, loki or tempo", errUsage, program)
	}
	return r, err
}

func capacityPlan(_ context.Context, p program, args []string) error {
	fs := p.newFlags("capacity plan", "capacity plan [flags]\n\nComputes the tables of docs/scaling.md from what was measured.")
	which, file := addStackFlags(fs), reportFlag(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	report, err := capacity.ReadReport(reportFile(kit, *file))
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if !*asJSON {
		var tables strings.Builder
		if err := report.Markdown(&tables, capacity.Scenarios()); err != nil {
			return err
		}
		_, err := fmt.Fprint(p.stdout, tables.String())
		return err
	}
	var plans []capacity.Plan
	for _, s := range capacity.Scenarios() {
		plan, err := report.Plan(s)
		if err != nil {
			return err
		}
		plans = append(plans, plan)
	}
	return writeJSON(p.stdout, plans)
}
