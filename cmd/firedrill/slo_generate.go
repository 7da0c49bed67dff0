package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/internal/cli"
	"firedrill/internal/junit"
)

func (p program) sloGenerateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "generate [SPEC...]",
		Short: "Write the Prometheus rules of objectives",
		Long: `Writes the Prometheus rules of objectives.

With SPEC it writes the rules of those files to standard output, or into a folder. Without SPEC it writes the rules of the shop
(alerts/specs) into alerts/generated: for the Prometheus of "make up" (scale 60: an hour takes a minute) and, below
production/, for any other (scale 1).

With --format prometheusrule it writes objects for the Prometheus operator; without SPEC those in
deploy/kubernetes/monitoring/rules.

A spec of Sloth (prometheus/v1) is read as it is; docs/slo.md lists the keys that are added to Sloth's.`,
		Example: `  firedrill slo generate my.yaml > rules.yaml
  firedrill slo generate --scale 60 --scrape 1s --out rules/ a.yaml b.yaml
  firedrill slo generate --check                     fail if alerts/generated is not current`,
		Args: cli.Args("[SPEC...]"),
	}
	f := cmd.Flags()
	var g generation
	f.Float64Var(&g.scale, "scale", 0, "how many `times` faster than real the windows run (default: as the spec says, or 1)")
	f.DurationVar(&g.scrape, "scrape", 15*time.Second, "how often Prometheus scrapes the services")
	format := f.String("format", string(rules.FormatFile), "`format` of the rules: file (of Prometheus) or prometheusrule (an object for its operator)")
	g.policy = addPolicyFlag(cmd)
	f.StringVar(&g.out, "out", "", "`folder` to write into, one file a spec")
	f.StringVar(&g.junit, "junit", "", "`file` to write the outcome of --check to as JUnit XML, a case for each file")
	f.BoolVar(&g.check, "check", false, "write nothing; fail if the files in the folder are not current")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		g.format = rules.Format(*format)
		if g.junit != "" && !g.check {
			return cli.Misuse("--junit is for --check")
		}
		if len(args) > 0 {
			return g.ofFiles(p, args)
		}
		if g.scale != 0 || f.Changed("scrape") || f.Changed("policy") {
			return cli.Misuse("the rules of the shop have fixed scales and one policy: name a SPEC to choose")
		}
		return g.ofShop(p)
	}
	return cmd
}

// generation holds the flags of slo generate.
type generation struct {
	scale  float64 // 0 for the scale of the specification
	scrape time.Duration
	format rules.Format
	policy *string
	out    string // "" for standard output, or for the repository's folder of the shop's rules
	check  bool
	junit  string
}

// ofShop generates the rules that are stored in the repository.
func (g generation) ofShop(p program) error {
	root, err := p.root()
	if err != nil {
		return err
	}
	specs, err := loadSpecs(root, nil)
	if err != nil {
		return err
	}
	files, home, err := generateOwn(specs, g.format)
	if err != nil {
		return cli.Misuse("%w", err)
	}
	return g.write(p, cmp.Or(g.out, filepath.Join(root, home)), files, true)
}

// ofFiles generates the rules of specifications in files.
func (g generation) ofFiles(p program, paths []string) error {
	specs, err := loadSpecs("", paths)
	if err != nil {
		return err
	}
	policy, err := slo.Named(*g.policy)
	if err != nil {
		return cli.Misuse("--policy: %w", err)
	}
	files, err := renderAll(specs, g.format, policy, g.scale, g.scrape)
	if err != nil {
		return cli.Misuse("%w", err)
	}
	if g.out != "" {
		return g.write(p, g.out, files, false)
	}
	if g.check {
		return cli.Misuse("--check compares with the files in a folder: name it with --out")
	}
	if len(specs) > 1 && g.format == rules.FormatFile {
		return cli.Misuse("%d documents make as many files of rules: name a folder for them with --out", len(specs))
	}
	for i, spec := range specs {
		text := files[spec.Name()]
		if i > 0 {
			text = append([]byte("---\n"), text...)
		}
		if _, err := p.stdout.Write(text); err != nil {
			return fmt.Errorf("write rules: %w", err)
		}
	}
	return nil
}

// addPolicyFlag adds the flag that names the windows and burn rates of alerts.
func addPolicyFlag(cmd *cobra.Command) *string {
	policies := cobra.FixedCompletions([]string{"default", "workbook"}, cobra.ShellCompDirectiveNoFileComp)
	defer func() { _ = cmd.RegisterFlagCompletionFunc("policy", policies) }() // it only fails for a flag that does not exist
	return cmd.Flags().String("policy", "default", "`name` of the windows and burn rates that alert: default (those of the shop), or workbook (1h/5m at 14.4x, 6h/30m at 6x, 1d/2h at 3x, 3d/6h at 1x)")
}

// generateOwn returns the files that are stored in the repository, and their folder below its root.
func generateOwn(specs []slo.Spec, format rules.Format) (files map[string][]byte, home string, err error) {
	switch format {
	case rules.FormatFile:
		files, err = rules.Generate(specs, slo.Default())
		return files, filepath.Join("alerts", "generated"), err
	case rules.FormatObject:
		files, err = rules.GenerateObjects(specs, slo.Default())
		return files, filepath.Join("deploy", "kubernetes", "monitoring", "rules"), err
	}
	return nil, "", fmt.Errorf("--format %q: want %s or %s", format, rules.FormatFile, rules.FormatObject)
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
		if _, taken := files[spec.Name()]; taken {
			return nil, fmt.Errorf("two specs are named %s: write their rules one after the other", spec.Name())
		}
		files[spec.Name()] = text
	}
	return files, nil
}

// write updates a folder, or with --check reports whether it is current. whole means that the folder holds nothing else.
func (g generation) write(p program, dir string, files map[string][]byte, whole bool) error {
	return p.reported(g.junit, "slo generate", func() ([]junit.Suite, error) {
		stale, err := syncFiles(dir, files, !g.check, whole)
		if err != nil {
			return nil, err
		}
		switch {
		case g.check && len(stale) > 0:
			fmt.Fprintf(p.stderr, "not current in %s: %s; generate them again without --check\n", dir, strings.Join(stale, ", "))
			return []junit.Suite{currentSuite(files, stale)}, cli.ErrQuiet
		case len(stale) == 0:
			fmt.Fprintf(p.stdout, "%d files in %s are current.\n", len(files), dir)
		default:
			fmt.Fprintf(p.stdout, "Wrote %s in %s.\n", strings.Join(stale, ", "), dir)
		}
		return []junit.Suite{currentSuite(files, nil)}, nil
	})
}

// currentSuite returns a case for each file. stale lists those that are not current, which may be files that should not
// be there.
func currentSuite(files map[string][]byte, stale []string) junit.Suite {
	names := slices.AppendSeq(slices.Clone(stale), maps.Keys(files))
	slices.Sort(names)
	s := junit.Suite{Name: "slo.generate"}
	for _, name := range slices.Compact(names) {
		c := junit.Case{Name: name + " is current", Outcome: junit.Passed}
		if slices.Contains(stale, name) {
			c.Outcome, c.Text = junit.Failed, "it differs from what would be generated now"
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}

// syncFiles compares dir with files, whose keys are paths in dir, and returns the paths that were not current.
// If whole is true, other YAML files in dir are not current either. If write is true, it writes the files and
// removes those others.
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

// leftovers returns the files of rules whose SLOs no longer exist.
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
