package result

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

const rate = 40 // arrivals a second in the runs of these tests

func intended(t time.Duration) uint64 { return uint64(t * rate / time.Second) }

func meta() Meta {
	return Meta{
		Profile: "steady", Fingerprint: "f", Seed: 7, Length: 20 * time.Second, Start: time.Unix(1_700_000_000, 0).UTC(), Workers: 10,
		Stages: []Stage{
			{Name: "warm", Shape: "constant 40/s", Length: 10 * time.Second, Intended: 400},
			{Name: "hot", Shape: "constant 40/s", Begin: 10 * time.Second, Length: 10 * time.Second, Intended: 400},
		},
	}
}

// samples returns the samples of a run of the given length: two scenarios, a journey of two steps, and
// some failures.
func samples(length time.Duration) ([]Sample, []JourneySample) {
	random := rand.New(rand.NewPCG(7, 7))
	var list []Sample
	var journeys []JourneySample
	for seq := range intended(length) {
		due := time.Duration(seq) * time.Second / rate
		s := Sample{Seq: seq, Scenario: "browse", Due: due, Status: 200, BytesIn: 100, BytesOut: 10}
		s.TraceID[0], s.TraceID[1], s.Sampled = byte(seq), byte(seq>>8)|1, seq%10 == 0
		s.Stage = int(due / (10 * time.Second) % 2)
		s.Sent = due + time.Duration(random.ExpFloat64()*float64(50*time.Microsecond))
		s.Done = s.Sent + time.Duration(random.ExpFloat64()*float64(4*time.Millisecond))
		if seq%50 == 0 {
			s.Status, s.Failure = 503, "status"
		}
		if seq%100 == 1 {
			s.Status, s.Failure = 0, "timeout"
		}
		if seq%4 == 0 {
			s.Scenario, s.Step = "checkout", "log in"
			second := s
			second.Step, second.Later, second.Due, second.Sent = "order", true, s.Done, s.Done
			second.Done += 5 * time.Millisecond
			list = append(list, second)
			journeys = append(journeys, JourneySample{
				Seq: seq, Scenario: "checkout", Stage: s.Stage, Due: due, Done: second.Done, Failed: seq%50 == 0, FailedStep: "order",
			})
		}
		list = append(list, s)
	}
	return list, journeys
}

func collect(m Meta, part, of int, length time.Duration) *Result {
	c := New(m, Options{Intended: func(t time.Duration) uint64 { return shardOf(intended(t), part, of) }})
	requests, journeys := samples(length)
	for _, s := range requests {
		if int(s.Seq)%of == part-1 {
			c.Add(s)
		}
	}
	for _, s := range journeys {
		if int(s.Seq)%of == part-1 {
			c.AddJourney(s)
		}
	}
	return c.Finish(Ending{Elapsed: length})
}

// shardOf returns how many of the first n items belong to a shard.
func shardOf(n uint64, part, of int) uint64 { return (n + uint64(of-part)) / uint64(of) }

func TestCollectorCounts(t *testing.T) {
	r := collect(meta(), 1, 1, 20*time.Second)
	total := r.Total(nil)
	if total.Requests != 1000 || total.Arrivals != 800 || r.Intended != 800 {
		t.Errorf("%d requests, %d arrivals of %d intended", total.Requests, total.Arrivals, r.Intended)
	}
	if total.Failures["status"] != 16+8 || total.Failures["timeout"] != 8 || total.Failed != 32 {
		t.Errorf("failures %v, %d in all", total.Failures, total.Failed)
	}
	if j := r.JourneyTotal(nil); j.Ended != 200 || j.Failed != 8 || j.FailedSteps["order"] != 8 {
		t.Errorf("journeys %d, failed %d by step %v", j.Ended, j.Failed, j.FailedSteps)
	}
	hot := r.Total(func(k Key) bool { return k.Stage == 1 && k.Scenario == "browse" && k.Class == "5xx" })
	if hot.Requests != 4 || hot.Response.Count() != 4 {
		t.Errorf("%d requests of stage 1 answered 5xx", hot.Requests)
	}
	if !r.Validity.Valid || r.Validity.RateError != 0 {
		t.Errorf("validity %+v", r.Validity)
	}
	if got := r.Scenarios(); !reflect.DeepEqual(got, []string{"browse", "checkout"}) {
		t.Errorf("scenarios %v", got)
	}
}

