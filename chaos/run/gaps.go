package run

import (
	"errors"
	"time"
)

// gaps collects the times without an answer. The zero value collects nothing until
// begin or the first note.
type gaps struct {
	last time.Time // something was known until then
	open bool
	all  []Gap
}

// begin starts collecting: an answer is expected from now on.
func (g *gaps) begin(now time.Time) { g.last = now }

// note takes an answer, or the error in place of one.
func (g *gaps) note(now time.Time, err error) {
	switch {
	case g.last.IsZero():
		g.last = now
	case err == nil:
		g.open, g.last = false, now
	case g.open:
		last := &g.all[len(g.all)-1]
		last.To, last.Empty = now, last.Empty && errors.Is(err, ErrNoData)
	default:
		g.open = true
		g.all = append(g.all, Gap{g.last, now, err.Error(), errors.Is(err, ErrNoData)})
	}
}

// now returns how long there has been no answer; 0 if the last one came.
func (g *gaps) now() time.Duration {
	if !g.open {
		return 0
	}
	return g.all[len(g.all)-1].Length()
}

// longest returns the longest of some gaps; the zero Gap if there is none.
func longest(all []Gap) Gap {
	var most Gap
	for _, g := range all {
		if g.Length() > most.Length() {
			most = g
		}
	}
	return most
}
