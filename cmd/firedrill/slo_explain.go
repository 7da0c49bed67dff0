package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/internal/cli"
)

func (p program) sloExplainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [SPEC...]",
		Short: "Say in words what the rules will do",
		Long: `Says in words what the rules of objectives will do: which outage pages when and for how long, what becomes a ticket, which
errors never alert, and how much traffic an alert needs to make sense. Without SPEC it explains the objectives of the shop
(alerts/specs) at the scale of "make up", where an hour takes a minute.`,
		Example: `  firedrill slo explain
  firedrill slo explain --policy workbook my.yaml`,
		Args: cli.Args("[SPEC...]"),
	}
	f := cmd.Flags()
	scale := f.Float64("scale", 0, "how many `times` faster than real the windows run (default: as the spec says, or 1; 60 for the shop's objectives)")
	scrape := f.Duration("scrape", 15*time.Second, "how often Prometheus scrapes the services")
	policy := addPolicyFlag(cmd)
	output := cli.AddOutput(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		all, err := p.explain(args, *policy, *scale, *scrape, f.Changed("scrape"))
		if err != nil {
			return err
		}
		return output.Write(p.stdout, all, func(w io.Writer) error {
			for _, e := range all {
				if err := e.Write(w); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return cmd
}

// explain explains the SLOs in files, or the shop's if there are none. If scale is 0, the scale is that of the
// specification.
func (p program) explain(files []string, named string, scale float64, scrape time.Duration, scrapeGiven bool) ([]rules.Explanation, error) {
	policy, err := slo.Named(named)
	if err != nil {
		return nil, cli.Misuse("--policy: %w", err)
	}
	root, err := p.root()
	if err != nil {
		return nil, err
	}
	specs, err := loadSpecs(root, files)
	if err != nil {
		return nil, err
	}
	var all []rules.Explanation
	for _, spec := range specs {
		clock := slo.NewClock(spec.Scale, scrape)
		switch {
		case scale != 0:
			clock = slo.NewClock(scale, scrape)
		case len(files) == 0 && !scrapeGiven:
			clock = slo.Workshop()
		}
		for _, s := range spec.SLOs {
			e, err := rules.Explain(s, rules.Options{Policy: policy, Clock: clock})
			if err != nil {
				return nil, cli.Misuse("explain %s: %w", s.ID(), err)
			}
			all = append(all, e)
		}
	}
	return all, nil
}
