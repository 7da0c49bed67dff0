package drill

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"firedrill/internal/yamlfile"
)

// File is a drill for programs: its file as it stands, in JSON.
type File struct {
	Name  string          `json:"name"`
	Drill json.RawMessage `json:"drill"` // as chaos/drill.schema.json has it
}

// ReadFile returns the drill's file in JSON.
func (d *Drill) ReadFile() (File, error) {
	text, err := yamlfile.ReadText(d.File)
	if err == nil {
		text, err = yaml.YAMLToJSON(text)
	}
	if err != nil {
		return File{}, fmt.Errorf("show drill %q: %w", d.Name, err)
	}
	return File{d.Name, text}, nil
}

// Describe returns in words what the drill does and expects.
func (d *Drill) Describe() string {
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
		faults = append(faults, strings.TrimSpace(fmt.Sprintf("after %s for %s: %s on %s %s", f.At, f.For, f.Kind, f.Target, paramsText(f.Params))))
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

// paramsText returns parameters as Go prints a map.
func paramsText(p map[string]any) string {
	if len(p) == 0 {
		return ""
	}
	return strings.TrimPrefix(fmt.Sprint(p), "map")
}

// expected returns a line for each thing that must be seen.
func expected(e Expectations) []string {
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
