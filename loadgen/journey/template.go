package journey

import (
	"fmt"
	"regexp"
	"strconv"
)

// Variables of every template. All other variables come from data and from answers.
const (
	VarSeq  = "seq"  // number of the arrival in the schedule
	VarRun  = "run"  // id of the run; different in each run
	VarUUID = "uuid" // a UUID; new at each use and in each run
)

// Names maps names of variables to their places in the memory of a walker.
type Names map[string]int

// Places of the variables that are not in memory.
const (
	placeSeq = -1 - iota
	placeRun
	placeUUID
)

// Template is a text with ${variables}.
type Template struct {
	parts []part
}

// part is either text or a variable.
type part struct {
	text     []byte
	variable bool
	place    int
}

// Placeholder matches a variable in a template.
var Placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// Compile parses a template. All its variables must be in names.
func Compile(text string, names Names) (Template, error) {
	var t Template
	rest := 0
	for _, at := range Placeholder.FindAllStringSubmatchIndex(text, -1) {
		if at[0] > rest {
			t.parts = append(t.parts, part{text: []byte(text[rest:at[0]])})
		}
		place, err := names.find(text[at[2]:at[3]])
		if err != nil {
			return Template{}, err
		}
		t.parts = append(t.parts, part{variable: true, place: place})
		rest = at[1]
	}
	if rest < len(text) {
		t.parts = append(t.parts, part{text: []byte(text[rest:])})
	}
	return t, nil
}

// Literal returns a template without variables.
func Literal(text []byte) Template {
	if len(text) == 0 {
		return Template{}
	}
	return Template{parts: []part{{text: text}}}
}

func (n Names) find(name string) (int, error) {
	switch name {
	case VarSeq:
		return placeSeq, nil
	case VarRun:
		return placeRun, nil
	case VarUUID:
		return placeUUID, nil
	}
	place, ok := n[name]
	if !ok {
		return 0, fmt.Errorf("nothing gives ${%s}: no data of that name, and no step before takes it", name)
	}
	return place, nil
}

// places returns the places in memory of the template's variables.
func (t Template) places() (all []int) {
	for _, p := range t.parts {
		if p.variable && p.place >= 0 {
			all = append(all, p.place)
		}
	}
	return all
}

// fill returns the text with the walker's values, in the walker's arena. For a template
// without variables it returns the template's own bytes, so the caller must not write to
// the result.
func (t Template) fill(w *Walker) []byte {
	switch {
	case len(t.parts) == 0:
		return nil
	case len(t.parts) == 1 && !t.parts[0].variable:
		return t.parts[0].text
	}
	begin := len(w.arena)
	w.arena = t.appendTo(w.arena, w)
	return w.arena[begin:]
}

// appendTo appends the text with the walker's values.
func (t Template) appendTo(dst []byte, w *Walker) []byte {
	for _, p := range t.parts {
		switch {
		case !p.variable:
			dst = append(dst, p.text...)
		case p.place == placeSeq:
			dst = strconv.AppendUint(dst, w.arrival.Number, 10)
		case p.place == placeRun:
			dst = append(dst, w.plan.Run.String()...)
		case p.place == placeUUID:
			dst = w.appendUUID(dst)
		default:
			dst = append(dst, w.memory[p.place]...)
		}
	}
	return dst
}

// fillURL is like fill, for a URL: values of variables are percent-encoded where a URL needs it. A value of a whole URL or of a
// path with a query therefore stays as it is.
func (t Template) fillURL(w *Walker) []byte {
	if len(t.parts) == 1 && !t.parts[0].variable {
		return t.parts[0].text
	}
	begin := len(w.arena)
	for i, p := range t.parts {
		if !p.variable {
			w.arena = append(w.arena, p.text...)
			continue
		}
		at := len(w.arena)
		w.arena = Template{parts: t.parts[i : i+1]}.appendTo(w.arena, w)
		w.arena = encodeFrom(w.arena, at)
	}
	return w.arena[begin:]
}

// encodeFrom percent-encodes buf from at on, where a URL needs it.
func encodeFrom(buf []byte, at int) []byte {
	for _, b := range buf[at:] {
		if b <= ' ' || b >= 0x7f || b == '"' || b == '<' || b == '>' {
			return AppendURL(buf[:at], append([]byte(nil), buf[at:]...))
		}
	}
	return buf
}

// fillHeader is like fill, for the value of a header. Line breaks and NUL in values of variables become spaces, so that a value
// can never begin another header.
func (t Template) fillHeader(w *Walker) []byte {
	value := t.fill(w)
	for i, b := range value {
		if (b == '\r' || b == '\n' || b == 0) && len(t.parts) > 0 {
			value[i] = ' '
		}
	}
	return value
}
