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

// State is the state of a cell.
type State string

// States of a cell.
const (
	Waiting State = "waiting"
	OK      State = "ok"
	Missing State = "missing"
)

// Cell is one condition that must hold, with what is known about it.
type Cell struct {
	Group  string `json:"group"`
	Row    string `json:"row"`
	Column string `json:"column"`
	State  State  `json:"state"`
	Asked  string `json:"asked"` // backend and query
	Got    string `json:"got"`   // the answer, or why no query was sent
	// Refuted is true if the answer would be wrong on a slow machine too.
	Refuted bool    `json:"refuted,omitempty"`
	Seconds float64 `json:"seconds"` // from the start of the run until the cell was decided
}

// Name returns the name of the cell for messages: "group / row / column".
func (c Cell) Name() string { return c.Group + " / " + c.Row + " / " + c.Column }

// Report is the result of a run.
type Report struct {
	OK      bool    `json:"ok"`
	Run     string  `json:"run"`                   // part of the user agent of all requests of the run
	Order   string  `json:"order_trace,omitempty"` // trace id of the run's order
	Seconds float64 `json:"seconds"`
	Cells   []Cell  `json:"cells"`
	// Machine tells whether the machine kept up during the run. It is nil without a Witness.
	Machine *Machine `json:"machine,omitempty"`
}

// Machine tells whether the machine kept up during a run.
type Machine struct {
	Asked         float64 `json:"asked_seconds"`      // how long the backends were queried
	Slowest       float64 `json:"slowest_seconds"`    // part of that time until the last cell that holds was decided
	StrainedShare float64 `json:"strained_share"`     // share of the time in which the machine did not keep up, from 0 to 1
	WorstWait     float64 `json:"worst_wait_seconds"` // longest wait of work for a processor
}

// mostStrained is the share of the time, from 0 to 1. If the machine falls short for at least this share,
// missing cells prove nothing.
const mostStrained = 0.25

// longEnough is a factor. Cells are missing and not only late if the backends were queried for at least this
// many times as long as the slowest cell that holds needed.
const longEnough = 3

// leastAsked is the shortest time, in seconds, for which the backends must be queried before missing cells
// prove anything.
const leastAsked = 30

// lateOnly reports whether missing cells may only be late.
func (m Machine) lateOnly() bool {
	return m.Asked < max(leastAsked, longEnough*m.Slowest)
}

// Inconclusive returns why missing cells prove nothing about the deployment: the machine did not keep up. It
// returns "" if all cells hold, if a cell is refuted, if the machine kept up, and if the backends were queried
// for so long that missing cells cannot be only late.
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

// check decides whether one cell holds.
type check struct {
	group, row, column string
	ask                func(context.Context, *run) finding
}

// finding is the result of one query: the query, the answer, and whether the answer shows what must hold. If
// final is set, another query cannot change the result.
type finding struct {
	asked, got string
	ok, final  bool
	refuted    bool // wrong on a slow machine too
}

func holds(asked, format string, args ...any) finding {
	return finding{asked: asked, got: fmt.Sprintf(format, args...), ok: true}
}

func lacks(asked, format string, args ...any) finding {
	return finding{asked: asked, got: fmt.Sprintf(format, args...)}
}

// moot returns the final finding of a check that cannot be made because something before it failed.
func moot(format string, args ...any) finding {
	return finding{asked: "nothing", got: fmt.Sprintf(format, args...), final: true}
}

// board holds the cells and calls an observer on each change.
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

// note stores the latest finding of a check. A query that was cut short never replaces an earlier finding.
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

// giveUp decides a check by its last finding.
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
	return &b.cells[i] // exists: the board was made from all checks
}

// ask makes all checks, round by round, until each is decided or ctx ends.
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

// askOnce makes one check and reports whether it must be made again.
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

// asked sets for how long the backends were queried. since is when the queries began, in seconds after the
// start of the run.
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
