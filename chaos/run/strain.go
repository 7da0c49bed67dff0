package run

import (
	"context"
	"slices"
	"time"

	"firedrill/chaos/drill"
)

// witnessed is how long the machine is watched at least before a drill is refused: what looks wrong at first sight may be
// the machine's doing.
const witnessed = 5 * time.Second

// watchMachine notes how late the machine gives what evidence needs, from the beginning to the end.
func (r *run) watchMachine(ctx context.Context) {
	if r.Witness == nil {
		return
	}
	r.every(ctx, r.poll, func(ask context.Context) {
		for need, late := range r.Witness.Late(ask) {
			if ask.Err() == nil {
				r.rec.late(need, late)
			}
		}
	})
}

// late notes how late the machine gives a need now.
func (r *record) late(n drill.Need, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Contains(r.takes, n) {
		return
	}
	now := time.Now()
	fine := !r.strained(n, now)
	r.j.Machine.saw(n, d, now.Add(-max(d, r.poll)), now)
	if strained, _ := limits(n); fine && d >= strained {
		r.emit(Event{Kind: EventProblem, State: StateMachine, Text: "this machine does not keep up: " + latenessText(n, d)})
	}
}

// strained is whether a need was given too late within the last seconds. The lock is held.
func (r *record) strained(n drill.Need, now time.Time) bool {
	total, _ := r.j.Machine.short([]drill.Need{n}, now.Add(-10*time.Second), now, false)
	return total > 0
}

// keptUp returns in words how the machine fell short since a time, if by enough to explain why a drill cannot begin.
func (r *record) keptUp(since time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Rules that are not evaluated may be a broken Prometheus as well.
	return r.j.Machine.explains(evidence{needs: []drill.Need{drill.NeedProcessor, drill.NeedScrapes}, from: since, to: time.Now()})
}
