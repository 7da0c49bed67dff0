package verify

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"firedrill/internal/wait"
)

// State is what is known of a cell.
type State string

// The states of a cell.
const (
	Waiting State = "waiting"
	OK      State = "ok"
	Missing State = "missing"
)

// Cell is one thing that must hold.
type Cell struct {
	Group  string `json:"group"`
	Row    string `json:"row"`
	Column string `json:"column"`
	State  State  `json:"state"`
	Asked  string `json:"asked"` // backend and query
	Got    string `json:"got"`   // what came back, or why nothing was asked
	// Refuted is whether what came back is wrong however slow the machine is.
	Refuted bool    `json:"refuted,omitempty"`
	Seconds float64 `json:"seconds"` // since the run began, when it was decided
}

// Name is how people call the cell.
func (c Cell) Name() string { return c.Group + " / " + c.Row + " / " + c.Column }

// Report is what a run found.
type Report struct {
	OK      bool    `json:"ok"`
	Run     string  `json:"run"`                   // in the user agent of all its requests
	Order   string  `json:"order_trace,omitempty"` // id of the trace of its order
	Seconds float64 `json:"seconds"`
	Cells   []Cell  `json:"cells"`
	// Machine is what the machine did meanwhile; nil if nobody watched it.
	Machine *Machine `json:"machine,omitempty"`
}

// Machine is whether the machine kept up during a run.
type Machine struct {
	Asked         float64 `json:"asked_seconds"`      // for how long backends were asked
	Slowest       float64 `json:"slowest_seconds"`    // of that, until the last cell that holds was found to hold
	StrainedShare float64 `json:"strained_share"`     // of the time, 0 to 1
	WorstWait     float64 `json:"worst_wait_seconds"` // of work for a processor
}

// mostStrained is the share of the time for which the machine may fall short before cells that are missing prove nothing.
const mostStrained = 0.25

// longEnough is how many times longer than for the slowest cell that holds one must have asked for those that do not, to know
// that they are not only late.
const longEnough = 3

// leastAsked is how long one must have asked for that to say anything, in seconds.
const leastAsked = 30

// lateOnly tells whether cells that are missing may only be late.
func (m Machine) lateOnly() bool {
	return m.Asked < max(leastAsked, longEnough*m.Slowest)
}

// Inconclusive returns why cells that are missing prove nothing about the deployment: the machine did not keep up. It is ""
// if all hold, if one is refuted, if the machine did keep up, and if one has asked so long that what is missing is not late.
func (r Report) Inconclusive() string {
	refuted := func(c Cell) bool { return c.Refuted }
	if r.OK || r.Machine == nil || r.Machine.StrainedShare < mostStrained || !r.Machine.lateOnly() || slices.ContainsFunc(r.Missing(), refuted) {
		return ""
	}
	return fmt.Sprintf("this machine did not keep up for %.0f %% of the time: work waited up to %v for a processor; close what else runs, "+
		"drive less load, or give it more time (--timeout)", 100*r.Machine.StrainedShare,
		time.Duration(r.Machine.WorstWait*float64(time.Second)).Round(time.Millisecond))
}

// Missing returns the cells that do not hold.
func (r Report) Missing() []Cell {
	return slices.DeleteFunc(slices.Clone(r.Cells), func(c Cell) bool { return c.State == OK })
}

// check finds out whether one cell holds.
type check struct {
	group, row, column string
	ask                func(context.Context, *run) finding
}

// finding is what was asked, what came back, and whether it shows what must
// hold. One that is final will not change by asking again.
type finding struct {
	asked, got string
	ok, final  bool
	refuted    bool // wrong however slow the machine is
}

func holds(asked, format string, args ...any) finding {
	return finding{asked: asked, got: fmt.Sprintf(format, args...), ok: true}
}

func lacks(asked, format string, args ...any) finding {
	return finding{asked: asked, got: fmt.Sprintf(format, args...)}
}

