package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"firedrill/chaos/run"
)

// Live shows a drill's timeline while it runs: a line for each event, and on a
// terminal a last line with the time, the phase and the number of alerts that fire.
// It is safe for concurrent use.
type Live struct {
	w        io.Writer
	shows    Display
	terminal bool
	done     chan struct{}
	closed   sync.WaitGroup

	mu            sync.Mutex
	start         time.Time
	phase         string
	phaseFrom     time.Time
	faults, fires int
}

// Display says how a drill may be shown while it runs.
type Display struct {
	// Name is what the drill is called.
	Name string
	// Secret keeps back everything that tells what is broken, until the drill is over.
	Secret bool
}

// NewLive returns a timeline on w, drawn as on a terminal when w is one. Close it when
// the drill is over.
func NewLive(w io.Writer, shows Display) *Live {
	f, isFile := w.(*os.File)
	terminal := isFile && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	l := &Live{w: w, shows: shows, terminal: terminal, done: make(chan struct{})}
	if terminal {
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
	fmt.Fprintln(l.w, l.clear()+l.paint(e, strings.TrimRight(line, " ")))
	l.status(e.At)
}

// count follows the phase, the faults that are on and the alerts that fire.
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

// givesAway reports whether events of a kind tell what is broken.
func givesAway(kind run.EventKind) bool {
	switch kind {
	case run.EventAlert, run.EventNotification, run.EventLoad:
		return false // what anybody on call would see
	default:
		return true
	}
}

// Close clears the last line and stops drawing.
func (l *Live) Close() {
	close(l.done)
	l.closed.Wait()
	fmt.Fprint(l.w, l.clear())
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
	if !l.terminal || l.start.IsZero() {
		return
	}
	text := fmt.Sprintf("%s  %d firing", clock(now.Sub(l.start)), l.fires)
	if !l.shows.Secret {
		text += fmt.Sprintf("  %d faults on  %s for %s", l.faults, l.phase, short(now.Sub(l.phaseFrom)))
	}
	fmt.Fprint(l.w, l.clear()+"\x1b[2m"+text+"\x1b[0m")
}

// clear returns what clears the last line.
func (l *Live) clear() string {
	if !l.terminal {
		return ""
	}
	return "\r\x1b[K"
}

// paint returns a line in the colour of its event.
func (l *Live) paint(e run.Event, line string) string {
	colour := ""
	switch {
	case !l.terminal:
	case e.Kind == run.EventPhase:
		colour = "1"
	case e.Kind == run.EventAlert && e.State == run.StateFiring, e.Kind == run.EventProblem, e.State == run.StateBroken, e.State == run.EventState(run.Fail):
		colour = "31"
	case e.Kind == run.EventFault:
		colour = "35"
	case e.State == run.StateResolved, e.Kind == run.EventSeen, e.State == run.EventState(run.Pass):
		colour = "32"
	}
	if colour == "" {
		return line
	}
	return "\x1b[" + colour + "m" + line + "\x1b[0m"
}

// clock returns a time since the beginning as "01:23".
func clock(d time.Duration) string {
	seconds := int(d.Seconds())
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
