package sim

import (
	_ "embed" // the template
	"fmt"
	"html/template"
	"io"
	"time"

	"firedrill/alerts/slo"
)

//go:embed picture.svg.tmpl
var pictureTemplate string

// Sizes in pixels.
const (
	pictureWidth  = 1200
	pictureLeft   = 90  // for the names of rule sets
	pictureRight  = 150 // for precision and recall
	pictureTop    = 150 // for the names of incidents
	pictureRow    = 30
	pictureBottom = 40
	nameApart     = 14
	leastWidth    = 1.5 // minimum width of a bar, so that short ones are visible
)

// Plot returns the height of the plot area.
func (p picture) Plot() float64 { return p.Bottom - p.Top }

// picture is a report in pixel coordinates.
type picture struct {
	Title                    string
	Width, Height            float64
	Left, Right, Top, Bottom float64
	Days                     []mark
	Incidents                []bar
	Rows                     []row
}

type mark struct {
	X    float64
	Text string
}

type bar struct {
	X, Width float64
	NameX    float64 // x of its name, at a distance from the previous name
	Text     string
	Strong   bool // a significant incident
}

type row struct {
	Y              float64
	Name, Figures  string
	Pages, Tickets []bar
}

// Draw writes the report as SVG, with one row per rule set that shows when its alerts fire.
func (r Report) Draw(w io.Writer) error {
	t, err := template.New("picture").Parse(pictureTemplate)
	if err != nil {
		return fmt.Errorf("draw the simulation: %w", err)
	}
	if err := t.Execute(w, r.picture()); err != nil {
		return fmt.Errorf("draw the simulation: %w", err)
	}
	return nil
}

func (r Report) picture() picture {
	bottom := float64(pictureTop + pictureRow*len(r.Results))
	p := picture{
		Title: r.Catalogue.Name + ": what fires when",
		Width: pictureWidth, Height: bottom + pictureBottom,
		Left: pictureLeft, Right: pictureWidth - pictureRight, Top: pictureTop, Bottom: bottom,
	}
	for d := time.Duration(0); d <= Period; d += 5 * day {
		p.Days = append(p.Days, mark{place(d), fmt.Sprintf("day %d", d/day)})
	}
	name := float64(-nameApart)
	for i, in := range r.Catalogue.Incidents {
		b := stretch(Span{in.Start, in.End()}, in.Name)
		b.Strong = r.Results[0].Judgement.Incidents[i].Significant
		b.NameX = max(b.X, name+nameApart)
		name = b.NameX
		p.Incidents = append(p.Incidents, b)
	}
	for i, s := range r.Results {
		p.Rows = append(p.Rows, row{
			Y: float64(pictureTop + pictureRow*i), Name: s.Set.Name,
			Figures: fmt.Sprintf("%s / %s", share(s.Judgement.Precision), share(s.Judgement.Recall)),
			Pages:   stretches(s.Fires[slo.Page], "page"), Tickets: stretches(s.Fires[slo.Ticket], "ticket"),
		})
	}
	return p
}

// place returns the x coordinate of a time.
func place(at time.Duration) float64 {
	return pictureLeft + (pictureWidth-pictureLeft-pictureRight)*at.Seconds()/Period.Seconds()
}

func stretch(s Span, text string) bar {
	return bar{X: place(s.From), Width: max(leastWidth, place(s.To)-place(s.From)), Text: text}
}

func stretches(all []Span, what string) []bar {
	var out []bar
	for _, s := range all {
		out = append(out, stretch(s, fmt.Sprintf("%s from %s for %s", what, brief(s.From), brief(s.To-s.From))))
	}
	return out
}
