package journey

import (
	"fmt"
	"regexp"
	"strconv"
)

// Variables of every template. The others come from data and from answers.
const (
	VarSeq  = "seq"  // the arrival's number in the schedule
	VarRun  = "run"  // the run's id: another one each time
	VarUUID = "uuid" // a UUID that is new at each use, in each run
)

// Names maps the names of variables to their places in a walker's memory.
type Names map[string]int

// places of the variables that no memory holds.
const (
	placeSeq = -1 - iota
	placeRun
	placeUUID
)

// Template is text with ${variables} in it.
type Template struct {
	parts []part
}

// part is either text or a variable.
type part struct {
	text     []byte
	variable bool
	place    int
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// Compile reads a template whose variables must be among names.
func Compile(text string, names Names) (Template, error) {
	var t Template
	rest := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(text, -1) {
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

// places are those of the variables in memory that the template needs.
func (t Template) places() (all []int) {
	for _, p := range t.parts {
		if p.variable && p.place >= 0 {
			all = append(all, p.place)
		}
	}
	return all
}

// fill returns the text with the walker's values in it, in the walker's arena. A
// template without variables is returned as it is: the caller must not write to it.
func (t Template) fill(w *Walker) []byte {
	switch {
	case len(t.parts) == 0:
		return nil
	case len(t.parts) == 1 && !t.parts[0].variable:
		return t.parts[0].text
	}
	begin := len(w.arena)
	for _, p := range t.parts {
		switch {
		case !p.variable:
			w.arena = append(w.arena, p.text...)
		case p.place == placeSeq:
			w.arena = strconv.AppendUint(w.arena, w.arrival.Number, 10)
		case p.place == placeRun:
			w.arena = append(w.arena, w.plan.Run.String()...)
		case p.place == placeUUID:
			w.arena = w.appendUUID(w.arena)
		default:
			w.arena = append(w.arena, w.memory[p.place]...)
		}
	}
	return w.arena[begin:]
}
