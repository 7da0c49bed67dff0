package report

import (
	_ "embed" // for the template of the page
	"fmt"
	"html/template"
	"io"

	"firedrill/chaos/run"
)

//go:embed page.html.tmpl
var pageTemplate string

//go:embed style.css
var style string

// page has the values of the template.
type page struct {
	*run.Journal
	Timeline *timeline
	Style    template.CSS
}

// HTML writes the journal as one page that works alone: it needs no script, other file or
// network.
func HTML(w io.Writer, j *run.Journal) error {
	number := func(v float64) string { return fmt.Sprintf("%.4g", v) }
	t, err := template.New("page").Funcs(template.FuncMap{"sign": sign, "short": short, "clock": clock, "number": number}).Parse(pageTemplate)
	if err == nil {
		err = t.Execute(w, page{j, newTimeline(j), template.CSS(style)}) //nolint:gosec // it is part of the program
	}
	if err != nil {
		return fmt.Errorf("write the page of drill %q: %w", j.Drill, err)
	}
	return nil
}
