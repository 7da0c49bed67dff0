package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"firedrill/chaos"
)

// Live shows a drill's timeline while it runs: a line an event, and on a terminal a
// last line that says how things stand. It is safe for concurrent use.
type Live struct {
	w        io.Writer
	mystery  bool
	terminal bool
	done     chan struct{}
	closed   sync.WaitGroup

	mu            sync.Mutex
	start         time.Time
	phase         string
	phaseFrom     time.Time
	faults, fires int
}

// NewLive shows on w, as on a terminal when w is one. A mystery is shown without
// what gives it away. Close it when the drill is over.
func NewLive(w io.Writer, mystery bool) *Live {
	f, isFile := w.(*os.File)
	terminal := isFile && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	l := &Live{w: w, mystery: mystery, terminal: terminal, done: make(chan struct{})}
	if terminal {
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
	fmt.Fprintln(l.w, l.clear()+l.paint(e, strings.TrimRight(line, " ")))
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
	if !l.mystery {
		text += fmt.Sprintf("  %d faults on  %s for %s", l.faults, l.phase, short(now.Sub(l.phaseFrom)))
	}
	fmt.Fprint(l.w, l.clear()+"\x1b[2m"+text+"\x1b[0m")
}

// clear takes the last line away.
func (l *Live) clear() string {
	if !l.terminal {
		return ""
	}
	return "\r\x1b[K"
}

// paint colours what matters most.
func (l *Live) paint(e chaos.Event, line string) string {
	colour := ""
	switch {
	case !l.terminal:
	case e.Kind == chaos.EventPhase:
		colour = "1"
	case e.Kind == chaos.EventAlert && e.State == "firing", e.Kind == chaos.EventProblem, e.State == "broken", e.State == string(chaos.Fail):
		colour = "31"
	case e.Kind == chaos.EventFault:
		colour = "35"
	case e.State == "resolved", e.Kind == chaos.EventSeen, e.State == string(chaos.Pass):
		colour = "32"
	}
	if colour == "" {
		return line
	}
	return "\x1b[" + colour + "m" + line + "\x1b[0m"
}

// clock writes a time since the beginning: "01:23".
func clock(d time.Duration) string {
	seconds := int(d.Seconds())
	return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
}
