package main

import (
	"context"
	"fmt"

	"firedrill/alerts/sim"
)

const sloTuneUsage = `slo tune [flags] [CATALOGUE]

Searches windows and burn rates on a month of incidents (alerts/incidents/month.yaml, or a CATALOGUE of yours) and shows
those that no others beat in how soon they tell, how precise they are and what their rules cost; and where the kit's
default stands. What beats the default is tried on random months too, which the search has not seen: one month is easily
learned by heart.`

func sloTune(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("slo tune", sloTuneUsage)
	months := fs.Int("months", 10, "`number` of random months")
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 0, 1); err != nil {
		return err
	}
	if *months < 1 {
		return fmt.Errorf("%w: -months %d: want 1 or more", errUsage, *months)
	}
	catalogue, err := p.catalogue(fs.Arg(0))
	if err != nil {
		return err
	}
	tuning, err := sim.Tune(ctx, catalogue, *months)
	if err != nil {
		return fmt.Errorf("search policies: %w", err)
	}
	if *asJSON {
		return writeJSON(p.stdout, tuning)
	}
	return tuning.Write(p.stdout)
}
