package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"firedrill/deploy/stack"
	"firedrill/deploy/verify"
	"firedrill/internal/machine"
	"firedrill/internal/term"
	"firedrill/internal/topology"
)

const verifyUsage = `verify [flags]

Drives logins, orders and failures through the gateway, then asks Prometheus, Loki, Tempo and Alertmanager until every
signal of every service, every edge of the service graph and every link between signals is shown to be there, or the time
is up. Only what this run caused counts. Prints a table as it fills; a cell that is missing is named with what was asked
and what came back. Exits 1 if any is missing, and 3 if the machine did not keep up meanwhile, so that nobody can tell why.

It needs a shop that samples every trace, which is the default. Another deployment:

    firedrill verify -gateway https://shop.example -prometheus https://prom.example -loki … -tempo … -alertmanager …`

// defaultURL is where a copy's component answers, before the offset.
type defaultURL struct {
	name string
	port int
	into *string
}

func verifyAll(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("verify", verifyUsage)
	which := addStackFlags(fs)
	cfg := verify.Config{}
	urls := []defaultURL{
		{"gateway", topology.Find(topology.Gateway).Port, &cfg.Gateway},
		{"prometheus", topology.PortPrometheus, &cfg.Prometheus},
		{"loki", topology.PortLoki, &cfg.Loki},
		{"tempo", topology.PortTempo, &cfg.Tempo},
		{"alertmanager", topology.PortAlertmanager, &cfg.Alertmanager},
	}
	for _, u := range urls {
		fs.StringVar(u.into, u.name, "", fmt.Sprintf("`URL` (default http://127.0.0.1:%d, the offset added)", u.port))
	}
	fs.StringVar(&cfg.User, "user", verify.DefaultUser, "`name` of the user who orders")
	fs.StringVar(&cfg.Other, "other-user", verify.DefaultOther, "`name` of a user who must not see that order")
	fs.StringVar(&cfg.Password, "password", "", "`password` of the user; default that of a demo user")
	fs.StringVar(&cfg.OtherPassword, "other-password", "", "`password` of the other user; default that of a demo user")
	fs.DurationVar(&cfg.Timeout, "timeout", verify.DefaultTimeout, "how long to go on asking")
	asJSON := fs.Bool("json", false, "print one JSON document instead of the table")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	local, err := fillURLs(urls, which, p)
	if err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if local != nil {
		if err := mustRun(ctx, *local); err != nil {
			return err
		}
		fitVerify(ctx, fs, &cfg, *local)
	}
	return p.verify(ctx, cfg, *asJSON)
}

// fillURLs takes those that were not given from the copy that the other flags
// mean, and returns that copy. With all of them given there need be no copy, nor
// a repository.
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

// mustRun says at once what a minute of questions would find out. With an offset
// given the copy may be one of another data folder.
func mustRun(ctx context.Context, local stack.Stack) error {
	status, err := local.Status(ctx)
	if err != nil || status.Started != nil || local.Offset != 0 {
		return err
	}
	return fmt.Errorf("nothing runs in %s: \"make up\" starts it; the URLs of another deployment may be given, see -h", status.Data)
}

// fitVerify watches the machine that the copy runs on, and gives a slow one more time unless the time was told.
func fitVerify(ctx context.Context, fs *flag.FlagSet, cfg *verify.Config, local stack.Stack) {
	cfg.Witness = machine.Watch(ctx, local.PIDs())
	told := false
	fs.Visit(func(f *flag.Flag) { told = told || f.Name == "timeout" })
	if told {
		return
	}
	cfg.Timeout = local.Machine.Patience(cfg.Timeout)
}

// verify runs it. The table goes to standard output, progress to standard error.
func (p program) verify(ctx context.Context, cfg verify.Config, asJSON bool) error {
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
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	write := report.WriteText
	if asJSON {
		write = report.WriteJSON
	}
	if err := write(p.stdout); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if why := report.Inconclusive(); why != "" {
		return &exit{exitInvalid, errors.New(why)}
	}
	if !report.OK {
		return errQuiet
	}
	return nil
}
