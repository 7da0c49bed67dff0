package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"firedrill/deploy/capacity"
	"firedrill/deploy/stack"
	"firedrill/internal/backend"
	"firedrill/internal/cli"
	"firedrill/internal/contract"
)

// capacityFile is the default file of measurements, below the repository's root.
const capacityFile = "deploy/capacity/measured.json"

func (p program) capacityCommand() *cobra.Command {
	return cli.Group(&cobra.Command{
		Use:   "capacity COMMAND",
		Short: "Measure what requests cost in telemetry, and plan what keeps it",
		Long: `Says how much telemetry a rate of requests to the shop makes, and what it takes to keep that telemetry. docs/scaling.md has
the tables.`,
		Example: `  firedrill load loadgen/profiles/steady.yaml &       a load of any kind
  firedrill capacity measure                          what a request costs
  firedrill capacity limit loki                       the most that one program can take
  firedrill capacity plan                             the tables`,
	}, p.capacityMeasureCommand(), p.capacityLimitCommand(), p.capacityPlanCommand())
}

// addFileFlag adds the flag for the file of measurements.
func addFileFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("file", "", "`file` of the measurements (default "+capacityFile+" in the repository)")
}

// reportFile returns the file that the flag names, or the default file.
func reportFile(kit stack.Stack, given string) string {
	if given != "" {
		return given
	}
	return filepath.Join(kit.Root, filepath.FromSlash(capacityFile))
}

// amend changes the file of measurements, and creates it if it does not exist.
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

func (p program) capacityMeasureCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "measure",
		Short: "Measure what a request costs in the running stack under load",
		Long:  "Watches the running stack under load, prints what a request costs, and keeps it in the file of measurements.",
		Args:  cli.Args(),
	}
	which, file := addStackFlags(cmd.Flags()), addFileFlag(cmd)
	watch := cmd.Flags().Duration("for", time.Minute, "how long to watch")
	output := cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		kit, err := which.stack(p)
		if err != nil {
			return err
		}
		costs, err := measureCosts(cmd.Context(), kit, *watch)
		if err != nil {
			return err
		}
		if err := amend(reportFile(kit, *file), func(r *capacity.Report) { r.Costs = costs }); err != nil {
			return err
		}
		return output.Write(p.stdout, costs, func(w io.Writer) error { return printCosts(w, costs) })
	}
	return cmd
}

func measureCosts(ctx context.Context, kit stack.Stack, watch time.Duration) (capacity.Costs, error) {
	metrics, err := contract.ReadFiles(filepath.Join(kit.Root, "telemetry", "metrics.json"), filepath.Join(kit.Root, "apps", "metrics.json"))
	if err != nil {
		return capacity.Costs{}, err
	}
	ask, err := backend.NewPrometheus(kit.Values().Prometheus.URL(), http.DefaultClient)
	if err != nil {
		return capacity.Costs{}, err
	}
	costs, err := capacity.Measure(ctx, ask, metrics, watch)
	if errors.Is(err, capacity.ErrQuiet) {
		return costs, cli.Invalid(err)
	}
	return costs, err
}

func printCosts(w io.Writer, c capacity.Costs) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "requests to the gateway\t%.1f/s for %.0f s\n", c.Rate, c.Seconds)
	fmt.Fprintf(tw, "log lines a request\t%.2f\t%.0f bytes\n", c.LogLines, c.LogBytes)
	fmt.Fprintf(tw, "spans a request\t%.2f\t%.0f bytes\n", c.Spans, c.SpanBytes)
	for _, s := range c.Services {
		fmt.Fprintf(tw, "%s\t%d series\t%.2f ms of CPU a request\n", s.Name, s.Series+s.Scrape, 1000*s.CPU)
	}
	fmt.Fprintf(tw, "series that Tempo makes of spans\t%d\nseries that rules record\t%d\n", c.Derived, c.Recorded)
	return tw.Flush()
}

func (p program) capacityLimitCommand() *cobra.Command {
	programs := []string{"prometheus", "loki", "tempo"}
	cmd := &cobra.Command{
		Use:               "limit PROGRAM",
		Short:             "Load one program of the running stack until it no longer keeps up",
		Long:              "Loads one program of the running stack (prometheus, loki or tempo) more and more, until it no longer keeps up.",
		Example:           "  firedrill capacity limit loki",
		Args:              cli.Args("PROGRAM"),
		ValidArgsFunction: cobra.FixedCompletions(programs, cobra.ShellCompDirectiveNoFileComp),
	}
	which, file := addStackFlags(cmd.Flags()), addFileFlag(cmd)
	settle := cmd.Flags().Duration("settle", 6*time.Second, "how long to wait after each change of the rate")
	watch := cmd.Flags().Duration("for", 12*time.Second, "how long to watch each rate")
	output := cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		kit, err := which.stack(p)
		if err != nil {
			return err
		}
		limit, err := p.measureLimit(cmd.Context(), kit, args[0], *settle, *watch, output.JSON())
		if err != nil {
			return err
		}
		if err := amend(reportFile(kit, *file), func(r *capacity.Report) { r.Put(limit) }); err != nil {
			return err
		}
		return output.Write(p.stdout, limit, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, limit.End)
			return err
		})
	}
	return cmd
}

// measureLimit runs the ramp. It prints each step, to standard error if the result itself is JSON.
func (p program) measureLimit(ctx context.Context, kit stack.Stack, name string, settle, watch time.Duration, asJSON bool) (capacity.Limit, error) {
	ramp, err := newRamp(ctx, kit, name)
	if err != nil {
		return capacity.Limit{}, err
	}
	steps := p.stdout
	if asJSON {
		steps = p.stderr
	}
	ramp.Settle, ramp.Watch = settle, watch
	ramp.Told = func(s capacity.Step) {
		fmt.Fprintf(steps, "%8.0f of %8.0f %s  %5.2f cores  %6.0f MB\n", s.Achieved, s.Intended, ramp.Unit, s.Cores, s.RSS/1e6)
	}
	limit, err := ramp.Run(ctx)
	if errors.Is(err, capacity.ErrBusy) {
		return limit, cli.Invalid(err)
	}
	return limit, err
}

// newRamp returns the ramp for a program of the running stack.
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
		return r, cli.Misuse("PROGRAM %q: want prometheus, loki or tempo", program)
	}
	return r, err
}

func (p program) capacityPlanCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Compute tables from the measurements",
		Long:  "Computes the tables of docs/scaling.md from the file of measurements.",
		Args:  cli.Args(),
	}
	which, file := addStackFlags(cmd.Flags()), addFileFlag(cmd)
	output := cli.AddOutput(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		kit, err := which.stack(p)
		if err != nil {
			return err
		}
		report, err := capacity.ReadReport(reportFile(kit, *file))
		if err != nil {
			return cli.Misuse("%w", err)
		}
		if !output.JSON() {
			return report.Markdown(p.stdout, capacity.Scenarios())
		}
		var plans []capacity.Plan
		for _, s := range capacity.Scenarios() {
			plan, err := report.Plan(s)
			if err != nil {
				return err
			}
			plans = append(plans, plan)
		}
		return cli.WriteJSON(p.stdout, plans)
	}
	return cmd
}
