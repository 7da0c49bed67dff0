package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"firedrill/chaos/run"
)

// Dimensions of the timeline in pixels; its width is 1000.
const (
	left       = 230.0 // names of lanes are to the left of it
	right      = 970.0
	laneHeight = 24.0
	barHeight  = 14.0
	plotHeight = 62.0
	mostLines  = 6 // maximum per chart; there are as many line styles
)

// timeline is a drill on one time axis, laid out for the template.
type timeline struct {
	Height     float64
	Left       float64
	Right      float64
	Bottom     float64
	Bands      []box // phases
	Ticks      []mark
	Names      []mark // names of lanes
	Rules      []float64
	Bars       []box
	Marks      []mark
	Lines      []path
	Legends    []mark
	ScaleTicks []mark

	start  time.Time
	length time.Duration
	y      float64
}

type box struct {
	X, Y, W, H  float64
	Class, Text string // Text is shown in a band, or as a tooltip
}

// Centre returns the X coordinate of the centre of the box, for its text.
func (b box) Centre() float64 { return b.X + b.W/2 }

type mark struct {
	X, Y        float64
	Class, Text string
}

type path struct{ Data, Class string }

// newTimeline lays out load, faults, alerts, sights and charts below each other.
func newTimeline(j *run.Journal) *timeline {
	t := &timeline{Left: left, Right: right, start: j.Start, length: max(j.End.Sub(j.Start), time.Second), y: 40}
	if j.Load.Profile != "" {
		t.lane("load")
		t.bar(j.Load.Began, j.Load.Ended, "load", j.Load.String())
	}
	for _, f := range j.Faults {
		t.lane(f.String())
		t.bar(f.Began, f.Ended, "fault", fmt.Sprintf("%s, %s", f, short(f.Ended.Sub(f.Began))))
	}
	for _, a := range byFirst(j.Alerts) {
		t.alert(j, a)
	}
	for _, g := range slices.Concat(j.Blind, j.Deaf) {
		t.lane("not observable")
		t.bar(g.From, g.To, "blind", g.Why)
	}
	t.sights(j)
	for _, c := range j.Charts {
		t.chart(c)
	}
	t.Bottom, t.Height = t.y, t.y+34
	t.axis(j)
	return t
}

// x returns the position of a time, within the drill.
func (t *timeline) x(at time.Time) float64 {
	share := at.Sub(t.start).Seconds() / t.length.Seconds()
	return left + (right-left)*min(1, max(0, share))
}

// lane adds a lane.
func (t *timeline) lane(name string) {
	t.Rules = append(t.Rules, t.y)
	t.Names = append(t.Names, mark{left - 10, t.y + laneHeight/2 + 4, "", shorten(name)})
	t.y += laneHeight
}

// shorten shortens a name so that it fits to the left of the lanes.
func shorten(name string) string {
	const most = 33
	if letters := []rune(name); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return name
}

// bar adds a bar to the last lane. It draws nothing for a time that has not begun; one
// without an end reaches to the end of the drill.
func (t *timeline) bar(from, to time.Time, class, text string) {
	if from.IsZero() {
		return
	}
	if to.IsZero() {
		to = t.start.Add(t.length)
	}
	x := t.x(from)
	t.Bars = append(t.Bars, box{x, t.y - laneHeight + (laneHeight-barHeight)/2, max(1.5, t.x(to)-x), barHeight, class, text})
}

func (t *timeline) mark(at time.Time, class, text string) {
	if !at.IsZero() {
		t.Marks = append(t.Marks, mark{t.x(at), t.y - laneHeight/2, class, text})
	}
}

// since returns a time, counted from the beginning of the drill.
func (t *timeline) since(at time.Time) string { return clock(at.Sub(t.start)) }

// alert adds a lane with the states of an alert, its notifications and its prediction.
func (t *timeline) alert(j *run.Journal, a run.AlertRun) {
	name := strings.TrimSpace(a.Labels["alertname"] + " " + a.Labels["severity"])
	t.lane(name)
	class := "ticket"
	if a.Labels["severity"] == "page" {
		class = "page"
	}
	for _, e := range a.Episodes {
		until := e.Firing
		if until.IsZero() {
			until = e.Resolved
		}
		t.bar(e.Pending, until, "pending", name+" pending from "+t.since(e.Pending))
		t.bar(e.Firing, e.Resolved, class, name+" fires from "+t.since(e.Firing))
	}
	t.predicted(j, name)
	for _, at := range a.Told {
		t.mark(at, "told", "notified at "+t.since(at))
	}
	for _, at := range a.ToldOver {
		t.mark(at, "over", "notified that it is over at "+t.since(at))
	}
}

// predicted frames the time in which the alert is predicted to fire.
func (t *timeline) predicted(j *run.Journal, alert string) {
	for _, c := range j.Checks {
		p, began := c.Predicted, j.FaultsBegan()
		if p == nil || !p.Fires || began.IsZero() || !strings.HasPrefix(c.Name, alert) {
			continue
		}
		at := began.Add(time.Duration(p.Detection))
		t.bar(at, at.Add(time.Duration(p.Slack)), "predicted", "predicted to fire at "+t.since(at))
		frame := &t.Bars[len(t.Bars)-1]
		frame.Y, frame.H = frame.Y-3, frame.H+6
	}
}

