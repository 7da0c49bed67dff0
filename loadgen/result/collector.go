package result

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// maxFailures bounds the number of failure classes of a run. Failures of further classes
// count as "other".
const maxFailures = 32

// Options configure a Collector.
type Options struct {
	// Intended returns how many arrivals of this shard are due before t. nil: the run is unpaced (as fast as possible),
	// and neither lag nor rate error affect its validity.
	Intended func(t time.Duration) uint64
}

// Ending describes how a run ended.
type Ending struct {
	Elapsed     time.Duration // how much of the schedule was carried out
	Interrupted bool          // the run ended before the schedule's end
	Dropped     uint64        // arrivals due within Elapsed that were never sent
}

// Collector aggregates samples into a Result. Its memory is bounded by scenarios × stages × status classes. It does
// not grow with the number of requests or of error texts. It is safe for concurrent use.
type Collector struct {
	opts Options

	mu       sync.Mutex
	result   Result // Groups and Journeys are in order of arrival until read
	groups   map[Key]int
	journeys map[Key]int
	failures map[string]bool
}

// New returns a collector for a run. Zero bounds in meta mean DefaultBounds.
func New(meta Meta, opts Options) *Collector {
	if meta.Bounds == (Bounds{}) {
		meta.Bounds = DefaultBounds()
	}
	if meta.ShardsOf == 0 {
		meta.Shards, meta.ShardsOf = []int{1}, 1
	}
	return &Collector{
		opts:     opts,
		result:   Result{Version: Version, Meta: meta, Timeline: newTimeline()},
		groups:   map[Key]int{},
		journeys: map[Key]int{},
		failures: map[string]bool{},
	}
}

// Add counts a finished request.
func (c *Collector) Add(s Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Failure = c.failureClass(s.Failure)
	group := c.group(Key{s.Scenario, s.Step, s.Stage, statusClass(s.Status)})
	group.add(s)
	c.result.OwnLag.Record(s.OwnLag())
	c.result.Timeline.add(s)
	c.result.addExemplar(s)
}

// AddJourney counts a finished journey. Its requests are counted by Add.
func (c *Collector) AddJourney(s JourneySample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := Key{Scenario: s.Scenario, Stage: s.Stage}
	at, ok := c.journeys[key]
	if !ok {
		at = len(c.result.Journeys)
		c.journeys[key] = at
		c.result.Journeys = append(c.result.Journeys, Journey{Scenario: s.Scenario, Stage: s.Stage})
	}
	journey := &c.result.Journeys[at]
	journey.Ended++
	if s.Failed {
		journey.Failed++
		journey.FailedSteps = count(journey.FailedSteps, s.FailedStep, 1)
	}
	journey.Response.Record(s.Done - s.Due)
	journey.Prompt.Record(s.Done - s.Due - s.OwnLag)
	c.result.Timeline.addJourney(s)
}

// Snapshot returns the result so far, when elapsed of the schedule has passed. It copies only what has changed since
// the last snapshot, so it is cheap to call once a second. Later samples do not change the snapshot.
func (c *Collector) Snapshot(elapsed time.Duration) *Result {
	return c.read(Ending{Elapsed: elapsed})
}

// Finish returns the result of a finished run. The collector must not be used afterwards.
func (c *Collector) Finish(end Ending) *Result { return c.read(end) }

func (c *Collector) read(end Ending) *Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.result.share()
	r.Elapsed, r.Interrupted, r.Dropped = end.Elapsed, end.Interrupted, end.Dropped
	if c.opts.Intended != nil {
		r.Intended = c.opts.Intended(end.Elapsed)
		r.Timeline.Intended = intendedPerSlot(c.opts.Intended, end.Elapsed, r.Timeline.Width)
	}
	r.order()
	r.Validity = judge(r)
	return r
}

func (c *Collector) group(key Key) *Group {
	at, ok := c.groups[key]
	if !ok {
		at = len(c.result.Groups)
		c.groups[key] = at
		c.result.Groups = append(c.result.Groups, Group{Key: key})
	}
	return &c.result.Groups[at]
}

func (c *Collector) failureClass(class string) string {
	if class == "" || c.failures[class] {
		return class
	}
	if len(c.failures) >= maxFailures {
		return "other"
	}
	c.failures[class] = true
	return class
}

func (g *Group) add(s Sample) {
	g.Requests++
	g.Resent += uint64(s.Resent)
	if !s.Later {
		g.Arrivals++
	}
	if s.Failure != "" {
		g.Failed++
		g.Failures = count(g.Failures, s.Failure, 1)
	}
	g.BytesIn += s.BytesIn
	g.BytesOut += s.BytesOut
	g.Response.Record(s.Done - s.Due)
	g.Prompt.Record(s.Done - s.Due - s.OwnLag())
	g.Service.Record(s.Done - s.Sent)
	g.Lag.Record(s.Sent - s.Due)
}

func count(counts map[string]uint64, name string, n uint64) map[string]uint64 {
	if counts == nil {
		counts = map[string]uint64{}
	}
	counts[name] += n
	return counts
}

func statusClass(status int) string {
	switch {
	case status == 0:
		return "none"
	case status < 100 || status > 599:
		return "other"
	}
	return strconv.Itoa(status/100) + "xx"
}

func intendedPerSlot(intended func(time.Duration) uint64, elapsed, width time.Duration) []uint64 {
	var slots []uint64
	before := uint64(0)
	for at := time.Duration(0); at < elapsed; at += width {
		upTo := intended(min(at+width, elapsed))
		slots = append(slots, upTo-before)
		before = upTo
	}
	return slots
}

// order sorts what the collector has in order of arrival, so that equal runs give equal results.
func (r *Result) order() {
	slices.SortFunc(r.Groups, func(a, b Group) int { return a.Key.compare(b.Key) })
	slices.SortFunc(r.Journeys, func(a, b Journey) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Stage, b.Stage))
	})
	slices.SortFunc(r.Timeline.Series, func(a, b Series) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), compareBool(a.Journeys, b.Journeys))
	})
}

func (k Key) compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Scenario, other.Scenario), cmp.Compare(k.Step, other.Step),
		cmp.Compare(k.Stage, other.Stage), cmp.Compare(k.Class, other.Class))
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
