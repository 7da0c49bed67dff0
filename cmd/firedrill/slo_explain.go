package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

const sloExplainUsage = `slo explain [flags] [SPEC...]

Says in words what the rules of objectives will do: which outage pages when and for how long, what becomes a ticket,
which errors never alert, and how much traffic it takes for an alert to make sense. Without SPEC it explains the
objectives of the kit (alerts/specs) at the scale of "make up", an hour a minute.`

func sloExplain(_ context.Context, p program, args []string) error {
	fs := p.newFlags("slo explain", sloExplainUsage)
	scale := fs.Float64("scale", 0, "how many `times` faster than real the windows run (default: as the spec says, or 1; 60 for the kit's own)")
	scrape := fs.Duration("scrape", 15*time.Second, "how often Prometheus scrapes the services")
	named := addPolicyFlag(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 0, math.MaxInt); err != nil {
		return err
	}
	policy, err := slo.Named(*named)
	if err != nil {
		return fmt.Errorf("%w: -policy: %w", errUsage, err)
	}
	root, err := p.root()
	if err != nil {
		return err
	}
	specs, err := loadSpecs(root, fs.Args())
	if err != nil {
		return err
	}
	var all []rules.Explanation
	for _, spec := range specs {
		clock := slo.NewClock(spec.Scale, *scrape)
		switch {
		case *scale != 0:
			clock = slo.NewClock(*scale, *scrape)
		case fs.NArg() == 0 && !isSet(fs, "scrape"):
			clock = slo.Workshop()
		}
		for _, s := range spec.SLOs {
			e, err := rules.Explain(s, rules.Options{Policy: policy, Clock: clock})
			if err != nil {
				return fmt.Errorf("%w: explain %s: %w", errUsage, s.ID(), err)
			}
			all = append(all, e)
		}
	}
	if *asJSON {
		return writeJSON(p.stdout, all)
	}
	for _, e := range all {
		if err := e.Write(p.stdout); err != nil {
			return err
		}
	}
	return nil
}
