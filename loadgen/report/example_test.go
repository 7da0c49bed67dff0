package report

import (
	"math/rand/v2"
	"time"

	"firedrill/loadgen/result"
)

// exampleMeta describes a run of two stages. The server stalls for a second in the second one.
func exampleMeta() result.Meta {
	return result.Meta{
		Profile: "steady", Fingerprint: "3f2a9c", Seed: 42, Target: "http://127.0.0.1:8000", Length: 60 * time.Second, Workers: 50,
		Start: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC), SampledPart: 0.1, TraceURL: "http://127.0.0.1:3000/explore?trace={trace_id}",
		Description: "A steady load: what the service's ordinary day looks like.",
		Versions:    map[string]string{"firedrill": "v1", "go": "go1.26"},
		Stages: []result.Stage{
			{Name: "warm up", Shape: "ramp 10/s to 100/s", Length: 20 * time.Second, Intended: 1100},
			{Name: "steady", Shape: "constant 100/s", Begin: 20 * time.Second, Length: 40 * time.Second, Intended: 4000},
		},
	}
}

// exampleIntended returns the integral of the rate. The rate is 10 + 4.5·t up to 20 s, then
// 100.
func exampleIntended(t time.Duration) uint64 {
	if s := t.Seconds(); s < 20 {
		return uint64(10*s + 2.25*s*s)
	}
	return 1100 + uint64(100*(t.Seconds()-20))
}

func exampleRun() *result.Result {
	random := rand.New(rand.NewPCG(1, 1))
	c := result.New(exampleMeta(), result.Options{Intended: exampleIntended})
	seq := uint64(0)
	for due := time.Duration(0); due < 60*time.Second; due += 100 * time.Microsecond {
		for ; seq < exampleIntended(due+100*time.Microsecond); seq++ {
			addExample(c, random, seq, due)
		}
	}
	r := c.Finish(result.Ending{Elapsed: 60 * time.Second})
	r.Thresholds = []result.Threshold{
		{Expression: "p99 < 300ms", Actual: "880.1ms"}, {Expression: "errors < 5%", Actual: "0.52%", OK: true},
		{Expression: "journey.checkout.p95 < 3s", Actual: "1.2s", OK: true},
	}
	return r
}

func addExample(c *result.Collector, random *rand.Rand, seq uint64, due time.Duration) {
	s := result.Sample{Seq: seq, Scenario: "browse", Due: due, Status: 200, BytesIn: 2_048, BytesOut: 120, Sampled: seq%10 == 0}
	s.TraceID[0], s.TraceID[14], s.TraceID[15] = 0xab, byte(seq>>8), byte(seq)
	if due >= 20*time.Second {
		s.Stage = 1
	}
	s.Sent = due + time.Duration((0.5+random.ExpFloat64()/8)*float64(80*time.Microsecond))
	const stall, until = 41 * time.Second, 42 * time.Second
	if due > stall && due < until { // every worker waits for the server
		s.Sent, s.Queued = until, until-due
	}
	service := func() time.Duration {
		return time.Duration((0.4 + random.ExpFloat64()) * float64(4*time.Millisecond))
	}
	s.Done = s.Sent + service()
	switch {
	case due > until && due < until+300*time.Millisecond:
		s.Status, s.Failure = 503, "status"
	case seq%1500 == 700:
		s.Status, s.Failure, s.Done = 0, "timeout", s.Sent+2*time.Second
	}
	if seq%5 != 0 {
		c.Add(s)
		return
	}
	s.Scenario, s.Step = "checkout", "log in"
	c.Add(s)
	journey := result.JourneySample{Seq: seq, Scenario: "checkout", Stage: s.Stage, Due: due, Done: s.Done}
	if journey.Failed = s.Failure != ""; journey.Failed {
		journey.FailedStep = "log in"
	} else {
		s.Step, s.Later, s.Due, s.Queued = "order", true, s.Done+200*time.Millisecond, 0
		s.Sent = s.Due + 60*time.Microsecond
		s.Done = s.Sent + 3*service()
		s.Status = 201
		c.Add(s)
		journey.Done = s.Done
	}
	c.AddJourney(journey)
}
