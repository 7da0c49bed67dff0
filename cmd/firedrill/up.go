package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"firedrill/deploy/stack"
)

const upUsage = `up [flags]

Makes the stack (Prometheus, Alertmanager, Loki, Tempo, the receiver of notifications, and Grafana if there is one on the
PATH) and the shop run, and returns when all of it is ready. The first run builds the upstream programs from their Go
modules; Ctrl-C and a second run go on where it stopped. Ports are checked before anything starts. If a component does
not become ready, the end of its log is shown and what was started is stopped. A copy that is up is left as it is.

An empty data folder begins with 12 hours of made-up history of the objectives (see "firedrill slo backfill -h"), so that
error budgets, of which an hour takes a minute here (scale 60), mean something at once.

The machine is measured, at most once a day, and times and loads follow: a slower machine gets more time to be ready, and
below three quarters of the reference machine's power a smaller background load. One line says what was found and chosen.

A second copy beside the first:

    firedrill up -offset 10000 -data /tmp/second

In containers, with PostgreSQL and Grafana, all of it built or pulled by Docker (docs/containers.md): -stack compose.`

func up(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("up", upUsage)
	which := addRunFlags(fs)
	fs.StringVar(&which.flags.Retention, "retention", "", "`duration` for which Prometheus keeps samples (FIREDRILL_RETENTION; default 31d)")
	fs.BoolVar(&which.flags.NoShop, "no-shop", false, "only the stack, for services of your own")
	fs.BoolVar(&which.flags.Distributed, "distributed", false, "Loki and Tempo as several processes each, as at scale (FIREDRILL_DISTRIBUTED)")
	patience := fs.Duration("timeout", 0, "how long components may take to be ready (default 1m, and more on a slower machine)")
	asJSON := fs.Bool("json", false, "print the table as JSON")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	kit.Patience = *patience
	target, err := which.deployment(p, kit)
	if err != nil {
		return err
	}
	begin := time.Now()
	status, err := target.Up(ctx)
	if err != nil {
		return err
	}
	if *asJSON {
		return writeJSON(p.stdout, status)
	}
	printStatus(p.stdout, status)
	fmt.Fprintf(p.stdout, "\nReady after %.1f s. Next:\n", time.Since(begin).Seconds())
	for _, line := range hints(status, p.copySettings(kit)) {
		fmt.Fprintln(p.stdout, "  "+line)
	}
	return nil
}

// copySettings are the variables that tell make which copy is meant, as " NAME=value"; nothing for the default one.
func (p program) copySettings(target stack.Stack) string {
	if target.Data == filepath.Join(target.Root, ".data") {
		return "" // the offset is known from the data folder
	}
	return " DATA=" + target.Data
}
