package journey

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Arrival is one execution of a scenario at a point of the schedule.
type Arrival struct {
	Number uint64 // number in the schedule, from 0
	Due    time.Duration
}

// Outcome is the outcome of one request. Times are from World.Now.
type Outcome struct {
	Scenario *Scenario
	Step     *Step
	Later    bool // not the first request of its arrival
	Due      time.Duration
	Sent     time.Duration
	Done     time.Duration
	Resent   int    // see Response
	Status   int    // 0: no answer
	Failure  string // failure class; "": success
	Err      error  // why there was no answer
	BytesIn  int
	BytesOut int
	TraceID  [16]byte
	Sampled  bool
}

// Walk is the outcome of one arrival.
type Walk struct {
	Scenario   *Scenario
	Done       time.Duration
	FailedStep string
	Failed     bool
	Abandoned  bool // stopped from outside before its end; the arrival has no result
}

// Request is a request to be sent. Its byte slices are valid until Exchange.Do returns, and
// must not be written to.
type Request struct {
	Method      string
	URL         []byte
	Header      []Field
	Traceparent []byte
	Body        []byte
}

// Field is a header field.
type Field struct {
	Name  string
	Value []byte
}

// Response is the response to a request. Body is valid until the next exchange.
type Response struct {
	Status int
	Body   []byte
	Resent int // how often the request went out again, because an idle connection broke before any byte of an answer
}

// Exchange makes one request at a time. It returns an error if there was no complete
// response; class is then the failure class.
type Exchange interface {
	Do(req *Request, resp *Response) (class string, err error)
}

// World has the environment of a walker.
type World struct {
	Exchange Exchange
	Now      func() time.Duration // time since the run began
	Stop     <-chan struct{}      // when closed, no further step begins
	Tell     func(*Outcome)       // called after each request; must not retain its argument
}

// Walker carries out arrivals, one at a time. It reuses its buffers between them.
type Walker struct {
	plan  *Plan
	world World

	arrival  Arrival
	seeded   rand.PCG // the same in every run with the same seed
	unique   rand.PCG // different in each run
	draw     *rand.Rand
	memory   [][]byte // values of variables by place
	request  Request
	response Response
	outcome  Outcome
	arena    []byte // buffer for the filled templates of the request
	trace    [55]byte
}

// NewWalker returns a walker for the plan.
func NewWalker(p *Plan, world World) *Walker {
	w := &Walker{plan: p, world: world, memory: make([][]byte, p.Variables)}
	w.draw = rand.New(&w.seeded)
	copy(w.trace[:], "00-")
	return w
}

// Walk carries out the scenario of an arrival.
func (w *Walker) Walk(a Arrival) Walk {
	s := w.begin(a)
	walk := Walk{Scenario: s}
	steps := s.Steps
	if s.Kind == Cycle {
		turn := a.Number % uint64(len(steps))
		steps = steps[turn : turn+1]
	}
	due := a.Due
	for i := range steps {
		if i > 0 {
			due = walk.Done + steps[i].Think
			if !w.wait(due) {
				walk.Abandoned = true
				return walk
			}
		}
		w.outcome.Later = i > 0
		finished := w.take(&steps[i], due)
		walk.Done = w.outcome.Done
		switch {
		case !finished:
			walk.Abandoned = true
			return walk
		case w.outcome.Failure != "":
			walk.Failed, walk.FailedStep = true, steps[i].Name
			return walk
		case steps[i].Expect.ends(w.outcome.Status):
			return walk
		}
	}
	return walk
}

// begin draws what differs between arrivals: the scenario, its data, and whether its traces
// are sampled.
func (w *Walker) begin(a Arrival) *Scenario {
	w.arrival = a
	w.seeded.Seed(w.plan.Seed, a.Number)
	w.unique.Seed(uint64(w.plan.Run), a.Number)
	index := w.plan.pick(w.draw)
	s := &w.plan.Scenarios[index]
	w.outcome.Scenario = s
	w.outcome.Sampled = w.draw.Float64() < w.plan.Sampled
	for _, place := range w.plan.needs[index] {
		w.memory[place] = w.plan.Data[place].Draw(w.memory[place][:0], w.draw)
	}
	return s
}