func TestTimelineAddsUp(t *testing.T) {
	for _, length := range []time.Duration{20 * time.Second, 1000 * time.Second, 2500 * time.Second} {
		r := collect(meta(), 1, 1, length)
		var sum Slot
		for _, s := range r.Slots() {
			sum.Merge(&s)
		}
		total := r.Total(nil)
		if sum.Sent != total.Requests || sum.Done != total.Requests || sum.Due != total.Requests || sum.Arrived != total.Arrivals || sum.Failed != total.Failed {
			t.Errorf("%v: slots add up to %+v of %d", length, sum, total.Requests)
		}
		var due uint64
		for _, n := range r.Timeline.Intended {
			due += n
		}
		if due != r.Intended {
			t.Errorf("%v: intended slots add up to %d of %d", length, due, r.Intended)
		}
		if n := len(r.Slots()); n > maxSlots || n < maxSlots/2 && r.Timeline.Width > time.Second {
			t.Errorf("%v: %d slots of %v", length, n, r.Timeline.Width)
		}
	}
}

func TestMergedShardsAreTheWhole(t *testing.T) {
	for length, shards := range map[time.Duration][]int{20 * time.Second: {2, 3, 7}, 1000 * time.Second: {2}} {
		whole := collect(meta(), 1, 1, length)
		for _, of := range shards {
			var parts []*Result
			for part := of; part >= 1; part-- {
				m := meta()
				m.Shards, m.ShardsOf = []int{part}, of
				for i := range m.Stages {
					m.Stages[i].Intended = shardOf(m.Stages[i].Intended, part, of)
				}
				shard := collect(m, part, of, length)
				if of == 3 { // merge the files that shards write
					shard = reread(t, shard)
				}
				parts = append(parts, shard)
			}
			merged, err := Merge(parts...)
			if err != nil {
				t.Fatal(err)
			}
			merged.Meta.Shards, merged.Meta.ShardsOf, merged.Meta.Workers = whole.Meta.Shards, whole.Meta.ShardsOf, whole.Meta.Workers
			if got, want := written(t, merged), written(t, whole); got != want {
				t.Errorf("%d shards of %v merge into another run", of, length)
			}
		}
	}
}