// moot is for what cannot be asked because something before it failed.
func moot(format string, args ...any) finding {
	return finding{asked: "nothing", got: fmt.Sprintf(format, args...), final: true}
}

// board keeps the cells and tells an observer of each change.
type board struct {
	mu      sync.Mutex
	began   time.Time
	stage   string
	cells   []Cell
	observe Observer
}

func newBoard(checks []check, observe Observer) *board {
	b := &board{began: time.Now(), observe: observe}
	for _, c := range checks {
		b.cells = append(b.cells, Cell{Group: c.group, Row: c.row, Column: c.column, State: Waiting})
	}
	return b
}

func (b *board) show(stage string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stage = stage
	b.observe(b.stage, b.cells)
}

// note keeps the latest finding of a check. One that was cut short says less
// than any before it.
func (b *board) note(c check, f finding, cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cell := b.cell(c)
	if cut && cell.Got != "" {
		return
	}
	cell.Asked, cell.Got, cell.Refuted = f.asked, f.got, f.refuted
	if !cut && (f.ok || f.final) {
		b.decide(cell, f.ok)
	}
}

// giveUp decides the check by what it found last.
func (b *board) giveUp(c check, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cell := b.cell(c)
	if cell.Got == "" {
		cell.Got = fmt.Sprintf("no answer: %v", why)
	}
	b.decide(cell, false)
}

func (b *board) decide(cell *Cell, ok bool) {
	cell.State = Missing
	if ok {
		cell.State = OK
	}
	cell.Seconds = time.Since(b.began).Seconds()
	b.observe(b.stage, b.cells)
}

func (b *board) cell(c check) *Cell {
	i := slices.IndexFunc(b.cells, func(x Cell) bool {
		return x.Group == c.group && x.Row == c.row && x.Column == c.column
	})
	return &b.cells[i] // the board was made of all checks
}

// ask asks for all checks, round by round, until each is decided or ctx ends.
func (r *run) ask(ctx context.Context, pending []check) {
	for len(pending) > 0 {
		open := make([]bool, len(pending))
		group := new(errgroup.Group)
		group.SetLimit(atOnce)
		for i, c := range pending {
			group.Go(func() error {
				open[i] = r.askOnce(ctx, c)
				return nil
			})
		}
		_ = group.Wait() // no check returns an error
		var next []check
		for i, c := range pending {
			if open[i] {
				next = append(next, c)
			}
		}
		pending = next
		if len(pending) > 0 && !wait.Sleep(ctx, pause) {
			break
		}
		r.again(ctx, pending)
	}
	for _, c := range pending {
		r.board.giveUp(c, context.Cause(ctx))
	}
}

// askOnce tells whether the check is worth asking again.
func (r *run) askOnce(ctx context.Context, c check) bool {
	if ctx.Err() != nil {
		return true
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f := c.ask(within, r)
	cut := !f.ok && ctx.Err() != nil
	r.board.note(c, f, cut)
	return !f.ok && (cut || !f.final)
}

// asked notes for how long backends were asked since a time, in seconds since the run began.
func (m *Machine) asked(r Report, since float64) {
	m.Asked = max(0, r.Seconds-since)
	for _, c := range r.Cells {
		if c.State == OK {
			m.Slowest = max(m.Slowest, c.Seconds-since)
		}
	}
}

func (r *run) report() Report {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	report := Report{Run: r.id, Seconds: time.Since(r.began).Seconds(), Cells: slices.Clone(r.board.cells)}
	report.OK = len(report.Missing()) == 0
	if order, ok := r.answered(stepOrder); ok {
		report.Order = order.traceID
	}
	if r.cfg.Witness != nil {
		worst := r.cfg.Witness.Worst(r.began)
		report.Machine = &Machine{StrainedShare: r.cfg.Witness.StrainedShare(r.began), WorstWait: worst.Wait().Seconds()}
		report.Machine.asked(report, r.asking.Sub(r.began).Seconds())
	}
	return report
}
