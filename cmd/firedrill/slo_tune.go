package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"firedrill/alerts/sim"
	"firedrill/internal/cli"
)

func (p program) sloTuneCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tune [CATALOGUE]",
		Short: "Search windows and burn rates that alert better",
		Long: `Searches windows and burn rates on a month of incidents (alerts/incidents/month.yaml, or CATALOGUE). It shows those that no
other beats in delay, precision and the cost of their rules, and how the default compares. Those that beat the default are also
tried on random months, which the search has not used, so that luck on one month does not win.`,
		Args: cli.Args("[CATALOGUE]"),
	}
	months := cmd.Flags().Int("months", 10, "`number` of random months")
	output := cli.AddOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *months < 1 {
			return cli.Misuse("--months %d: want 1 or more", *months)
		}
		file := ""
		if len(args) > 0 {
			file = args[0]
		}
		catalogue, err := p.catalogue(file)
		if err != nil {
			return err
		}
		tuning, err := sim.Tune(cmd.Context(), catalogue, *months)
		if err != nil {
			return fmt.Errorf("search policies: %w", err)
		}
		return output.Write(p.stdout, tuning, tuning.Write)
	}
	return cmd
}
