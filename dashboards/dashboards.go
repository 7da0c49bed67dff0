// Package dashboards writes Grafana's dashboards of the kit: each is a function
// in a file of its own, and generated/ holds the JSON that it makes, for anyone
// to import.
//
// It must not know where the backends are: a dashboard names its data sources by
// variables, and provisioning/ is where Grafana gets them from.
package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// tag is on all dashboards of the kit, and by it they find each other.
const tag = "firedrill"

// Board is a dashboard.
type Board struct {
	UID   string // what links name it by: /d/UID
	Title string
	About string // what one sees, in a sentence or two

	from   string // how far back it looks at first; "" is a quarter of an hour
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
	pick  = cog.Builder[dashboard.VariableModel] // what a person chooses at the top
)

// All are the dashboards, in the order in which a person meets them.
func All() []Board {
	return []Board{
		start(), services(), service(), slos(), checkout(), traces(), logLines(), loadTest(), drills(), pipeline(),
	}
}

// Generate makes the JSON of all dashboards, by the names of their files.
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

// JSON is the dashboard as Grafana imports it.
func (b Board) JSON() ([]byte, error) {
	d, err := b.build()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false) // queries are for people to read
	if err := enc.Encode(document{Dashboard: d, Annotations: annotations{List: b.events}}); err != nil {
		return nil, fmt.Errorf("write dashboard %q: %w", b.UID, err)
	}
	return out.Bytes(), nil
}

// build is the dashboard without its annotations, which the SDK cannot express.
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

// numbered gives a panel its number in the dashboard, so that links to it last
// while its neighbours stay.
type numbered struct {
	panel
	id uint32
}

func (n numbered) Build() (dashboard.Panel, error) {
	p, err := n.panel.Build()
	p.Id = &n.id
	if o, ok := p.Options.(*table.Options); ok {
		o.Footer = nil // the SDK adds what tables no longer have
	}
	return p, err
}

// tidy leaves out of a variable what only intervals have and the SDK gives to all.
type tidy struct{ pick }

func (t tidy) Build() (dashboard.VariableModel, error) {
	v, err := t.pick.Build()
	v.Auto, v.AutoMin, v.AutoCount = nil, nil, nil
	return v, err
}

// others is the menu of the other dashboards. It takes the time range along.
func others() *dashboard.DashboardLinkBuilder {
	return dashboard.NewDashboardLinkBuilder("Dashboards").
		Type(dashboard.DashboardLinkTypeDashboards).
		Tags([]string{tag}).
		AsDropdown(true).
		KeepTime(true)
}
