package game

import (
	"errors"
	"fmt"
	"strings"

	"firedrill/apps/fault/kinds"
	"firedrill/chaos/drill"
	"firedrill/chaos/report"
)

// Name is the name that is shown for a drill while players must not know which one it is.
const Name = "mystery"

// Display returns how a mystery may be shown while it runs.
func Display() report.Display { return report.Display{Name: Name, Secret: true} }

// Conceal returns an error with the text of err without the drill's name, so that a drill
// that was refused stays a mystery.
func Conceal(d *drill.Drill, err error) error {
	return errors.New(strings.ReplaceAll(err.Error(), d.Name, Name))
}

// CheckFault returns an error unless name is one of the known kinds of faults, in the sense
// of Same. So a typing error does not count as a wrong guess.
func CheckFault(name string, known []kinds.Kind) error {
	var names []string
	for _, k := range known {
		if Same(name, k.Name) {
			return nil
		}
		names = append(names, k.Name)
	}
	return fmt.Errorf("%q is no fault: there are %s", name, strings.Join(names, ", "))
}

// Right reports whether a guess was right in both parts.
func (r Reply) Right() bool { return r.Service && r.Fault }

// String returns in words which parts of a guess were right.
func (r Reply) String() string {
	switch {
	case r.Right():
		return "Right!"
	case r.Service:
		return "The service is right. The fault is not."
	case r.Fault:
		return "The fault is right. It is elsewhere."
	}
	return "Neither."
}

// Answer returns the answer of the game's drill, and the score.
func (g *Game) Answer(d *drill.Drill) string {
	return fmt.Sprintf("%s: %s in %s. %s\n%s\n(drill %s, seed %d)\n",
		d.Title, d.Answer.Fault, d.Answer.Service, strings.TrimSpace(d.Answer.Because), g.Score(), d.Name, g.Seed)
}
