package result

import "slices"

// Total returns the sum of the groups for which match returns true; nil matches all.
func (r *Result) Total(match func(Key) bool) Group {
	var total Group
	for i := range r.Groups {
		if match == nil || match(r.Groups[i].Key) {
			total.Merge(&r.Groups[i])
		}
	}
	return total
}

// JourneyTotal returns the sum of the journeys for which match returns true; nil matches
// all.
func (r *Result) JourneyTotal(match func(scenario string, stage int) bool) Journey {
	var total Journey
	for i := range r.Journeys {
		if match == nil || match(r.Journeys[i].Scenario, r.Journeys[i].Stage) {
			total.Merge(&r.Journeys[i])
		}
	}
	return total
}

// Scenarios returns the sorted names of the scenarios that sent requests.
func (r *Result) Scenarios() []string {
	var names []string
	for i := range r.Groups {
		names = append(names, r.Groups[i].Scenario)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Slots returns the sum of the request series of all scenarios. It leaves out journeys, because their
// requests are counted already.
func (r *Result) Slots() []Slot { return r.SlotsFrom(0) }

// SlotsFrom returns Slots without the first ones, beginning with slot number first.
func (r *Result) SlotsFrom(first int) []Slot {
	var total Series
	for i := range r.Timeline.Series {
		from := &r.Timeline.Series[i]
		if from.Journeys || len(from.Slots) <= first {
			continue
		}
		total.grow(len(from.Slots) - first)
		for k := first; k < len(from.Slots); k++ {
			total.Slots[k-first].Merge(&from.Slots[k])
		}
	}
	return total.Slots
}
