package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"firedrill/alerts/history"
	"firedrill/alerts/slo"
	"firedrill/deploy/stack"
)

const sloBackfillUsage = `slo backfill [flags]

Makes up a period (30 days; 12 hours at scale 60) of history for the objectives in alerts/specs, with a few incidents,
and writes it into the data folder of a Prometheus that has none yet, before it starts. Then budgets and long windows
mean something at once. Every series of it carries synthetic="true". A folder that holds data is left as it is.
"firedrill up" does this on an empty data folder.`

// Kinds of traffic that the kit keeps on the shop, in events a second: what is made
// up must not outweigh what happens, nor the other way round.
const (
	tricklePages  = 20
	trickleOrders = 5
)

func sloBackfill(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("slo backfill", sloBackfillUsage)
	which := addStackFlags(fs)
	dir := fs.String("dir", "", "data `folder` of Prometheus (default: that of the kit's own)")
	scale := fs.Float64("scale", slo.Workshop().Scale, "how many `times` faster than real the windows run")
	scrape := fs.Duration("scrape", slo.Workshop().Scrape, "how often Prometheus scrapes the services")
	seed := fs.Uint64("seed", defaultHistorySeed, "`number` that decides what happened")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	if *dir == "" {
		*dir = kit.PrometheusDir()
	}
	return p.backfill(ctx, kit.Root, *dir, slo.NewClock(*scale, *scrape), *seed)
}

const defaultHistorySeed = 1

// backfill writes history into an empty folder, and says so.
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

// historyBeforeStart lets a copy of the stack start with a past, if it has none.
func (p program) historyBeforeStart(kit stack.Stack) func(context.Context) error {
	return func(ctx context.Context) error {
		if entries, err := filepath.Glob(filepath.Join(kit.PrometheusDir(), "*")); err == nil && len(entries) > 0 {
			return nil // the usual second start
		}
		return p.backfill(ctx, kit.Root, kit.PrometheusDir(), slo.Workshop(), defaultHistorySeed)
	}
}
