package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"firedrill/alerts/openslo"
)

const sloImportUsage = `slo import [flags] FILE...

Turns objectives in OpenSLO v1 into the kit's own form, one file a service, on standard output or into a folder. What
means something else afterwards, and what cannot be expressed, is told on standard error; in the latter case the exit
code is 1. Files that refer to each other are given together.

    firedrill slo import -out alerts/specs openslo/*.yaml`

func sloImport(_ context.Context, p program, args []string) error {
	fs := p.newFlags("slo import", sloImportUsage)
	out := fs.String("out", "", "`folder` to write into, one file a service")
	if err := parse(fs, args, 1, math.MaxInt); err != nil {
		return err
	}
	result, err := openslo.ImportFiles(fs.Args()...)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	for _, service := range slices.Sorted(maps.Keys(result.Specs)) {
		if err := p.writeSpec(*out, service, result.Specs[service]); err != nil {
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
		return errQuiet
	}
	return nil
}

// writeSpec never overwrites: the file may hold what no import knows of.
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
