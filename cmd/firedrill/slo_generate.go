package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
)

const sloGenerateUsage = `slo generate [flags] [SPEC...]

Writes Prometheus rules of objectives. Without SPEC it makes those that the kit ships: of alerts/specs into
alerts/generated, for the kit's own Prometheus (scale 60: an hour is a minute) and, below production/, for any other
(scale 1). With SPEC it writes the rules of those files to standard output, or into a folder of yours:

    firedrill slo generate myservice.yaml > rules.yaml
    firedrill slo generate -scale 60 -scrape 1s -out rules/ a.yaml b.yaml

With -format prometheusrule it writes objects for the Prometheus operator; without SPEC those in
deploy/kubernetes/monitoring/rules.

A spec of Sloth (prometheus/v1) is read as it is; docs/slo.md has the keys that are there beside Sloth's.`

func sloGenerate(_ context.Context, p program, args []string) error {
	fs := p.newFlags("slo generate", sloGenerateUsage)
	scale := fs.Float64("scale", 0, "how many `times` faster than real the windows run (default: as the spec says, or 1)")
	scrape := fs.Duration("scrape", 15*time.Second, "how often Prometheus scrapes the services")
	format := fs.String("format", string(rules.FormatFile), "`form` of the rules: file (of Prometheus) or prometheusrule (an object for its operator)")
	named := addPolicyFlag(fs)
	out := fs.String("out", "", "`folder` to write into, one file a spec")
	check := fs.Bool("check", false, "write nothing; fail if the files in the folder are not current")
	if err := parse(fs, args, 0, math.MaxInt); err != nil {
		return err
	}
	root, err := p.root()
	if err != nil {
		return err
	}
	specs, err := loadSpecs(root, fs.Args())
	if err != nil {
		return err
	}
	policy, err := slo.Named(*named)
	if err != nil {
		return fmt.Errorf("%w: -policy: %w", errUsage, err)
	}
	var files map[string][]byte
	if fs.NArg() == 0 {
		if *scale != 0 || isSet(fs, "scrape") || isSet(fs, "policy") {
			return fmt.Errorf("%w: the kit's own rules have fixed scales and one policy: name a SPEC to choose", errUsage)
		}
		var home string
		files, home, err = generateOwn(specs, rules.Format(*format))
		if *out == "" {
			*out = filepath.Join(root, home)
		}
	} else {
		files, err = renderAll(specs, rules.Format(*format), policy, *scale, *scrape)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *out == "" {
		for _, spec := range specs {
			if _, err := p.stdout.Write(files[filepath.Base(spec.File)]); err != nil {
				return fmt.Errorf("write rules: %w", err)
			}
		}
		return nil
	}
	return p.writeRules(*out, files, !*check, fs.NArg() == 0)
}

// addPolicyFlag lets people choose the windows and burn rates of alerts.
func addPolicyFlag(fs *flag.FlagSet) *string {
	return fs.String("policy", "default", "`name` of the windows and burn rates that alert: default (the kit's), or workbook (1h/5m at 14.4x, 6h/30m at 6x, 1d/2h at 3x, 3d/6h at 1x)")
}

// generateOwn makes the files that the kit ships, and says in which folder below the repository's root.
func generateOwn(specs []slo.Spec, format rules.Format) (files map[string][]byte, home string, err error) {
	switch format {
	case rules.FormatFile:
		files, err = rules.Generate(specs, slo.Default())
		return files, filepath.Join("alerts", "generated"), err
	case rules.FormatObject:
		files, err = rules.GenerateObjects(specs, slo.Default())
		return files, filepath.Join("deploy", "kubernetes", "monitoring", "rules"), err
	}
	return nil, "", fmt.Errorf("-format %q: want %s or %s", format, rules.FormatFile, rules.FormatObject)
}

func renderAll(specs []slo.Spec, format rules.Format, policy slo.Policy, scale float64, scrape time.Duration) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, spec := range specs {
		own := spec.Scale
		if scale != 0 {
			own = scale
		}
		text, err := rules.RenderAs(format, spec, rules.Options{Policy: policy, Clock: slo.NewClock(own, scrape)})
		if err != nil {
			return nil, err
		}
		files[filepath.Base(spec.File)] = text
	}
	return files, nil
}

// writeRules brings a folder up to date, or says that it is not.
func (p program) writeRules(dir string, files map[string][]byte, write, whole bool) error {
	stale, err := syncFiles(dir, files, write, whole)
	if err != nil {
		return err
	}
	switch {
	case !write && len(stale) > 0:
		fmt.Fprintf(p.stderr, "not current in %s: %s; generate them again without -check\n", dir, strings.Join(stale, ", "))
		return errQuiet
	case len(stale) == 0:
		fmt.Fprintf(p.stdout, "%d files in %s are current.\n", len(files), dir)
	default:
		fmt.Fprintf(p.stdout, "Wrote %s in %s.\n", strings.Join(stale, ", "), dir)
	}
	return nil
}

// syncFiles makes dir hold the files, by their paths in it; and no other YAML
// files, if these are the whole. It returns the paths that were not current.
func syncFiles(dir string, files map[string][]byte, write, whole bool) ([]string, error) {
	var stale []string
	for path, want := range files {
		full := filepath.Join(dir, path)
		if have, err := os.ReadFile(full); err == nil && string(have) == string(want) {
			continue
		}
		stale = append(stale, path)
		if !write {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil { //nolint:gosec // rules and objectives are no secret, and Prometheus may be another user
			return nil, fmt.Errorf("write rules: %w", err)
		}
		if err := os.WriteFile(full, want, 0o644); err != nil { //nolint:gosec // as above
			return nil, fmt.Errorf("write rules: %w", err)
		}
	}
	var left []string
	if whole {
		var err error
		if left, err = leftovers(dir, files); err != nil {
			return nil, err
		}
	}
	for _, path := range left {
		stale = append(stale, path)
		if write {
			if err := os.Remove(filepath.Join(dir, path)); err != nil {
				return nil, fmt.Errorf("remove rules without objectives: %w", err)
			}
		}
	}
	slices.Sort(stale)
	return stale, nil
}

// leftovers are rules of objectives that are no more.
func leftovers(dir string, files map[string][]byte) ([]string, error) {
	var left []string
	for _, pattern := range []string{"*.yaml", filepath.Join("*", "*.yaml")} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("list rules in %q: %w", dir, err)
		}
		for _, full := range found {
			path, err := filepath.Rel(dir, full)
			if err != nil {
				return nil, fmt.Errorf("list rules in %q: %w", dir, err)
			}
			if files[path] == nil {
				left = append(left, path)
			}
		}
	}
	return left, nil
}

// isSet tells whether a flag was given.
func isSet(fs *flag.FlagSet, name string) bool {
	given := false
	fs.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}
