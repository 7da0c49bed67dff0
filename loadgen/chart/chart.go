// Package chart draws line charts as SVG without scripts, for light and dark backgrounds. The charts do not rely on colour
// alone: lines also differ in dashes and have their names at their ends. The colours are from Okabe and Ito's palette,
// which people with any colour vision can distinguish (M. Okabe, K. Ito, Color Universal Design, 2008).
//
// It must not know what the numbers mean.
package chart

import (
	"cmp"
	_ "embed" // for the template below
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Template is a template for html/template. It defines "chart", which renders a Drawing, and "chart-style", the CSS
// that charts and pages share.
//
//go:embed chart.html.tmpl
var Template string

// Chart describes a chart.
type Chart struct {
	Title       string // what the chart shows, as a sentence; a screen reader reads it too
	Height      int    // in pixels at a width of 900; default 280
	X, Y        Axis
	Lines       []Line
	Bars        []Bar
	Bands       []Band
	Marks       []Mark
	Hints       []Hint
	Description string // additional text for a screen reader
}

// Line is a line through points. A NaN interrupts it.
type Line struct {
	Name   string // shown at the end of the line
	Style  int    // colour and dashes, 0 to 5
	Points []Point
	Steps  bool // each value holds until the next point
}

// Point is a point in the units of the axes.
type Point struct{ X, Y float64 }

// Bar is a bar on the X axis.
type Bar struct {
	From, To, Height float64
	Style            int
}

// Band is a named range of the X axis, such as a stage of a schedule.
type Band struct {
	From, To float64
	Name     string
}

// Mark is a horizontal line with a name, such as a limit.
type Mark struct {
	Y    float64
	Name string
}

// Hint is a text that is shown when a pointer rests on a range of the X axis.
type Hint struct {
	From, To float64
	Text     string
}

const (
	width, left, right, top, bottom = 900, 62, 112, 26, 38
	labelHeight                     = 15 // minimum vertical distance between names at the ends of lines
	minimumBand                     = 30 // minimum width of a band that shows its name, if the name fits
	letterWidth                     = 6.5
)

// Px is a coordinate in pixels. It is written with one decimal.
type Px float64

func (p Px) String() string { return strconv.FormatFloat(float64(p), 'f', 1, 64) }

// Drawing is a chart in coordinates, for the template.
type Drawing struct {
	Title, Description       string
	Width, Height            int
	Left, Right, Top, Bottom Px // edges of the plot
	XLabel, YLabel           string
	XTicks, YTicks, Marks    []Text
	Bands, Bars, Hints       []Rect
	Lines                    []Path
	Names                    []Name
}

// Text is a text at a position.
type Text struct {
	X, Y Px
	Text string
}

// Rect is a rectangle with a text.
type Rect struct {
	X, Y, Width, Height Px
	Text                string
	Style               int
}

// Center returns the X coordinate of its middle.
func (r Rect) Center() Px { return r.X + r.Width/2 }

// Path is the path of a line.
type Path struct {
	Data  string
	Style int
}

// Name is the name of a line, beside its end. Y is its position without overlap; LineY is
// where the line ends.
type Name struct {
	Text            string
	Y, LineX, LineY Px
	Style           int
}

// Draw computes the layout of the chart.
func (c Chart) Draw() Drawing {
	height := c.Height
	if height == 0 {
		height = 280
	}
	d := Drawing{
		Title: c.Title, Description: c.Description, Width: width, Height: height, XLabel: c.X.label, YLabel: c.Y.label,
		Left: left, Right: width - right, Top: top, Bottom: Px(height - bottom),
	}
	x := func(v float64) Px { return d.Left + Px(c.X.place(v))*(d.Right-d.Left) }
	y := func(v float64) Px { return d.Bottom - Px(c.Y.place(v))*(d.Bottom-d.Top) }
	for _, t := range c.X.ticks {
		d.XTicks = append(d.XTicks, Text{x(t.value), d.Bottom, t.label})
	}
	for _, t := range c.Y.ticks {
		d.YTicks = append(d.YTicks, Text{d.Left, y(t.value), t.label})
	}
	for _, m := range c.Marks {
		d.Marks = append(d.Marks, Text{d.Right, y(m.Y), m.Name})
	}
	for _, l := range c.Lines {
		d.Lines = append(d.Lines, Path{l.path(x, y), l.Style})
		if at := l.last(); at >= 0 && l.Name != "" {
			end := y(l.Points[at].Y)
			d.Names = append(d.Names, Name{l.Name, end, x(l.Points[at].X), end, l.Style})
		}
	}
	spread(d.Names, d.Top, d.Bottom)
	c.drawRects(&d, x, y)
	return d
}

func (c Chart) drawRects(d *Drawing, x, y func(float64) Px) {
	column := func(from, to float64) Rect {
		return Rect{X: x(from), Y: d.Top, Width: max(1, x(to)-x(from)), Height: d.Bottom - d.Top}
	}
	for i, b := range c.Bands {
		rect := column(b.From, b.To)
		rect.Style = i % 2
		if rect.Width >= minimumBand && rect.Width >= letterWidth*Px(len(b.Name)) {
			rect.Text = b.Name
		}
		d.Bands = append(d.Bands, rect)
	}
	for _, b := range c.Bars {
		rect := column(b.From, b.To)
		rect.Y, rect.Height, rect.Style = y(b.Height), d.Bottom-y(b.Height), b.Style
		d.Bars = append(d.Bars, rect)
	}
	for _, h := range c.Hints {
		rect := column(h.From, h.To)
		rect.Text = h.Text
		d.Hints = append(d.Hints, rect)
	}
}

func (l Line) last() int {
	for i, p := range slices.Backward(l.Points) {
		if !math.IsNaN(p.Y) {
			return i
		}
	}
	return -1
}

// path returns the line as an SVG path. A single point between gaps becomes a dot.
func (l Line) path(x, y func(float64) Px) string {
	var b strings.Builder
	broken := true
	for i, p := range l.Points {
		switch {
		case math.IsNaN(p.Y):
			broken = true
			continue
		case broken:
			fmt.Fprintf(&b, "M%v %v", x(p.X), y(p.Y))
			if last := i+1 == len(l.Points) || math.IsNaN(l.Points[i+1].Y); last {
				b.WriteString("h0.1")
			}
		case l.Steps:
			fmt.Fprintf(&b, "H%vV%v", x(p.X), y(p.Y))
		default:
			fmt.Fprintf(&b, "L%v %v", x(p.X), y(p.Y))
		}
		broken = false
	}
	return b.String()
}

// spread moves names apart so that they do not overlap. It keeps them between upper and lower.
func spread(names []Name, upper, lower Px) {
	slices.SortStableFunc(names, func(a, b Name) int { return cmp.Compare(a.LineY, b.LineY) })
	floor := upper
	for i := range names {
		names[i].Y = max(names[i].Y, floor)
		floor = names[i].Y + labelHeight
	}
	ceiling := lower
	for i := len(names) - 1; i >= 0; i-- {
		names[i].Y = min(names[i].Y, ceiling)
		ceiling = names[i].Y - labelHeight
	}
}

// Slant returns how far the name is below the end of the line.
func (n Name) Slant() Px { return n.Y - n.LineY }
