package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"firedrill/deploy/stack"
	"firedrill/deploy/verify"
	"firedrill/internal/cli"
	"firedrill/internal/junit"
	"firedrill/internal/machine"
	"firedrill/internal/term"
	"firedrill/internal/topology"
)

// defaultURL is the port of a copy's component without the offset, and the URL that a flag sets.
type defaultURL struct {
	name string
	port int
	into *string
}

func (p program) verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that every signal of every service arrives and leads to the next",
		Long: `Drives logins, orders and failures through the gateway, then asks Prometheus, Loki, Tempo and Alertmanager until every
signal of every service, every edge of the service graph and every link between signals is shown to be there, or the time
is up. Only what this run caused counts. It prints a table that fills as answers come; a missing cell is listed with the
question and the answer.

It needs a shop that samples every trace, which is the default.

Exit codes: 0 every cell holds, 1 a cell is missing, 2 misuse, 3 the machine did not keep up meanwhile, so the cause is unclear.`,
		Example: `  firedrill verify
  firedrill verify --gateway https://shop.example --prometheus https://prom.example --loki https://loki.example \
    --tempo https://tempo.example --alertmanager https://alerts.example`,
		Args: cli.Args(),
	}
	v := verification{which: addStackFlags(cmd.Flags())}
	v.add(cmd.Flags())
	v.output = cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v.timeoutGiven = cmd.Flags().Changed("timeout")
		return v.run(cmd.Context(), p)
	}
	return cmd
}

// verification holds the flags of verify.
type verification struct {
	which        *stackFlags
	cfg          verify.Config
	urls         []defaultURL
	timeoutGiven bool
	junit        string
	output       *cli.Output
}

func (v *verification) add(f *pflag.FlagSet) {
	v.urls = []defaultURL{
		{"gateway", topology.Find(topology.Gateway).Port, &v.cfg.Gateway},
		{"prometheus", topology.PortPrometheus, &v.cfg.Prometheus},
		{"loki", topology.PortLoki, &v.cfg.Loki},
		{"tempo", topology.PortTempo, &v.cfg.Tempo},
		{"alertmanager", topology.PortAlertmanager, &v.cfg.Alertmanager},
	}
	for _, u := range v.urls {
		f.StringVar(u.into, u.name, "", fmt.Sprintf("`URL` (default http://127.0.0.1:%d, the offset added)", u.port))
	}
	f.StringVar(&v.cfg.User, "user", verify.DefaultUser, "`name` of the user who orders")
	f.StringVar(&v.cfg.Other, "other-user", verify.DefaultOther, "`name` of a user who must not see that order")
	f.StringVar(&v.cfg.Password, "password", "", "`password` of the user; default that of a demo user")
	f.StringVar(&v.cfg.OtherPassword, "other-password", "", "`password` of the other user; default that of a demo user")
	f.StringVar(&v.junit, "junit", "", "`file` to write all cells to as JUnit XML")
	f.DurationVar(&v.cfg.Timeout, "timeout", verify.DefaultTimeout, "how long to continue asking")
}

func (v *verification) run(ctx context.Context, p program) error {
	local, err := fillURLs(v.urls, v.which, p)
	if err != nil {
		return err
	}
	if err := v.cfg.Validate(); err != nil {
		return cli.Misuse("%w", err)
	}
	return p.reported(v.junit, "verify", func() ([]junit.Suite, error) { return v.verify(ctx, p, local) })
}

// verify verifies a deployment. local is the copy on this machine; nil for another.
func (v *verification) verify(ctx context.Context, p program, local *stack.Stack) ([]junit.Suite, error) {
	if local != nil {
		if err := mustRun(ctx, *local); err != nil {
			return nil, err
		}
		// A slow machine gets more time, unless the flag sets it.
		v.cfg.Witness = machine.Watch(ctx, local.PIDs())
		if !v.timeoutGiven {
			v.cfg.Timeout = local.Machine.Patience(v.cfg.Timeout)
		}
	}
	report, err := p.verify(ctx, v.cfg, v.output.JSON())
	if len(report.Cells) == 0 {
		return nil, err
	}
	return []junit.Suite{report.Suite()}, err
}

// fillURLs fills in the URLs that were not given, from the copy that the other flags select, and returns that
// copy. If all URLs are given, it returns nil, and neither a copy nor a repository is needed.
func fillURLs(urls []defaultURL, which *stackFlags, p program) (*stack.Stack, error) {
	var local *stack.Stack
	for _, u := range urls {
		if *u.into != "" {
			continue
		}
		if local == nil {
			found, err := which.stack(p)
			if err != nil {
				return nil, err
			}
			local = &found
		}
		*u.into = fmt.Sprintf("http://127.0.0.1:%d", u.port+local.Offset)
	}
	return local, nil
}

// mustRun returns an error at once if the copy does not run, so that the user need not wait for a minute of
// queries. A copy with a port offset is not checked, because it may have another data folder.
func mustRun(ctx context.Context, local stack.Stack) error {
	status, err := local.Status(ctx)
	if err != nil || status.Started != nil || local.Offset != 0 {
		return err
	}
	return fmt.Errorf("nothing runs in %s: \"make up\" starts it; for another deployment give its URLs, see \"firedrill verify --help\"", status.Data)
}

// verify runs the verification. It writes the table to standard output and progress to standard error.
func (p program) verify(ctx context.Context, cfg verify.Config, asJSON bool) (verify.Report, error) {
	table := verify.NewTable(p.stdout)
	progress := verify.NewProgress(term.New(p.stderr, p.getenv))
	report, err := verify.Run(ctx, cfg, func(stage string, cells []verify.Cell) {
		if ctx.Err() != nil {
			return // an interrupted run shows nothing more
		}
		if !asJSON {
			progress.Clear()
			table.Update(cells)
		}
		progress.Update(stage, cells)
	})
	progress.Clear()
	if err != nil {
		return report, err
	}
	if ctx.Err() != nil {
		return report, context.Cause(ctx)
	}
	write := report.WriteText
	if asJSON {
		write = report.WriteJSON
	}
	if err := write(p.stdout); err != nil {
		return report, fmt.Errorf("write the report: %w", err)
	}
	if why := report.Inconclusive(); why != "" {
		return report, cli.Invalid(errors.New(why))
	}
	if !report.OK {
		return report, cli.ErrQuiet
	}
	return report, nil
}
