package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"firedrill/alerts/openslo"
	"firedrill/internal/cli"
)

func (p program) sloImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Turn OpenSLO and Pyrra into objectives of firedrill",
		Long: `Turns objectives in OpenSLO v1 and of Pyrra (v1alpha1) into files of firedrill, one a service, on standard output or in a folder. What changes its
meaning and what cannot be expressed is listed on standard error; in the second case the exit code is 1. Give files that refer
to each other together. An existing file is not overwritten.`,
		Example: `  firedrill slo import --out alerts/specs openslo/*.yaml`,
		Args:    cli.Args("FILE..."),
	}
	out := cmd.Flags().String("out", "", "`folder` to write into, one file a service")
	cmd.RunE = func(_ *cobra.Command, args []string) error { return p.importOpenSLO(*out, args) }
	return cmd
}

func (p program) importOpenSLO(dir string, files []string) error {
	result, err := openslo.ImportFiles(files...)
	if err != nil {
		return cli.Misuse("%w", err)
	}
	for _, service := range slices.Sorted(maps.Keys(result.Specs)) {
		if err := p.writeSpec(dir, service, result.Specs[service]); err != nil {
			return err
		}
	}
	for _, remark := range result.Changed {
		fmt.Fprintln(p.stderr, "changed: "+remark)
	}
	for _, remark := range result.Skipped {
		fmt.Fprintln(p.stderr, "cannot be expressed: "+remark)
	}
	if len(result.Skipped) > 0 {
		return cli.ErrQuiet
	}
	return nil
}

// writeSpec writes a specification. It never overwrites a file, because the file may contain what an import
// does not know.
func (p program) writeSpec(dir, service string, text []byte) error {
	if dir == "" {
		_, err := fmt.Fprintf(p.stdout, "---\n%s", text)
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // rules and objectives are no secret, and Prometheus may be another user
		return fmt.Errorf("write objectives: %w", err)
	}
	path := filepath.Join(dir, service+".yaml")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("write objectives: %w", err)
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return fmt.Errorf("write objectives: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write objectives: %w", err)
	}
	fmt.Fprintln(p.stdout, "Wrote "+path)
	return nil
}
