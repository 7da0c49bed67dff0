// Package game makes a game of a drill. Players do not know which drill runs. They get
// hints on request and guess the cause, and the score depends on how soon they find it. The
// answer does not leave the package before the game is over.
//
// It must not know how a drill is run.
package game

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/drill"
	"firedrill/chaos/run"
)

// Game is the state of a mystery. It is plain data; a Store keeps it in a file between
// commands.
type Game struct {
	Drill   string    `json:"drill"`
	Seed    uint64    `json:"seed"`
	Scale   float64   `json:"scale"`
	Broken  time.Time `json:"broken,omitzero"` // when the first fault began
	Told    time.Time `json:"told,omitzero"`   // when the first notification of an alert arrived after that
	Hints   int       `json:"hints"`           // number of hints given
	Guesses []Guess   `json:"guesses"`
	Solved  time.Time `json:"solved,omitzero"`
}

// Guess is one guess of a player.
type Guess struct {
	At      time.Time `json:"at"`
	Service string    `json:"service"`
	Fault   string    `json:"fault"`
}

// Errors of moves that are not possible.
var (
	ErrNoHints = errors.New("there are no more hints")
	ErrSolved  = errors.New("it is solved already")
	ErrEarly   = errors.New("nothing is broken yet")
)

// Pick chooses one of the drills that have an answer. The same seed and the same drills
// give the same choice.
func Pick(drills []*drill.Drill, seed uint64) (*drill.Drill, error) {
	fit := slices.DeleteFunc(slices.Clone(drills), func(d *drill.Drill) bool { return d.Answer == nil })
	if len(fit) == 0 {
		return nil, errors.New("pick a mystery: no drill has an answer")
	}
	slices.SortFunc(fit, func(a, b *drill.Drill) int { return strings.Compare(a.Name, b.Name) })
	return fit[rand.New(rand.NewPCG(seed, 0)).IntN(len(fit))], nil
}

// Observe records the times of the drill's events.
func (g *Game) Observe(e run.Event) {
	switch {
	case e.Kind == run.EventFault && e.State == run.StateBegan && g.Broken.IsZero():
		g.Broken = e.At
	case e.Kind == run.EventNotification && e.State == run.StateTold && !g.Broken.IsZero() && g.Told.IsZero():
		g.Told = e.At
	}
}

// Hint returns the next hint and the number of hints left. The error is ErrNoHints if there
// are none left.
func (g *Game) Hint(d *drill.Drill) (text string, left int, err error) {
	if g.Hints >= len(d.Hints) {
		return "", 0, ErrNoHints
	}
	g.Hints++
	return d.Hints[g.Hints-1], len(d.Hints) - g.Hints, nil
}

// Reply says which parts of a guess are right.
type Reply struct{ Service, Fault bool }

// Guess makes a guess. The error is ErrSolved or ErrEarly if it is too late or too early
// for one.
func (g *Game) Guess(d *drill.Drill, service, fault string, now time.Time) (Reply, error) {
	switch {
	case !g.Solved.IsZero():
		return Reply{}, ErrSolved
	case g.Broken.IsZero():
		return Reply{}, ErrEarly
	}
	g.Guesses = append(g.Guesses, Guess{now, service, fault})
	r := Reply{Same(service, d.Answer.Service), Same(fault, d.Answer.Fault)}
	if r.Right() {
		g.Solved = now
	}
	return r, nil
}

// Same reports whether two names are equal except for case and for the use of spaces,
// dashes and underscores. For example, "slow query" is the same as slow_query.
func Same(a, b string) bool {
	plain := strings.NewReplacer("-", "_", " ", "_")
	return strings.EqualFold(plain.Replace(strings.TrimSpace(a)), plain.Replace(b))
}

// Score is the result of a game.
type Score struct {
	Detect   *run.Seconds `json:"detect_seconds,omitempty"`   // from the fault until the first notification; nil: there was none
	Diagnose *run.Seconds `json:"diagnose_seconds,omitempty"` // from the fault until the right guess; nil: there was none
	Hints    int          `json:"hints"`
	Wrong    int          `json:"wrong_guesses"`
	Points   int          `json:"points"`
}

// Points that are deducted from 100.
const (
	perHint   = 15
	perWrong  = 10
	perMinute = 2 // for each minute of diagnosis at DesignScale, rounded up
)

// Score returns the score. It starts at 100 points and deducts 15 for each hint, 10 for
// each wrong guess, and 2 for each minute from the fault to the right guess. Without a
// right guess there are 0 points. At another scale minutes are longer, because the drill is
// longer.
func (g *Game) Score() Score {
	s := Score{Hints: g.Hints, Wrong: len(g.Guesses)}
	if !g.Told.IsZero() {
		s.Detect = since(g.Broken, g.Told)
	}
	if g.Solved.IsZero() {
		return s
	}
	s.Wrong--
	s.Diagnose = since(g.Broken, g.Solved)
	minutes := g.Solved.Sub(g.Broken).Minutes()
	if g.Scale > 0 {
		minutes /= drill.Stretch(g.Scale)
	}
	s.Points = max(0, 100-perHint*s.Hints-perWrong*s.Wrong-perMinute*int(math.Ceil(minutes)))
	return s
}

func since(from, to time.Time) *run.Seconds {
	d := run.Seconds(to.Sub(from))
	return &d
}

// String returns the score in words.
func (s Score) String() string {
	told, found := "nobody was told by an alert", "not found"
	if s.Detect != nil {
		told = "an alert told after " + s.Detect.String()
	}
	if s.Diagnose != nil {
		found = "found after " + s.Diagnose.String()
	}
	return fmt.Sprintf("%d points: %s, the cause was %s, hints used: %d, wrong guesses: %d", s.Points, told, found, s.Hints, s.Wrong)
}
