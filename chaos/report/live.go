package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"firedrill/chaos"
	"firedrill/internal/term"
)

// Live shows a drill's timeline while it runs: a line an event, and on a terminal a
// last line that says how things stand. It is safe for concurrent use.
type Live struct {
	display *term.Display
	mystery bool
	done    chan struct{}
	closed  sync.WaitGroup

	mu            sync.Mutex
	start         time.Time
	phase         string
	phaseFrom     time.Time
	faults, fires int
}

// NewLive shows on w, as on a terminal when w is one. A mystery is shown without
// what gives it away. Close it when the drill is over.
func NewLive(w io.Writer, mystery bool) *Live {
	l := &Live{display: term.New(w, os.Getenv), mystery: mystery, done: make(chan struct{})}
	if l.display.InPlace() {
		l.closed.Go(l.tick)
	}
	return l
}

// Observe shows an event.
func (l *Live) Observe(e chaos.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.start.IsZero() {
		l.start = e.At
	}
	switch string(e.Kind) + " " + e.State {
	case string(chaos.EventPhase) + " began":
		l.phase, l.phaseFrom = e.Text, e.At
	case string(chaos.EventFault) + " began":
		l.faults++
	case string(chaos.EventFault) + " ended":
		l.faults--
	case string(chaos.EventAlert) + " firing":
		l.fires++
	case string(chaos.EventAlert) + " resolved":
		l.fires--
	}
	if l.mystery && secret(e.Kind) {
		return
	}
	line := fmt.Sprintf("%s  %-12s  %-14s  %s", clock(e.At.Sub(l.start)), e.Kind, e.State, e.Text)
	_ = l.display.Print(l.paint(e, strings.TrimRight(line, " "))) // a drill goes on when nobody can watch it
	l.status(e.At)
}

// secret is whether events of a kind give a mystery away.
func secret(kind chaos.EventKind) bool {
	switch kind {
	case chaos.EventAlert, chaos.EventNotification, chaos.EventLoad:
		return false // what anybody on call would see
	default:
		return true
	}
}

// Close leaves the terminal as a program finds it.
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
	if !l.mystery {
		text += fmt.Sprintf("  %d faults on  %s for %s", l.faults, l.phase, short(now.Sub(l.phaseFrom)))
	}
	_ = l.display.Line(text)
}

// paint colours what matters most.
func (l *Live) paint(e chaos.Event, line string) string {
	var style term.Style
	switch {
	case e.Kind == chaos.EventPhase:
		style = term.Bold
	case e.Kind == chaos.EventAlert && e.State == "firing", e.Kind == chaos.EventProblem, e.State == "broken", e.State == string(chaos.Fail):
		style = term.Red
	case e.Kind == chaos.EventFault:
		style = term.Magenta
	case e.State == "resolved", e.Kind == chaos.EventSeen, e.State == string(chaos.Pass):
		style = term.Green
	}
	return l.display.Paint(style, line)
}

// clock writes a time since the beginning: "01:23".
func clock(d time.Duration) string {
	seconds := int(d.Seconds())
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
