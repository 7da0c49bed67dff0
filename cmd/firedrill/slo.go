package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"firedrill/alerts/slo"
	"firedrill/deploy/stack"
	"firedrill/internal/cli"
)

func (p program) sloCommand() *cobra.Command {
	return cli.Group(&cobra.Command{
		Use:   "slo COMMAND",
		Short: "Objectives: rules, explanation, simulation, import, history",
		Long: `Service level objectives. Each service has one file of objectives (alerts/specs). From it come recording rules, alerts on
the burn rate, error budgets, and an explanation of what all of them will do. docs/slo.md describes the files.`,
		Example: `  firedrill slo explain                           what pages when, in words
  firedrill slo generate my.yaml > rules.yaml     rules of your own objectives`,
	}, p.sloGenerateCommand(), p.sloExplainCommand(), p.sloImportCommand(), p.sloSimCommand(), p.sloTuneCommand(), p.sloBackfillCommand())
}

// root returns the repository's folder.
func (p program) root() (string, error) {
	executable, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the running program: %w", err)
	}
	return stack.Root(p.getenv, executable)
}

// specsDir returns the folder of the shop's SLO specifications.
func specsDir(root string) string { return filepath.Join(root, "alerts", "specs") }

// loadSpecs reads the named files, or the shop's specifications if no file is named. An error in a file is
// misuse.
func loadSpecs(root string, files []string) ([]slo.Spec, error) {
	if len(files) == 0 {
		specs, err := slo.LoadAll(specsDir(root))
		return specs, badSpec(err)
	}
	var specs []slo.Spec
	var errs []error
	for _, file := range files {
		found, err := slo.LoadFile(file)
		specs, errs = append(specs, found...), append(errs, err)
	}
	return specs, badSpec(errors.Join(errs...))
}

func badSpec(err error) error {
	if err == nil {
		return nil
	}
	return cli.Misuse("bad objectives:\n%w", err)
}