// take makes the request of a step, repeatedly if it polls, and reports each outcome. The
// last outcome stays in w.outcome. take returns false if it was stopped.
func (w *Walker) take(st *Step, due time.Duration) bool {
	began := due
	for {
		w.exchange(st, due)
		good := w.outcome.Failure == "" && !st.Expect.ends(w.outcome.Status)
		again := good && st.Poll.Every > 0 && w.poll(&st.Poll, began)
		if good && !again && w.outcome.Failure == "" {
			w.keep(st.Take)
		}
		w.world.Tell(&w.outcome)
		if !again {
			return true
		}
		w.outcome.Later = true
		due = w.outcome.Done + st.Poll.Every
		if !w.wait(due) {
			return false
		}
	}
}

// exchange makes one request and judges the response.
func (w *Walker) exchange(st *Step, due time.Duration) {
	w.compose(st)
	o := &w.outcome
	o.Step, o.Due, o.Status, o.Failure, o.Err = st, due, 0, "", nil
	o.BytesOut, o.BytesIn = len(w.request.Body), 0
	o.Sent = w.world.Now()
	w.response.Resent = 0
	class, err := w.world.Exchange.Do(&w.request, &w.response)
	o.Done = w.world.Now()
	o.Resent = w.response.Resent
	if err != nil {
		o.Failure, o.Err = class, err
		return
	}
	o.Status, o.BytesIn = w.response.Status, len(w.response.Body)
	o.Failure = st.Expect.judge(&w.response)
}

func (w *Walker) compose(st *Step) {
	w.arena = w.arena[:0]
	r := &w.request
	r.Method = st.Method
	r.URL = st.URL.fillURL(w)
	r.Header = r.Header[:0]
	r.Traceparent = w.newTrace()
	for i := range st.Header {
		value := st.Header[i].Value.fillHeader(w)
		if st.KeepTrace && strings.EqualFold(st.Header[i].Name, "traceparent") {
			r.Traceparent = value
			w.ownTrace(value)
			continue
		}
		r.Header = append(r.Header, Field{st.Header[i].Name, value})
	}
	r.Body = st.Body.fill(w)
}

// ownTrace takes the trace of the request from a traceparent. The trace of one that cannot be read is unknown.
func (w *Walker) ownTrace(traceparent []byte) {
	o := &w.outcome
	o.TraceID, o.Sampled = [16]byte{}, false
	parts := strings.Split(string(traceparent), "-")
	if len(parts) < 4 || len(parts[1]) != 2*len(o.TraceID) {
		return
	}
	if _, err := hex.Decode(o.TraceID[:], []byte(parts[1])); err != nil {
		o.TraceID = [16]byte{}
		return
	}
	flags, err := strconv.ParseUint(parts[3], 16, 8)
	o.Sampled = err == nil && flags&1 == 1
}

// newTrace generates the traceparent of the next request in the format of W3C Trace
// Context: version-traceid-parentid-flags.
func (w *Walker) newTrace() []byte {
	var parent [8]byte
	binary.BigEndian.PutUint64(w.outcome.TraceID[:8], w.unique.Uint64()|1) // never all zeros
	binary.BigEndian.PutUint64(w.outcome.TraceID[8:], w.unique.Uint64())
	binary.BigEndian.PutUint64(parent[:], w.unique.Uint64()|1)
	hex.Encode(w.trace[3:35], w.outcome.TraceID[:])
	w.trace[35] = '-'
	hex.Encode(w.trace[36:52], parent[:])
	copy(w.trace[52:], "-00")
	if w.outcome.Sampled {
		w.trace[54] = '1'
	}
	return w.trace[:]
}

// appendUUID appends a random UUID (RFC 9562, version 4).
func (w *Walker) appendUUID(dst []byte) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], w.unique.Uint64())
	binary.BigEndian.PutUint64(b[8:], w.unique.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	dst = hex.AppendEncode(dst, b[:4])
	for _, part := range [][]byte{b[4:6], b[6:8], b[8:10], b[10:]} {
		dst = hex.AppendEncode(append(dst, '-'), part)
	}
	return dst
}

// wait waits until due. It returns false if it was stopped.
func (w *Walker) wait(due time.Duration) bool {
	select {
	case <-w.world.Stop:
		return false
	default:
	}
	left := due - w.world.Now()
	if left <= 0 {
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.world.Stop:
		return false
	}
}
