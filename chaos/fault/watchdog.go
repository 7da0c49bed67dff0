package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"firedrill/chaos/drill"
	"firedrill/internal/proc"
)

// order is a message to a watchdog, and answer its reply. Each is one line of JSON.
type (
	order struct {
		Do    string        `json:"do"` // doBegin (once, as the first order), doRenew, or doEnd (the last)
		ID    string        `json:"id,omitempty"`
		Fault drill.Fault   `json:"fault,omitzero"`
		Lease time.Duration `json:"lease,omitempty"`
	}
	answer struct {
		Do    string `json:"do"` // the order that it answers
		Error string `json:"error,omitempty"`
	}
)

const (
	doBegin = "begin"
	doRenew = "renew"
	doEnd   = "end"
)

// Watchdog inflicts one fault on a process and undoes it: on the order to end, when the
// lease ends, when in ends because the runner has ended, or when ctx ends. While the fault
// lasts, the folder dir has a note of how to undo it.
//
// It must run in a separate process and session, so that what kills the runner does not
// kill it.
func Watchdog(ctx context.Context, in io.Reader, out io.Writer, dir string, p Processes) error {
	g := &watchdog{orders: read(in), out: json.NewEncoder(out), dir: dir, processes: p}
	first, ok := <-g.orders
	if !ok || first.Do != doBegin {
		return fmt.Errorf("start the watchdog of a fault: the first order is %q, not %q", first.Do, doBegin)
	}
	err := g.begin(ctx, first)
	g.answer(doBegin, err)
	if err != nil {
		return err
	}
	ended := g.watch(ctx, first.Lease)
	err = g.end(context.WithoutCancel(ctx))
	if ended {
		g.answer(doEnd, err)
	}
	return err
}

type watchdog struct {
	orders    <-chan order
	out       *json.Encoder
	dir       string
	processes Processes

	fault  processFault
	victim *victim
}

// read returns the orders. It closes the channel when in ends or has anything else.
func read(in io.Reader) <-chan order {
	orders := make(chan order)
	go func() {
		defer close(orders)
		for lines := json.NewDecoder(in); ; { // of any length, as the runner writes them
			var o order
			if lines.Decode(&o) != nil {
				return
			}
			orders <- o
		}
	}()
	return orders
}

// answer sends a reply. It ignores errors, because the runner may have ended.
func (g *watchdog) answer(do string, err error) {
	a := answer{Do: do}
	if err != nil {
		a.Error = err.Error()
	}
	_ = g.out.Encode(a)
}

// begin begins the fault. If it fails, nothing of the fault is left.
func (g *watchdog) begin(ctx context.Context, o order) error {
	var err error
	if g.fault, err = newProcessFault(o.Fault); err != nil {
		return err
	}
	n := note{ID: o.ID, Kind: o.Fault.Kind, Target: o.Fault.Target, Params: o.Fault.Params}
	if n.Watchdog, err = proc.Self(); err != nil {
		return err
	}
	g.victim = &victim{Processes: g.processes, note: n, keep: func(n note) error { return n.write(g.dir) }}
	if err := n.write(g.dir); err != nil {
		return err
	}
	if err := g.fault.hit(ctx, g.victim); err != nil {
		return errors.Join(err, g.end(context.WithoutCancel(ctx)))
	}
	return nil
}

// watch waits until the fault must end. ended is true if the runner ordered it and waits
// for an answer.
func (g *watchdog) watch(ctx context.Context, lease time.Duration) (ended bool) {
	end := time.NewTimer(lease)
	defer end.Stop()
	var again <-chan time.Time
	if often := g.fault.often(); often > 0 {
		tick := time.NewTicker(often)
		defer tick.Stop()
		again = tick.C
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-end.C:
			return false
		case o, ok := <-g.orders:
			if !ok || o.Do == doEnd {
				return ok
			}
			end.Reset(o.Lease)
			g.answer(doRenew, nil)
		case <-again:
			// A process that is missing now may be there the next time.
			_ = g.fault.hit(ctx, g.victim)
		}
	}
}

func (g *watchdog) end(ctx context.Context) error {
	if err := g.victim.heal(ctx, g.fault); err != nil {
		return err // keep the note, so that the fault can still be undone
	}
	return g.victim.note.remove(g.dir)
}
