package dashboards_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"firedrill/dashboards"
)

// drawn contains the parts of a generated dashboard that tests check.
type drawn struct {
	UID         string
	Title       string
	Description string
	Panels      []drawnPanel
}

type drawnPanel struct {
	ID          int
	Type        string
	Title       string
	Description string
	Targets     []map[string]any
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults  struct{ Unit, NoValue string }
		Overrides []struct {
			Matcher    struct{ ID string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Transformations []struct{ ID string }
}

func drawnAll(t *testing.T) []drawn {
	t.Helper()
	files, err := dashboards.Generate()
	if err != nil {
		t.Fatal(err)
	}
	var all []drawn
	for _, b := range dashboards.All() {
		var d drawn
		if err := json.Unmarshal(files[b.UID+".json"], &d); err != nil {
			t.Fatalf("%s: %v", b.UID, err)
		}
		all = append(all, d)
	}
	return all
}

// panels calls see for every panel that is not a heading.
func panels(t *testing.T, see func(where string, p drawnPanel)) {
	t.Helper()
	for _, d := range drawnAll(t) {
		for _, p := range d.Panels {
			if p.Type != "row" {
				see(fmt.Sprintf("dashboard %s, panel %q", d.UID, p.Title), p)
			}
		}
	}
}

func TestDashboardsAreTold(t *testing.T) {
	all := drawnAll(t)
	if len(all) != 10 {
		t.Errorf("%d dashboards, want 10", len(all))
	}
	uids := map[string]bool{}
	for _, d := range all {
		if d.UID == "" || uids[d.UID] || d.Title == "" || !strings.HasSuffix(d.Description, ".") {
			t.Errorf("dashboard %q, titled %q, described as %q: want a UID of its own, a title and a sentence", d.UID, d.Title, d.Description)
		}
		uids[d.UID] = true
		titles, ids := map[string]bool{}, map[int]bool{}
		for _, p := range d.Panels {
			if titles[p.Title] || ids[p.ID] || p.ID == 0 {
				t.Errorf("dashboard %s: panel %d, %q, is there twice", d.UID, p.ID, p.Title)
			}
			titles[p.Title], ids[p.ID] = true, true
		}
	}
}

// units returns the names of the units in use, from Grafana's list:
// https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
func units() []string {
	return []string{"short", "none", "s", "bytes", "Bps", "percentunit", "reqps", "ops", "suffix:×"}
}

// valueless reports whether a panel shows something without a unit: text, log lines or a graph of
// services.
func valueless(p drawnPanel) bool {
	fromTempo := p.Type == "table" && fmt.Sprint(p.Targets[0]["queryType"]) == "traceql" // the columns of such a table have their own units
	return fromTempo || slices.Contains([]string{"text", "logs", "nodeGraph"}, p.Type)
}

func TestPanelsAreTold(t *testing.T) {
	kinds := []string{"timeseries", "stat", "table", "heatmap", "logs", "state-timeline", "text", "nodeGraph", "bargauge"}
	count := 0
	panels(t, func(where string, p drawnPanel) {
		count++
		if !slices.Contains(kinds, p.Type) {
			t.Errorf("%s is a %s: not among those that Grafana goes on with: %v", where, p.Type, kinds)
		}
		if p.Title == "" || !strings.HasSuffix(p.Description, ".") {
			t.Errorf("%s is described as %q: want a title and a sentence", where, p.Description)
		}
		if !valueless(p) && !slices.Contains(units(), p.FieldConfig.Defaults.Unit) {
			t.Errorf("%s has the unit %q: want one of %v", where, p.FieldConfig.Defaults.Unit, units())
		}
		for _, o := range p.FieldConfig.Overrides {
			for _, property := range o.Properties {
				if property.ID == "unit" && !slices.Contains(units(), fmt.Sprint(property.Value)) {
					t.Errorf("%s has a column with the unit %v", where, property.Value)
				}
			}
		}
		for _, q := range p.Targets {
			told := q["legendFormat"] != nil || q["format"] != nil || q["queryType"] == "traceql" || p.Type == "logs" || p.Type == "nodeGraph"
			if !told {
				t.Errorf("%s: query %v has no legend", where, q["refId"])
			}
		}
	})
	if count < 100 {
		t.Errorf("only %d panels", count)
	}
}

// Panels fill the width of the grid and do not overlap.
func TestPanelsFitTheGrid(t *testing.T) {
	const width = 24
	for _, d := range drawnAll(t) {
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			g := p.GridPos
			if g.X+g.W > width || g.W == 0 || g.H == 0 {
				t.Errorf("%s, %q: at %+v it does not fit", d.UID, p.Title, g)
			}
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %q covers %q", d.UID, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
		for cell := range taken { // no gap at the right end of a row
			if taken[[2]int{width - 1, cell[1]}] == "" {
				t.Errorf("%s: row %d is not filled, beside %q", d.UID, cell[1], taken[cell])
				break
			}
		}
	}
}

// A panel that may be empty says why, and names an existing drill.
func TestQuietPanelsNameTheirDrill(t *testing.T) {
	drills, err := filepath.Glob("../chaos/drills/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	quiet := 0
	for _, b := range dashboards.All() {
		for _, a := range asks(t, b) {
			if a.Quiet == nil {
				continue
			}
			quiet++
			if !strings.HasSuffix(a.Quiet.Why, ".") {
				t.Errorf("%s, %s is empty because %q: want a sentence", b.UID, a.From, a.Quiet.Why)
			}
			if !slices.Contains(drills, filepath.Join("..", "chaos", "drills", a.Quiet.Drill+".yaml")) {
				t.Errorf("%s, %s: no drill is called %s", b.UID, a.From, a.Quiet.Drill)
			}
		}
	}
	if quiet == 0 {
		t.Error("no panel is quiet: the test looks at nothing")
	}
}