func TestMergeRefusesStrangers(t *testing.T) {
	shard := func(change func(*Meta)) *Result {
		m := meta()
		m.Shards, m.ShardsOf = []int{2}, 2
		change(&m)
		return New(m, Options{}).Finish(Ending{})
	}
	first := shard(func(m *Meta) { m.Shards = []int{1} })
	for name, other := range map[string]*Result{
		"shard 1 of 2 comes twice": first,
		"seed differs":             shard(func(m *Meta) { m.Seed = 8 }),
		"profile differs":          shard(func(m *Meta) { m.Profile = "spike" }),
		"fingerprint":              shard(func(m *Meta) { m.Fingerprint = "g" }),
		"number of shards":         shard(func(m *Meta) { m.ShardsOf = 3 }),
		"bounds":                   shard(func(m *Meta) { m.Bounds.RateError = 1 }),
		"schedule":                 shard(func(m *Meta) { m.Length++ }),
	} {
		if _, err := Merge(first, other); !errors.Is(err, ErrMerge) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Merge(); !errors.Is(err, ErrMerge) {
		t.Errorf("nothing to merge: %v", err)
	}
}

func TestMergeKeepsAnInvalidPartsReasons(t *testing.T) {
	bad := collect(meta(), 1, 1, 20*time.Second)
	bad.Meta.Shards, bad.Meta.ShardsOf = []int{2}, 2
	bad.Validity = Validity{Reasons: []string{"it lagged"}}
	good := collect(meta(), 1, 1, 20*time.Second)
	good.Meta.ShardsOf = 2
	merged, err := Merge(good, bad)
	if err != nil {
		t.Fatal(err)
	}
	if merged.Validity.Valid || !reflect.DeepEqual(merged.Validity.Reasons, []string{"shard 2: it lagged"}) {
		t.Errorf("validity %+v", merged.Validity)
	}
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	r := collect(meta(), 1, 1, 20*time.Second)
	r.Thresholds = []Threshold{{Expression: "p99 < 1s", Actual: "5 ms", OK: true}}
	if got := reread(t, r); written(t, got) != written(t, r) {
		t.Error("the result read is another one")
	}
	for name, text := range map[string]string{
		"no JSON": "hello", "other version": `{"version":99}`, "no width": `{"version":1}`,
	} {
		if _, err := Read(strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidity(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Sample) bool // return false to omit the sample
		ending Ending
		want   string // part of the only reason; "": valid
	}{
		{"as intended", func(*Sample) bool { return true }, Ending{}, ""},
		{"half a percent too few", func(s *Sample) bool { return s.Seq%200 != 0 }, Ending{}, ""},
		{"two percent too few", func(s *Sample) bool { return s.Seq%50 != 0 }, Ending{}, "-2.00 % off the intended rate"},
		{"the generator lagged", func(s *Sample) bool { delay(s, 20*time.Millisecond); return true }, Ending{}, "and moves p50 from"},
		{"one hiccup of the generator", func(s *Sample) bool {
			if s.Seq >= 100 && s.Seq < 108 { // 1 % of the requests: fewer than support a p99
				delay(s, 200*time.Millisecond)
			}
			return true
		}, Ending{}, ""},
		{"a long hiccup of the generator", func(s *Sample) bool {
			if s.Seq >= 100 && s.Seq < 150 {
				delay(s, 200*time.Millisecond)
			}
			return true
		}, Ending{}, "and moves p95 from"},
		{"one arrival is missing", func(s *Sample) bool { return s.Seq != 5 }, Ending{}, ""},
		{"the server stalled", func(s *Sample) bool {
			s.Sent, s.Queued = s.Sent+900*time.Millisecond, 900*time.Millisecond
			return true
		}, Ending{}, ""},
		{"dropped", func(*Sample) bool { return true }, Ending{Dropped: 9}, "9 of 800 arrivals were dropped"},
		{"interrupted", func(*Sample) bool { return true }, Ending{Interrupted: true}, "interrupted after 20s of 20s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := New(meta(), Options{Intended: intended})
			requests, _ := samples(20 * time.Second)
			for _, s := range requests {
				if !s.Later && test.change(&s) {
					c.Add(s)
				}
			}
			test.ending.Elapsed = 20 * time.Second
			v := c.Finish(test.ending).Validity
			if v.Valid != (test.want == "") {
				t.Fatalf("validity %+v", v)
			}
			if !v.Valid && (len(v.Reasons) != 1 || !strings.Contains(v.Reasons[0], test.want)) {
				t.Errorf("reasons %q, want one with %q", v.Reasons, test.want)
			}
		})
	}
}

// delay sends a request later, through the generator's own fault.
func delay(s *Sample, by time.Duration) { s.Sent, s.Done = s.Sent+by, s.Done+by }

// A short run is not invalid because of one hiccup: its p99 is its worst request, and says so.
func TestOneHiccupInAShortRun(t *testing.T) {
	c := New(meta(), Options{Intended: func(time.Duration) uint64 { return 75 }})
	for i := range uint64(75) {
		s := Sample{Seq: i, Scenario: "browse", Due: time.Duration(i) * 200 * time.Millisecond, Status: 200}
		s.Sent, s.Done = s.Due, s.Due+5*time.Millisecond
		if i == 40 || i == 41 {
			delay(&s, 150*time.Millisecond)
		}
		c.Add(s)
	}
	r := c.Finish(Ending{Elapsed: 15 * time.Second})
	if v := r.Validity; !v.Valid || len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "own lag has a p99 of 150") {
		t.Errorf("validity %+v, want valid with a note of the lag", v)
	}
}

// A file of an older version does not say what the lag changes, so a lag over the bound makes it invalid.
func TestLagOfAnOlderFile(t *testing.T) {
	c := New(meta(), Options{Intended: intended})
	requests, _ := samples(20 * time.Second)
	for _, s := range requests {
		delay(&s, 11*time.Millisecond)
		c.Add(s)
	}
	r := c.Finish(Ending{Elapsed: 20 * time.Second})
	for i := range r.Groups {
		r.Groups[i].Prompt = Histogram{}
	}
	if v := judge(r); v.Valid || len(v.Reasons) != 1 || !strings.Contains(v.Reasons[0], "own lag has a p99 of") {
		t.Errorf("validity %+v, want invalid", v)
	}
}

