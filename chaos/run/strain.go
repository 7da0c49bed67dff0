package run

import (
	"context"
	"slices"
	"time"

	"firedrill/chaos/drill"
)

// witnessed is the minimum time for which the machine is measured before a drill is
// refused, so that a refusal is not caused by the machine.
const witnessed = 5 * time.Second

// watchMachine measures from beginning to end how late the machine serves each need.
func (r *run) watchMachine(ctx context.Context) {
	if r.Witness == nil {
		return
	}
	r.every(ctx, r.poll, func(ask context.Context) {
		for need, late := range r.Witness.Late(ask) {
			if ask.Err() == nil {
				r.rec.noteLateness(need, late)
			}
		}
	})
}

// noteLateness notes how late the machine serves a need now.
func (r *record) noteLateness(n drill.Need, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.takes, n) {
		return
	}
	now := time.Now()
	fine := !r.strained(n, now)
	r.j.Machine.add(n, d, now.Add(-max(d, r.poll)), now)
	if strained, _ := limits(n); fine && d >= strained {
		r.emit(Event{Kind: EventProblem, State: StateMachine, Text: "this machine does not keep up: " + latenessText(n, d)})
	}
}

// strained reports whether a need was served too late within the last ten seconds. The
// lock is held.
func (r *record) strained(n drill.Need, now time.Time) bool {
	total, _ := r.j.Machine.short([]drill.Need{n}, now.Add(-10*time.Second), now, false)
	return total > 0
}

// keptUp returns a sentence if the machine fell short since a time by enough to
// explain why a drill cannot begin; "" if it did not.
func (r *record) keptUp(since time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	// NeedRules is left out, because rules are also not evaluated if Prometheus is broken.
	return r.j.Machine.explains(evidence{needs: []drill.Need{drill.NeedProcessor, drill.NeedScrapes}, from: since, to: time.Now()})
}
