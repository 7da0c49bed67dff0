package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"firedrill/alerts/slo"
	"firedrill/deploy/stack"
	"firedrill/internal/cli"
)

func (p program) upCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Build what is missing, start everything, wait until it is ready",
		Long: `Starts the stack (Prometheus, Alertmanager, Loki, Tempo, the receiver of notifications, and Grafana if it is on the PATH)
and the shop, and returns when all of it is ready.

The first run builds the upstream programs from their Go modules. After Ctrl-C, the next run continues where this one stopped.
Ports are checked before anything starts. If a component does not become ready, the end of its log is shown and whatever was
started is stopped. A copy that runs already is left as it is.

An empty data folder begins with 12 hours of made-up history of the objectives (see "firedrill slo backfill --help"), so that
error budgets have values at once. Windows of objectives run at scale 60: an hour takes a minute.

The machine is measured, at most once a day. A slower machine gets more time to be ready, and below three quarters of the
reference machine's power it gets less background load. One line says what was measured and chosen.

With --stack compose everything runs in containers, with PostgreSQL and Grafana; see docs/containers.md.`,
		Example: `  firedrill up
  firedrill up --offset 10000 --data /tmp/second      a second copy beside the first
  firedrill up --no-shop                              only the stack, for services of your own`,
		Args: cli.Args(),
	}
	which := addRunFlags(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&which.flags.Retention, "retention", "", "`duration` for which Prometheus keeps samples (FIREDRILL_RETENTION; default 31d)")
	f.BoolVar(&which.flags.NoShop, "no-shop", false, "start only the stack, for services of your own")
	f.BoolVar(&which.flags.Distributed, "distributed", false, "run Loki and Tempo as several processes each, as at scale (FIREDRILL_DISTRIBUTED)")
	patience := f.Duration("timeout", 0, "how long components may take to be ready (default 1m, and more on a slower machine)")
	output := cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return p.up(cmd.Context(), which, *patience, output) }
	return cmd
}

func (p program) up(ctx context.Context, which *stackFlags, patience time.Duration, output *cli.Output) error {
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	kit.Patience = patience
	target, err := which.deployment(p, kit)
	if err != nil {
		return err
	}
	begin := time.Now()
	status, err := target.Up(ctx)
	if err != nil {
		return err
	}
	if output.JSON() {
		return cli.WriteJSON(p.stdout, status)
	}
	printStatus(p.stdout, status)
	fmt.Fprintf(p.stdout, "\nReady after %.1f s. Next:\n", time.Since(begin).Seconds())
	for _, line := range hints(status, p.copySettings(kit)) {
		fmt.Fprintln(p.stdout, "  "+line)
	}
	return nil
}

// copySettings returns the variables that select this copy for make, as " NAME=value". It returns "" for the
// default copy.
func (p program) copySettings(target stack.Stack) string {
	if target.Data == filepath.Join(target.Root, ".data") {
		return "" // make finds the offset in the data folder
	}
	return " DATA=" + quoted(target.Data)
}

// quoted returns a word for the shell.
func quoted(word string) string {
	plain := func(r rune) bool {
		return strings.ContainsRune("/._-+,:@", r) || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	if !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// hints returns what to try next with the running components. which has the settings that commands need to
// select this copy.
func hints(status stack.Status, which string) []string {
	url := map[string]string{}
	for _, c := range status.Components {
		url[c.Name] = c.URL
	}
	var lines []string
	if gateway, ok := url["gateway"]; ok {
		lines = append(lines, "curl "+gateway+"/products", "make verify"+which+"    every signal of every service, proven to arrive",
			fmt.Sprintf(".bin/firedrill slo explain    what the alerts will do; objectives run at scale %s: an hour is a minute", slo.FormatScale(slo.Workshop().Scale)))
	}
	if grafana, ok := url["grafana"]; ok {
		lines = append(lines, "open "+grafana)
	}
	return append(lines,
		fmt.Sprintf("curl '%s/api/v1/query?query=up'", url["prometheus"]),
		"curl "+url["notifications"],
		fmt.Sprintf("make status%[1]s | make logs S=loki%[1]s | make ui%[1]s | make down%[1]s", which))
}

func (p program) buildCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build the upstream programs that are missing",
		Long:  `Builds the upstream programs that are missing and starts nothing. "firedrill up" does this too.`,
		Args:  cli.Args(),
	}
	which := addStackFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		target, err := which.stack(p)
		if err != nil {
			return err
		}
		tools, err := stack.Tools(target.Root)
		if err != nil {
			return err
		}
		built, err := stack.Build(cmd.Context(), target.Root, target.Bin, tools, p.stderr)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "Built %d upstream programs; all %d are in %s.\n", built, len(tools), target.Bin)
		return nil
	}
	return cmd
}

func (p program) downCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop everything",
		Long: `Stops every process of the copy: the shop first, then the stack, so that the last telemetry arrives. A process that does not
end is terminated and then killed, even if the supervisor hangs or is gone. Other copies are not touched.`,
		Args: cli.Args(),
	}
	which := addRunFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		target, kit, err := which.running(p)
		if err != nil {
			return err
		}
		begin := time.Now()
		stopped, err := target.Down(cmd.Context())
		if err != nil {
			return err
		}
		if stopped == 0 {
			fmt.Fprintf(p.stdout, "Nothing ran in %s.\n", kit.Data)
			return nil
		}
		fmt.Fprintf(p.stdout, "Stopped %d %s in %.1f s.\n", stopped, members(target), time.Since(begin).Seconds())
		return nil
	}
	return cmd
}

func (p program) resetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reset",
		Short: "Stop everything and delete its data",
		Long: `Stops the copy and deletes its metrics, logs, traces, orders and settings. Built programs stay, and so does anything in
the data folder that firedrill did not put there.`,
		Args: cli.Args(),
	}
	which := addRunFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		target, kit, err := which.running(p)
		if err != nil {
			return err
		}
		if err := target.Reset(cmd.Context()); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "Deleted the data in %s.\n", kit.Data)
		return nil
	}
	return cmd
}

func (p program) restartCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "restart COMPONENT",
		Short:   "Stop and start one component",
		Long:    `Stops and starts one component and returns when it is ready again. "firedrill status" lists the components.`,
		Example: `  firedrill restart orders`,
		Args:    cli.Args("COMPONENT"),
	}
	which := addRunFlags(cmd.Flags())
	cmd.ValidArgsFunction = p.completeComponents(which)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		target, _, err := which.running(p)
		if err != nil {
			return err
		}
		begin := time.Now()
		if err := target.Restart(cmd.Context(), args[0]); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s is ready again after %.1f s.\n", args[0], time.Since(begin).Seconds())
		return nil
	}
	return cmd
}