func TestVerdict(t *testing.T) {
	const held, broken, unclear = "held", "broken", "unclear"
	for _, tc := range []struct {
		name             string
		requests, failed uint64
		valid            bool
		thresholds       string // held, broken, unclear or "": there is none
		want             Verdict
	}{
		{"all succeed", 5, 0, true, "", Good},
		{"some fail", 5, 4, true, "", Good},
		{"a threshold holds", 5, 0, true, held, Good},
		{"all fail", 5, 5, true, "", Failed},
		{"all fail, and a threshold holds", 5, 5, true, held, Failed},
		{"all fail, and the generator was late", 5, 5, false, "", Failed},
		{"a threshold is broken", 5, 0, true, broken, Broken},
		{"a threshold is broken, and the generator was late", 5, 0, false, broken, Broken},
		{"the generator decides a threshold", 5, 0, true, unclear, Invalid},
		{"the generator was late", 5, 0, false, held, Invalid},
		{"nothing was sent", 0, 0, true, "", Invalid},
	} {
		r := &Result{Groups: []Group{{Requests: tc.requests, Failed: tc.failed}}, Validity: Validity{Valid: tc.valid}}
		if tc.thresholds != "" {
			r.Thresholds = []Threshold{{Expression: "p99 < 1s", OK: tc.thresholds == held, Unclear: tc.thresholds == unclear}}
		}
		got, reasons := r.Verdict()
		if got != tc.want || (got == Good) != (len(reasons) == 0) && tc.valid {
			t.Errorf("%s: %s, %q, want %s", tc.name, got, reasons, tc.want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := New(meta(), Options{Intended: intended})
	grown := func(from, to uint64) uint64 {
		for seq := from; seq < to; seq++ {
			due := time.Duration(seq) * 10 * time.Millisecond
			c.Add(Sample{
				Seq: seq, Scenario: "browse", Due: due, Sent: due, Done: due + time.Duration(seq%100)*10*time.Microsecond,
				Failure: fmt.Sprintf("dial from port %d", seq), TraceID: [16]byte{1}, Sampled: true,
			})
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	warm := grown(0, 100_000)
	after := grown(100_000, 400_000)
	if after > warm+2<<20 {
		t.Errorf("300,000 failing requests more took %d kB more", (after-warm)>>10)
	}
	r := c.Finish(Ending{})
	if n := len(r.Total(nil).Failures); n != maxFailures+1 {
		t.Errorf("%d failure classes", n)
	}
}

func TestFailedExemplarsPreferKeptTraces(t *testing.T) {
	r := collect(meta(), 1, 1, 20*time.Second)
	of := map[string]int{}
	for _, e := range r.Failed {
		of[e.Scenario+" "+e.Failure]++
	}
	if want := (map[string]int{"browse status": 5, "checkout status": 5, "browse timeout": 5}); !reflect.DeepEqual(of, want) {
		t.Errorf("failed exemplars %v, want %v", of, want)
	}
	for _, e := range r.Failed {
		if e.Failure == "status" && !e.Kept {
			t.Errorf("exemplar %d of %s is not kept although others were", e.Seq, e.Scenario)
		}
	}
	for i := 1; i < len(r.Slowest); i++ {
		if r.Slowest[i].Response > r.Slowest[i-1].Response {
			t.Error("the slowest are not in order")
		}
	}
	if len(r.Slowest) != maxSlowest || len(r.SlowestKept) != maxSlowest || !r.SlowestKept[0].Kept {
		t.Errorf("%d slowest, %d of them kept", len(r.Slowest), len(r.SlowestKept))
	}
}

func TestSnapshotStaysAsItIs(t *testing.T) {
	c := New(meta(), Options{Intended: intended})
	requests, _ := samples(20 * time.Second)
	var snapshot *Result
	var before string
	for i, s := range requests {
		if i == len(requests)/2 {
			snapshot = c.Snapshot(10 * time.Second)
			before = written(t, snapshot)
		}
		c.Add(s)
	}
	if written(t, snapshot) != before {
		t.Error("the snapshot changed when more samples came")
	}
}

func reread(t *testing.T, r *Result) *Result {
	got, err := Read(strings.NewReader(written(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func written(t *testing.T, r *Result) string {
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
