package result

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrMerge means that results are not shards of one run.
var ErrMerge = errors.New("not shards of one run")

// Merge merges the results of the shards of one run, given in any order. Merging is lossless: every count and histogram
// is as if a single machine had sent everything. The merged run is judged anew, and it also has the reasons of each part
// that was invalid by itself. Thresholds are left out, because they must be evaluated again. The error wraps ErrMerge.
func Merge(parts ...*Result) (*Result, error) {
	if len(parts) == 0 {
		return nil, fmt.Errorf("merge: no results: %w", ErrMerge)
	}
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b *Result) int { return slices.Compare(a.Meta.Shards, b.Meta.Shards) })
	merged := &Result{
		Version: Version, Meta: parts[0].Meta, Timeline: Timeline{Width: parts[0].Timeline.Width},
	}
	merged.Meta.Shards, merged.Meta.Workers, merged.Meta.Stages = nil, 0, slices.Clone(parts[0].Meta.Stages)
	for i := range merged.Meta.Stages {
		merged.Meta.Stages[i].Intended = 0
	}
	for _, part := range parts {
		if err := merged.mergeMeta(&part.Meta); err != nil {
			return nil, err
		}
		merged.merge(part.share())
	}
	merged.order()
	merged.Validity = judge(merged)
	for _, part := range parts {
		merged.inherit(part)
	}
	return merged, nil
}

func (r *Result) mergeMeta(m *Meta) error {
	mismatch := func(what string, a, b any) error {
		return fmt.Errorf("merge shards %v and %v: %s differs: %v and %v: %w", r.Meta.Shards, m.Shards, what, a, b, ErrMerge)
	}
	switch {
	case m.Profile != r.Meta.Profile:
		return mismatch("profile", r.Meta.Profile, m.Profile)
	case m.Fingerprint != r.Meta.Fingerprint:
		return mismatch("fingerprint of the profile", r.Meta.Fingerprint, m.Fingerprint)
	case m.Seed != r.Meta.Seed:
		return mismatch("seed", r.Meta.Seed, m.Seed)
	case m.ShardsOf != r.Meta.ShardsOf:
		return mismatch("number of shards", r.Meta.ShardsOf, m.ShardsOf)
	case m.Length != r.Meta.Length || len(m.Stages) != len(r.Meta.Stages):
		return mismatch("schedule", r.Meta.Length, m.Length)
	case m.Bounds != r.Meta.Bounds:
		return mismatch("bounds", r.Meta.Bounds, m.Bounds)
	}
	for _, shard := range m.Shards {
		if slices.Contains(r.Meta.Shards, shard) {
			return fmt.Errorf("merge: shard %d of %d comes twice: %w", shard, m.ShardsOf, ErrMerge)
		}
	}
	r.Meta.Shards = append(r.Meta.Shards, m.Shards...)
	slices.Sort(r.Meta.Shards)
	r.Meta.Workers += m.Workers
	if m.Start.Before(r.Meta.Start) {
		r.Meta.Start = m.Start
	}
	for i, s := range m.Stages {
		r.Meta.Stages[i].Intended += s.Intended
	}
	return nil
}

// merge adds the counts of a part. It takes over the part's memory.
func (r *Result) merge(part *Result) {
	r.Elapsed = max(r.Elapsed, part.Elapsed)
	r.Interrupted = r.Interrupted || part.Interrupted
	r.Intended += part.Intended
	r.Dropped += part.Dropped
	r.OwnLag.Merge(&part.OwnLag)
	for i := range part.Groups {
		r.mergeGroup(&part.Groups[i])
	}
	for i := range part.Journeys {
		r.mergeJourney(&part.Journeys[i])
	}
	r.Timeline.merge(part.Timeline)
	for _, e := range part.Slowest {
		r.Slowest = keepSlowest(r.Slowest, e)
	}
	for _, e := range part.SlowestKept {
		r.SlowestKept = keepSlowest(r.SlowestKept, e)
	}
	for _, e := range part.Failed {
		r.Failed = keepFailed(r.Failed, e)
	}
}

func (r *Result) mergeGroup(from *Group) {
	at := slices.IndexFunc(r.Groups, func(g Group) bool { return g.Key == from.Key })
	if at < 0 {
		at = len(r.Groups)
		r.Groups = append(r.Groups, Group{Key: from.Key})
	}
	r.Groups[at].Merge(from)
}

// Merge adds another group's counts. It does not change the key.
func (g *Group) Merge(other *Group) {
	g.Requests += other.Requests
	g.Arrivals += other.Arrivals
	g.Resent += other.Resent
	g.Failed += other.Failed
	for class, n := range other.Failures {
		g.Failures = count(g.Failures, class, n)
	}
	g.BytesIn += other.BytesIn
	g.BytesOut += other.BytesOut
	g.Response.Merge(&other.Response)
	g.Prompt.Merge(&other.Prompt)
	g.Service.Merge(&other.Service)
	g.Lag.Merge(&other.Lag)
}

func (r *Result) mergeJourney(from *Journey) {
	at := slices.IndexFunc(r.Journeys, func(j Journey) bool { return j.Scenario == from.Scenario && j.Stage == from.Stage })
	if at < 0 {
		at = len(r.Journeys)
		r.Journeys = append(r.Journeys, Journey{Scenario: from.Scenario, Stage: from.Stage})
	}
	r.Journeys[at].Merge(from)
}

// Merge adds another journey's counts. It does not change scenario and stage.
func (j *Journey) Merge(other *Journey) {
	j.Ended += other.Ended
	j.Failed += other.Failed
	for step, n := range other.FailedSteps {
		j.FailedSteps = count(j.FailedSteps, step, n)
	}
	j.Response.Merge(&other.Response)
	j.Prompt.Merge(&other.Prompt)
}

// inherit adds the reasons for which a part was invalid.
func (r *Result) inherit(part *Result) {
	for _, reason := range part.Validity.Reasons {
		if len(part.Meta.Shards) == 1 && part.Meta.ShardsOf > 1 {
			reason = fmt.Sprintf("shard %d: %s", part.Meta.Shards[0], reason)
		}
		if !strings.HasPrefix(reason, "shard ") && slices.Contains(r.Validity.Reasons, reason) {
			continue
		}
		r.Validity.Valid = false
		r.Validity.Reasons = append(r.Validity.Reasons, reason)
	}
}
