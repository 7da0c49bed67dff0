package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"firedrill/alerts/history"
	"firedrill/alerts/slo"
	"firedrill/deploy/stack"
	"firedrill/internal/cli"
)

// Rates of the synthetic history in events per second. They equal the background load on the shop, so that
// neither the synthetic past nor the real traffic outweighs the other.
const (
	tricklePages  = 20
	trickleOrders = 5
)

func (p program) sloBackfillCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backfill",
		Short: "Write made-up history for a Prometheus that has none",
		Long: `Makes up one period (30 days; 12 hours at scale 60) of history for the objectives in alerts/specs, with a few incidents, and
writes it into the data folder of a Prometheus that has no data, before it starts. Budgets and long windows then have values at
once. Every made-up series has the label synthetic="true". A folder that holds data is left as it is.

"firedrill up" does this on an empty data folder.`,
		Args: cli.Args(),
	}
	which := addStackFlags(cmd.Flags())
	f := cmd.Flags()
	dir := f.String("dir", "", "data `folder` of Prometheus (default: that of this copy)")
	scale := f.Float64("scale", slo.Workshop().Scale, "how many `times` faster than real the windows run")
	scrape := f.Duration("scrape", slo.Workshop().Scrape, "how often Prometheus scrapes the services")
	seed := f.Uint64("seed", defaultHistorySeed, "`number` that decides what happened")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		root, err := p.root()
		if err != nil {
			return err
		}
		if *dir == "" { // only then is there a copy
			kit, err := which.stack(p)
			if err != nil {
				return err
			}
			*dir = kit.PrometheusDir()
		}
		return p.backfill(cmd.Context(), root, *dir, slo.NewClock(*scale, *scrape), *seed)
	}
	return cmd
}

const defaultHistorySeed = 1

// backfill writes history into an empty folder, and prints what it wrote.
func (p program) backfill(ctx context.Context, root, dir string, clock slo.Clock, seed uint64) error {
	specs, err := loadSpecs(root, nil)
	if err != nil {
		return err
	}
	var all []slo.SLO
	for _, spec := range specs {
		all = append(all, spec.SLOs...)
	}
	begin := time.Now()
	sum, err := history.Write(ctx, dir, all, history.Options{
		Policy: slo.Default(), Clock: clock, End: begin, Seed: seed,
		Rates: map[string]float64{
			"gateway-availability":         tricklePages + trickleOrders,
			"catalog-browsing-latency":     tricklePages,
			"orders-checkout-availability": trickleOrders,
			"orders-checkout-latency":      trickleOrders,
			"payments-availability":        trickleOrders,
			"payments-charged-once":        trickleOrders,
			"shipping-freshness":           trickleOrders,
		},
	})
	switch {
	case errors.Is(err, history.ErrNotEmpty):
		fmt.Fprintf(p.stderr, "%s holds data: no history is made up.\n", dir)
		return nil
	case err != nil:
		return err
	}
	fmt.Fprintf(p.stderr, "Made up %s of history of %d objectives, labelled synthetic, in %.1f s.\n",
		slo.Format(sum.To.Sub(sum.From)), sum.Objectives, time.Since(begin).Seconds())
	return nil
}

// historyBeforeStart returns a function that writes history for a copy of the stack without any.
func (p program) historyBeforeStart(kit stack.Stack) func(context.Context) error {
	return func(ctx context.Context) error {
		if entries, err := filepath.Glob(filepath.Join(kit.PrometheusDir(), "*")); err == nil && len(entries) > 0 {
			return nil // the usual case of a second start
		}
		return p.backfill(ctx, kit.Root, kit.PrometheusDir(), slo.Workshop(), defaultHistorySeed)
	}
}
