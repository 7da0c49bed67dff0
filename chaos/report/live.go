package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"firedrill/chaos/run"
	"firedrill/internal/term"
)

// Live shows a drill's timeline while it runs: a line for each event, and on a
// terminal a last line with the time, the phase and the number of alerts that fire.
// It is safe for concurrent use.
type Live struct {
	display *term.Display
	shows   Display
	done    chan struct{}
	closed  sync.WaitGroup

	mu            sync.Mutex
	start         time.Time
	phase         string
	phaseFrom     time.Time
	faults, fires int
}

// Display configures how a drill is shown while it runs.
type Display struct {
	// Name is the name to show for the drill.
	Name string
	// Secret hides everything that reveals the fault until the drill is over.
	Secret bool
}

// NewLive returns a timeline on w. On a terminal it redraws the last line. Close it when
// the drill is over.
func NewLive(w io.Writer, shows Display) *Live {
	l := &Live{display: term.New(w, os.Getenv), shows: shows, done: make(chan struct{})}
	if l.display.InPlace() {
		l.closed.Go(l.tick)
	}
	return l
}

// Observe shows an event of the drill.
func (l *Live) Observe(e run.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.start.IsZero() {
		l.start = e.At
	}
	l.count(e)
	if l.shows.Secret && givesAway(e.Kind) {
		return
	}
	line := fmt.Sprintf("%s  %-12s  %-14s  %s", clock(e.At.Sub(l.start)), e.Kind, e.State, e.Text)
	_ = l.display.Print(l.paint(e, strings.TrimRight(line, " "))) // the drill goes on even if its output fails
	l.status(e.At)
}

// count updates the phase, the number of active faults and the number of firing alerts.
func (l *Live) count(e run.Event) {
	type what struct {
		kind  run.EventKind
		state run.EventState
	}
	switch (what{e.Kind, e.State}) {
	case what{run.EventPhase, run.StateBegan}:
		l.phase, l.phaseFrom = e.Text, e.At
	case what{run.EventFault, run.StateBegan}:
		l.faults++
	case what{run.EventFault, run.StateEnded}:
		l.faults--
	case what{run.EventAlert, run.StateFiring}:
		l.fires++
	case what{run.EventAlert, run.StateResolved}:
		l.fires--
	}
}

// givesAway reports whether events of a kind reveal the fault.
func givesAway(kind run.EventKind) bool {
	switch kind {
	case run.EventAlert, run.EventNotification, run.EventLoad:
		return false // anybody on call can see these
	default:
		return true
	}
}

// Close clears the last line and stops drawing.
func (l *Live) Close() {
	close(l.done)
	l.closed.Wait()
	_ = l.display.Clear()
}

func (l *Live) tick() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case now := <-tick.C:
			l.mu.Lock()
			l.status(now)
			l.mu.Unlock()
		}
	}
}

// status draws the last line.
func (l *Live) status(now time.Time) {
	if !l.display.InPlace() || l.start.IsZero() {
		return
	}
	text := fmt.Sprintf("%s  %d firing", clock(now.Sub(l.start)), l.fires)
	if !l.shows.Secret {
		text += fmt.Sprintf("  %d faults on  %s for %s", l.faults, l.phase, short(now.Sub(l.phaseFrom)))
	}
	_ = l.display.Line(text)
}

// paint returns a line in the colour of its event.
func (l *Live) paint(e run.Event, line string) string {
	var style term.Style
	switch {
	case e.Kind == run.EventPhase:
		style = term.Bold
	case e.Kind == run.EventAlert && e.State == run.StateFiring, e.Kind == run.EventProblem, e.State == run.StateBroken, e.State == run.EventState(run.Fail):
		style = term.Red
	case e.Kind == run.EventFault:
		style = term.Magenta
	case e.State == run.StateResolved, e.Kind == run.EventSeen, e.State == run.EventState(run.Pass):
		style = term.Green
	}
	return l.display.Paint(style, line)
}

// clock returns a time since the beginning as "01:23".
func clock(d time.Duration) string {
	seconds := int(d.Seconds())
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
