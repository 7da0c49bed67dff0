package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/goccy/go-yaml"

	"firedrill/chaos"
)

const drillListUsage = `drill list [flags]

Lists the drills of the repository (chaos/drills).`

func drillList(_ context.Context, p program, args []string) error {
	fs := p.newFlags("drill list", drillListUsage)
	which := addStackFlags(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	drills, err := drillTarget{Stack: kit, getenv: p.getenv}.drills()
	if err != nil {
		return err
	}
	if *asJSON {
		var all []drillJSON
		for _, d := range drills {
			one, err := asJSONOf(d)
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		return writeJSON(p.stdout, all)
	}
	tw := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, d := range drills {
		fmt.Fprintf(tw, "%s\t%s\n", d.Name, d.Title)
	}
	return tw.Flush()
}

// drillJSON is a drill for programs: its file as it stands, in JSON.
type drillJSON struct {
	Name  string          `json:"name"`
	Drill json.RawMessage `json:"drill"` // as chaos/drill.schema.json has it
}

func asJSONOf(d *chaos.Drill) (drillJSON, error) {
	text, err := os.ReadFile(d.File)
	if err == nil {
		text, err = yaml.YAMLToJSON(text)
	}
	if err != nil {
		return drillJSON{}, fmt.Errorf("show drill %q: %w", d.Name, err)
	}
	return drillJSON{d.Name, text}, nil
}

const drillShowUsage = `drill show [flags] NAME

Shows what a drill breaks and what it expects to see. For a workshop: it also prints the answer.`

func drillShow(_ context.Context, p program, args []string) error {
	fs := p.newFlags("drill show", drillShowUsage)
	which := addStackFlags(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	if err := parse(fs, args, 1, 1); err != nil {
		return err
	}
	kit, err := which.stack(p)
	if err != nil {
		return err
	}
	d, err := drillTarget{Stack: kit, getenv: p.getenv}.drill(fs.Arg(0))
	if err != nil {
		return err
	}
	if *asJSON {
		one, err := asJSONOf(d)
		if err != nil {
			return err
		}
		return writeJSON(p.stdout, one)
	}
	_, err = fmt.Fprint(p.stdout, describe(d))
	return err
}

// describe says in words what a drill does and expects.
func describe(d *chaos.Drill) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n%s\n", d.Name, d.Title, strings.TrimSpace(d.Story))
	section := func(name string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n%s\n  %s\n", name, strings.Join(lines, "\n  "))
		}
	}
	load := "none but what is on the shop anyway"
	if d.Load.Profile != "" {
		load = strings.TrimSpace(d.Load.Profile + " " + d.Load.Rate)
	}
	section("Load", []string{load})
	var faults []string
	for _, f := range d.Faults {
		faults = append(faults, strings.TrimSpace(fmt.Sprintf("after %s for %s: %s on %s %s", f.At, f.For, f.Kind, f.Target, params(f.Params))))
	}
	section("Faults", faults)
	section("What must be seen", expected(d.Expect))
	var probes []string
	for _, p := range d.Hypothesis {
		probes = append(probes, fmt.Sprintf("%s (%s)", p.Name, p.Mode))
	}
	section("What must hold", probes)
	if d.Runbook != "" {
		section("Runbook", []string{d.Runbook})
	}
	return b.String()
}

func params(p map[string]any) string {
	if len(p) == 0 {
		return ""
	}
	return strings.TrimPrefix(fmt.Sprint(p), "map")
}

func expected(e chaos.Expectations) []string {
	var out []string
	for _, a := range e.Alerts {
		out = append(out, fmt.Sprintf("alert %s within %s, gone within %s", a, a.FiresWithin, a.ResolvesWithin))
	}
	for _, t := range e.Traces {
		out = append(out, "traces: "+t.Name)
	}
	for _, l := range e.Logs {
		out = append(out, "logs: "+l.Name)
	}
	for _, m := range e.Metrics {
		out = append(out, "metrics: "+m.Name)
	}
	for _, service := range e.Healthy {
		out = append(out, service+" stays ready")
	}
	return out
}
