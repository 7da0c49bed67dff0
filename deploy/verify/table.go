package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"firedrill/internal/term"
)

// Table writes the cells as a table from the top. A row is written when all of its cells, and all rows above
// it, are decided. Use NewTable to make one.
type Table struct {
	out     io.Writer
	written int    // number of rows
	group   string // of the last row
}

// NewTable returns a table that writes to out. Write errors are ignored, because there is nobody to report them
// to.
func NewTable(out io.Writer) *Table { return &Table{out: out} }

// row is a line of the table.
type row struct {
	group, name string
	cells       []Cell
}

func rows(cells []Cell) []row {
	var all []row
	for _, c := range cells {
		i := slices.IndexFunc(all, func(r row) bool { return r.group == c.Group && r.name == c.Row })
		if i < 0 {
			all = append(all, row{group: c.Group, name: c.Row})
			i = len(all) - 1
		}
		all[i].cells = append(all[i].cells, c)
	}
	// Groups are in the order of their first rows. A later row is moved to its group.
	var groups []string
	for _, r := range all {
		if !slices.Contains(groups, r.group) {
			groups = append(groups, r.group)
		}
	}
	slices.SortStableFunc(all, func(a, b row) int { return slices.Index(groups, a.group) - slices.Index(groups, b.group) })
	return all
}

func (r row) decided() bool {
	return !slices.ContainsFunc(r.cells, func(c Cell) bool { return c.State == Waiting })
}

const (
	nameWidth  = 44
	stateWidth = 9
)

// Update writes the rows that were decided since the last call.
func (t *Table) Update(cells []Cell) {
	all := rows(cells)
	for _, r := range all[t.written:] {
		if !r.decided() {
			return
		}
		columns := columnsOf(all, r.group)
		if r.group != t.group {
			t.header(r.group, columns)
		}
		line := pad("  "+r.name, nameWidth)
		for _, column := range columns {
			line += pad(r.state(column), stateWidth)
		}
		fmt.Fprintln(t.out, strings.TrimRight(line, " "))
		t.written++
	}
}

func (t *Table) header(group string, columns []string) {
	if t.group != "" {
		fmt.Fprintln(t.out)
	}
	t.group = group
	line := pad(group, nameWidth)
	for _, column := range columns {
		line += pad(column, stateWidth)
	}
	fmt.Fprintln(t.out, strings.TrimRight(line, " "))
}

func columnsOf(all []row, group string) []string {
	var columns []string
	for _, r := range all {
		for _, c := range r.cells {
			if r.group == group && !slices.Contains(columns, c.Column) {
				columns = append(columns, c.Column)
			}
		}
	}
	return columns
}

func (r row) state(column string) string {
	for _, c := range r.cells {
		switch {
		case c.Column != column:
		case c.State == Missing:
			return "MISSING"
		default:
			return string(c.State)
		}
	}
	return "-"
}

// pad appends spaces up to a width in characters, and at least one space.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(1, width-utf8.RuneCountInString(s)))
}

// WriteText writes what the table does not show: the verdict, and the query and the answer of each missing
// cell.
func (r Report) WriteText(w io.Writer) error {
	missing := r.Missing()
	if len(missing) == 0 {
		_, err := fmt.Fprintf(w, "\nAll %d cells hold, after %.1f s. The order's trace is %s.\n", len(r.Cells), r.Seconds, r.Order)
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\n%d of %d cells are missing, after %.1f s:\n", len(missing), len(r.Cells), r.Seconds)
	for _, c := range missing {
		asked := c.Asked
		if asked == "" {
			asked = "nothing"
		}
		fmt.Fprintf(&text, "\n%s\n  asked  %s\n  got    %s\n", c.Name(), asked, c.Got)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// WriteJSON writes the report as one JSON document.
func (r Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// Progress shows how far a run is: one line that is redrawn on a terminal, a plain line every few seconds
// elsewhere.
type Progress struct {
	display *term.Display
	began   time.Time
	last    time.Time
}

// NewProgress returns a Progress on a display.
func NewProgress(display *term.Display) *Progress {
	return &Progress{display: display, began: time.Now(), last: time.Now()}
}

// Update shows the current stage and the first cell that is not decided.
func (p *Progress) Update(stage string, cells []Cell) {
	const quiet = 5 * time.Second
	if !p.display.InPlace() && time.Since(p.last) < quiet {
		return
	}
	p.last = time.Now()
	line := fmt.Sprintf("%3.0f s, %s%s", time.Since(p.began).Seconds(), stage, waiting(cells))
	_ = p.display.Line(line) // a run continues without a terminal
}

// Clear removes the line, so that something else can be written.
func (p *Progress) Clear() {
	_ = p.display.Clear()
}

func waiting(cells []Cell) string {
	open := 0
	first := ""
	for _, c := range cells {
		if c.State != Waiting {
			continue
		}
		if open == 0 {
			first = c.Name()
		}
		open++
	}
	if open == 0 || open == len(cells) {
		return ""
	}
	return fmt.Sprintf(": %d of %d cells decided; waiting for %s", len(cells)-open, len(cells), first)
}
