package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"firedrill/alerts/slo"
	"firedrill/deploy/stack"
)

const sloUsage = `slo COMMAND [flags]

Service level objectives: from one file a service (alerts/specs) come recording rules, alerts on the burn rate, budgets
and an account of what all of them will do.

Commands:
`

func sloCommands() []command {
	return []command{
		{"generate", "write the Prometheus rules of objectives", sloGenerate},
		{"explain", "say in words what the rules will do", sloExplain},
		{"import", "turn OpenSLO into objectives as the kit reads them", sloImport},
		{"sim", "replay a month of incidents and judge the alerts", sloSim},
		{"tune", "search windows and burn rates that alert better", sloTune},
		{"backfill", "write made-up history for a Prometheus that has none", sloBackfill},
	}
}

// sloMain runs a subcommand of slo.
func sloMain(ctx context.Context, p program, args []string) error {
	return p.subcommand(ctx, "slo", sloUsage, sloCommands(), args)
}

// root is the repository's folder.
func (p program) root() (string, error) {
	executable, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the running program: %w", err)
	}
	settings, err := stack.Resolve(stack.Flags{}, p.getenv, executable)
	return settings.Root, err
}

// specsDir is where the kit's own objectives are, below the repository.
func specsDir(root string) string { return filepath.Join(root, "alerts", "specs") }

// loadSpecs reads the named files, or the kit's own objectives. Whatever is wrong
// in them is a misuse.
func loadSpecs(root string, files []string) ([]slo.Spec, error) {
	if len(files) == 0 {
		specs, err := slo.LoadAll(specsDir(root))
		return specs, badSpec(err)
	}
	var specs []slo.Spec
	var errs []error
	for _, file := range files {
		spec, err := slo.Load(file)
		specs, errs = append(specs, spec), append(errs, err)
	}
	return specs, badSpec(errors.Join(errs...))
}

func badSpec(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: bad objectives:\n%w", errUsage, err)
}
