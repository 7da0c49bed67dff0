// Package term shows the progress of a program: in place on a terminal, as plain lines elsewhere. It must not
// know what it shows.
package term

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

const defaultWidth = 80 // of a terminal with an unknown width

// Display is an output that is drawn again and again. It is not safe for concurrent use.
type Display struct {
	w     io.Writer
	place bool // draws in place
	color bool
	width func() int // columns; called each time, because a window can be resized
	lines int        // number of drawn lines above the cursor
	open  bool       // the cursor is at the end of a drawn line
}

// New returns a display on w. It draws in place if w is a terminal that supports it, and in colour unless
// NO_COLOR is set (https://no-color.org). getenv is usually os.Getenv.
func New(w io.Writer, getenv func(string) string) *Display {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) || getenv("TERM") == "dumb" {
		return &Display{w: w}
	}
	return Terminal(w, getenv("NO_COLOR") == "", func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 {
			return defaultWidth
		}
		return width
	})
}

// Terminal returns a display on a terminal of a given width.
func Terminal(w io.Writer, color bool, width func() int) *Display {
	return &Display{w: w, place: true, color: color, width: width}
}

// InPlace reports whether the display is a terminal on which lines can be redrawn.
func (d *Display) InPlace() bool { return d.place }

// Width returns the columns of the terminal, or 0 if the display is not a terminal.
func (d *Display) Width() int {
	if !d.place {
		return 0
	}
	return d.width()
}

// Line draws a line over the last one and leaves the cursor at its end. It cuts the line to the width, because
// a wrapped line cannot be redrawn. Elsewhere than on a terminal it writes the line and a line feed.
func (d *Display) Line(text string) error {
	if !d.place {
		return d.write(text + "\n")
	}
	d.open = true
	return d.write("\r\x1b[K" + Cut(text, d.width()-1))
}

// Clear removes the line that Line has drawn, so that something else can be written there.
func (d *Display) Clear() error {
	if !d.open {
		return nil
	}
	d.open = false
	return d.write("\r\x1b[K")
}

// Print writes text, followed by a line feed, in place of the line that Line has drawn.
func (d *Display) Print(text string) error {
	if err := d.Clear(); err != nil {
		return err
	}
	return d.write(text + "\n")
}

// Block draws lines over those of the last call. It writes once and does not clear the lines first, so that
// nothing flickers. Elsewhere than on a terminal it writes the lines.
func (d *Display) Block(lines []string) error {
	var b bytes.Buffer
	if !d.place {
		for _, line := range lines {
			b.WriteString(line + "\n")
		}
		return d.write(b.String())
	}
	if d.lines > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", d.lines)
	}
	for _, line := range lines {
		b.WriteString(Cut(line, d.width()-1) + "\x1b[K\n") // clears the rest of a longer line
	}
	b.WriteString("\x1b[J")
	d.lines = len(lines)
	return d.write(b.String())
}

// End keeps what is drawn, so that later output starts below it.
func (d *Display) End() error {
	end := d.open || d.lines > 0
	d.open, d.lines = false, 0
	if !end {
		return nil
	}
	return d.write("\n")
}

func (d *Display) write(text string) error {
	_, err := io.WriteString(d.w, text)
	return err
}

// Style is the look of text on a terminal with colours.
type Style string

// Styles, as ANSI numbers.
const (
	Bold    Style = "1"
	Dim     Style = "2"
	Red     Style = "31"
	Green   Style = "32"
	Magenta Style = "35"
)

// Paint returns text in a style, or unchanged if the display has no colours.
func (d *Display) Paint(style Style, text string) string {
	if !d.color || style == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

// Cut returns text cut to a width in characters, with an ellipsis at the end of a cut text. Escape sequences
// count as text, so cut before painting.
func Cut(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	if width < 1 {
		return ""
	}
	return string(runes[:width-1]) + "…"
}
