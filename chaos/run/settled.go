package run

import (
	"slices"
	"time"

	"firedrill/chaos/drill"
)

// settled reports whether there is nothing more to wait for: everything that is
// expected was seen and is over, or is overdue.
func (r *record) settled(d *drill.Drill, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	began, ended := r.j.FaultsBegan(), r.j.recoveryFrom()
	if now.Before(r.j.from(PhaseFaults).Add(d.Lasts)) {
		return false
	}
	alerts := r.alerts.snapshot()
	waits := func(e drill.AlertExpectation) bool {
		return now.Before(alertDue(matching(alerts, e.AlertPattern), e, began, ended))
	}
	if slices.ContainsFunc(d.Expect.Alerts, waits) {
		return false
	}
	unproven := func(p *trackedProbe) bool {
		return p.Mode == drill.After && (len(p.samples) == 0 || !p.samples[len(p.samples)-1].Holds)
	}
	if now.Before(ended.Add(d.Expect.Recover)) && slices.ContainsFunc(r.probes, unproven) {
		return false
	}
	unseen := func(s *trackedSight) bool { return s.Signal != SignalMetric && s.Seen.IsZero() }
	return !now.Before(ended.Add(seenGrace)) || !slices.ContainsFunc(r.sights, unseen)
}

// alertDue returns until when it is worth waiting for an expectation; zero if it is over.
func alertDue(fired []AlertRun, e drill.AlertExpectation, began, ended time.Time) time.Time {
	if len(fired) == 0 {
		return began.Add(e.FiresWithin)
	}
	var last time.Time
	told := e.Notice != drill.NoticeRequired
	for _, a := range fired {
		over, ok := a.over()
		if !ok {
			return ended.Add(e.ResolvesWithin)
		}
		if over.After(last) {
			last = over
		}
		told = told || len(a.Told) > 0 && len(a.ToldOver) > 0
	}
	if told {
		return time.Time{}
	}
	return last.Add(noticeGrace)
}