// sights adds a lane with when each signal showed the fault.
func (t *timeline) sights(j *run.Journal) {
	for _, s := range j.Sights {
		t.lane(string(s.Signal) + ": " + s.Name)
		t.mark(s.Seen, "seen", fmt.Sprintf("%s seen at %s", s.Name, t.since(s.Seen)))
	}
}

// chart adds a lane with lines. The names of the lines are below its title.
func (t *timeline) chart(c run.Chart) {
	t.Rules = append(t.Rules, t.y)
	t.Legends = append(t.Legends, mark{left + 4, t.y + 14, "title", c.Title})
	lines, flat := telling(c.Lines)
	top := t.legend(c, lines, flat, t.y+28) + 8
	if t.y = top; len(lines) == 0 {
		return
	}
	bottom := top + plotHeight
	t.y = bottom + 8
	low, high := bounds(lines)
	for i, line := range lines {
		t.Lines = append(t.Lines, path{t.trace(line, func(v float64) float64 { return bottom - plotHeight*(v-low)/(high-low) }), fmt.Sprintf("line%d", i)})
	}
	t.ScaleTicks = append(t.ScaleTicks, mark{left - 10, top + 4, "", quantity(high, c.Unit)}, mark{left - 10, bottom + 4, "", quantity(low, c.Unit)})
}

// legend adds the names of the lines, in as many rows as needed. It returns the position of
// the last row.
func (t *timeline) legend(c run.Chart, lines []run.Line, flat int, y float64) float64 {
	x := left + 4
	add := func(class, text string) {
		const letter, gap, row = 6.6, 16, 15
		needs := letter*float64(len([]rune(text))) + gap
		if x > left+4 && x+needs > right+gap {
			x, y = left+4, y+row
		}
		t.Legends = append(t.Legends, mark{x, y, class, text})
		x += needs
	}
	for i, line := range lines {
		add(fmt.Sprintf("name%d", i), line.Name)
	}
	switch {
	case c.Error != "":
		add("soft", "no data: "+c.Error)
	case len(lines) == 0:
		add("soft", "nothing changed")
	case flat > 0:
		add("soft", fmt.Sprintf("%d more that hardly changed", flat))
	}
	return y
}

// telling returns the lines that changed most, and the number of others.
func telling(all []run.Line) (lines []run.Line, flat int) {
	most := 0.0
	for _, l := range all {
		if len(l.Points) > 1 {
			most = max(most, spread(l))
		}
	}
	for _, l := range all {
		if len(l.Points) > 1 && most > 0 && spread(l) > most/200 {
			lines = append(lines, l)
		}
	}
	slices.SortStableFunc(lines, func(a, b run.Line) int { return cmp.Compare(spread(b), spread(a)) })
	lines = lines[:min(len(lines), mostLines)]
	return lines, len(all) - len(lines)
}

// spread returns the range from the lowest to the highest value of a line.
func spread(l run.Line) float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range l.Points {
		low, high = min(low, p.Value), max(high, p.Value)
	}
	return high - low
}

// bounds returns the range of an axis that contains 0 and is not empty.
func bounds(lines []run.Line) (low, high float64) {
	for _, l := range lines {
		for _, p := range l.Points {
			low, high = min(low, p.Value), max(high, p.Value)
		}
	}
	if high == low {
		high = low + 1
	}
	return low, high
}

// trace returns a line as an SVG path. It is interrupted where there was no data for a
// while.
func (t *timeline) trace(l run.Line, y func(float64) float64) string {
	var b strings.Builder
	for i, p := range l.Points {
		verb := "L"
		if i == 0 || p.At.Sub(l.Points[i-1].At) > max(10*time.Second, t.length/40) {
			verb = "M"
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", verb, t.x(p.At), y(p.Value))
	}
	return b.String()
}

// quantity returns a value for an axis.
func quantity(v float64, unit string) string {
	if unit == "%" {
		return fmt.Sprintf("%.3g %%", v*100)
	}
	return strings.TrimSpace(fmt.Sprintf("%.3g %s", v, unit))
}

// axis draws the phases and the time, from top to bottom.
func (t *timeline) axis(j *run.Journal) {
	for i, p := range j.Phases {
		x := t.x(p.From)
		name := string(p.Name)
		if w := t.x(p.To) - x; w < 6*float64(len(name)) {
			name = "" // no space for the name
		}
		t.Bands = append(t.Bands, box{x, 22, t.x(p.To) - x, t.y - 22, fmt.Sprintf("band%d", i%2), name})
	}
	step := tickStep(t.length)
	for d := time.Duration(0); d <= t.length; d += step {
		t.Ticks = append(t.Ticks, mark{t.x(t.start.Add(d)), t.y, "", clock(d)})
	}
}

// tickStep returns a round step, of which about ten make the whole.
func tickStep(length time.Duration) time.Duration {
	for _, seconds := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800} {
		if length.Seconds() <= 12*seconds {
			return time.Duration(seconds * float64(time.Second))
		}
	}
	return (length / 12).Truncate(time.Hour) + time.Hour
}
