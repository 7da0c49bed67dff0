// Package dashboards generates Firedrill's Grafana dashboards. Each dashboard is a function in its
// own file. The folder generated contains their JSON, which anybody can import.
//
// It must not know where the backends are. A dashboard refers to its data sources by variables.
// Grafana gets the data sources from the folder provisioning.
package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// tag marks all of Firedrill's dashboards. They link to each other by it.
const tag = "firedrill"

// Board is a dashboard.
type Board struct {
	UID   string // identifier in links: /d/UID
	Title string
	About string // what the dashboard shows, in one or two sentences

	from   string // start of the initial time range; "" means 15 minutes ago
	picks  []pick
	events []event
	rows   []row
}

// row is a heading with panels below it, from left to right.
type row struct {
	title  string
	panels []panel
}

type (
	panel = cog.Builder[dashboard.Panel]
	pick  = cog.Builder[dashboard.VariableModel] // a variable at the top of a dashboard
)

// All returns the dashboards in the order in which a user meets them.
func All() []Board {
	return []Board{
		start(), services(), service(), slos(), checkout(), traces(), logLines(), loadTest(), drills(), pipeline(),
	}
}

// Generate returns the JSON of all dashboards by file name.
func Generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, b := range All() {
		text, err := b.JSON()
		if err != nil {
			return nil, err
		}
		files[b.UID+".json"] = text
	}
	return files, nil
}

// JSON returns the dashboard in Grafana's import format.
func (b Board) JSON() ([]byte, error) {
	d, err := b.build()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false) // keep queries readable
	if err := enc.Encode(document{Dashboard: d, Annotations: annotations{List: b.events}}); err != nil {
		return nil, fmt.Errorf("write dashboard %q: %w", b.UID, err)
	}
	return out.Bytes(), nil
}

// build returns the dashboard without its annotations, which the SDK cannot express.
func (b Board) build() (dashboard.Dashboard, error) {
	from := b.from
	if from == "" {
		from = "now-15m"
	}
	var picks []pick
	for _, p := range append(sources(), b.picks...) {
		picks = append(picks, tidy{p})
	}
	d := dashboard.NewDashboardBuilder(b.Title).
		Uid(b.UID).
		Description(b.About).
		Tags([]string{tag}).
		Time(from, "now").
		Refresh("10s").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Variables(picks).
		Link(others())
	id := uint32(1)
	for _, r := range b.rows {
		d.WithRow(dashboard.NewRowBuilder(r.title).Id(id))
		id++
		for _, p := range r.panels {
			d.WithPanel(numbered{p, id})
			id++
		}
	}
	built, err := d.Build()
	if err != nil {
		return dashboard.Dashboard{}, fmt.Errorf("build dashboard %q: %w", b.UID, err)
	}
	return built, nil
}

// numbered sets the panel's ID in the dashboard, so that links to the panel stay valid while the
// panels before it do not change.
type numbered struct {
	panel
	id uint32
}

func (n numbered) Build() (dashboard.Panel, error) {
	p, err := n.panel.Build()
	p.Id = &n.id
	if o, ok := p.Options.(*table.Options); ok {
		o.Footer = nil // the SDK adds a footer, which tables no longer have
	}
	return p, err
}

// tidy removes fields from a variable that the SDK always sets but only interval variables have.
type tidy struct{ pick }

func (t tidy) Build() (dashboard.VariableModel, error) {
	v, err := t.pick.Build()
	v.Auto, v.AutoMin, v.AutoCount = nil, nil, nil
	return v, err
}

// others returns the menu of the other dashboards. Its links keep the time range.
func others() *dashboard.DashboardLinkBuilder {
	return dashboard.NewDashboardLinkBuilder("Dashboards").
		Type(dashboard.DashboardLinkTypeDashboards).
		Tags([]string{tag}).
		AsDropdown(true).
		KeepTime(true)
}
