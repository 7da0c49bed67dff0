package result

import (
	"maps"
	"slices"
)

// share returns a copy that does not change when r changes. A histogram is copied when either of the two is
// next written.
func (r *Result) share() *Result {
	c := *r
	c.OwnLag = r.OwnLag.share()
	c.Timeline = r.Timeline.share()
	c.Groups = make([]Group, len(r.Groups))
	for i := range r.Groups {
		from := &r.Groups[i]
		c.Groups[i] = *from
		c.Groups[i].Failures = maps.Clone(from.Failures)
		c.Groups[i].Response, c.Groups[i].Service, c.Groups[i].Lag = from.Response.share(), from.Service.share(), from.Lag.share()
		c.Groups[i].Prompt = from.Prompt.share()
	}
	c.Journeys = make([]Journey, len(r.Journeys))
	for i := range r.Journeys {
		from := &r.Journeys[i]
		c.Journeys[i] = *from
		c.Journeys[i].FailedSteps = maps.Clone(from.FailedSteps)
		c.Journeys[i].Response, c.Journeys[i].Prompt = from.Response.share(), from.Prompt.share()
	}
	c.Slowest, c.SlowestKept, c.Failed = slices.Clone(r.Slowest), slices.Clone(r.SlowestKept), slices.Clone(r.Failed)
	return &c
}
