package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"firedrill/internal/wait"
)

const (
	longestBody = 1 << 20 // bytes read of an answer
	tries       = 5       // a bank declines at times, a limiter says wait
)

// sent is one request that went through the gateway, and what came of it.
type sent struct {
	step            string
	method, path    string
	traceID, spanID string // of the trace context that it carried; empty: none
	named           string // trace id that the answer's header names; not every gateway does
	status          int    // 0: no answer
	want            int    // the status that was expected
	body            []byte
	err             error // why it is not the answer that was expected
}

// refuted tells whether the answer is wrong however slow the machine is: it is one of another kind than was expected, and not
// one that a service gives which is late or overloaded.
func (s sent) refuted() bool {
	late := s.status == 0 || s.status >= 500 || s.status == http.StatusRequestTimeout || s.status == http.StatusTooManyRequests
	return s.err != nil && !late && s.status != s.want
}

// problem is the part of a problem document (RFC 9457) that counts here.
type problem struct {
	Type    string `json:"type"`
	TraceID string `json:"trace_id"`
}

// shopper is what a customer remembers from one request to the next.
type shopper struct {
	run          *run
	token, other string // of two users
	product      string
	order        string
}

// call is a request to make.
type call struct {
	method, path, token, key string
	body                     any
}

// drive sends all requests, each until it gets the answer that it must get.
func (r *run) drive(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout/2)
	defer cancel()
	s := &shopper{run: r}
	r.shopper = s
	all := steps()
	for i, st := range all {
		r.board.show(fmt.Sprintf("request %d of %d: %s", i+1, len(all), st.name))
		if !s.take(ctx, st) && st.vital {
			return
		}
	}
}

// take makes one step and tells whether it went as expected.
func (s *shopper) take(ctx context.Context, st step) bool {
	for try := 1; ; try++ {
		got := s.send(ctx, st)
		if got.err == nil {
			got.err = st.judge(s, got)
		}
		s.run.sent = append(s.run.sent, got)
		if got.err == nil {
			return true
		}
		again := try < st.tries || try < tries && got.status != st.want
		if !again || !wait.Sleep(ctx, pause) {
			return false
		}
	}
}

func (s *shopper) send(ctx context.Context, st step) sent {
	c := st.call(s)
	out := sent{step: st.name, method: c.method, path: c.path, want: st.want}
	if !st.rootless {
		out.traceID, out.spanID = randomHex(16), randomHex(8)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := s.request(ctx, st, c, out)
	if err != nil {
		out.err = err
		return out
	}
	resp, err := s.run.cfg.Client.Do(req)
	if err != nil {
		out.err = err
		return out
	}
	defer resp.Body.Close()
	out.status, out.named = resp.StatusCode, resp.Header.Get("X-Trace-Id")
	out.body, out.err = io.ReadAll(io.LimitReader(resp.Body, longestBody))
	return out
}

func (s *shopper) request(ctx context.Context, st step, c call, out sent) (*http.Request, error) {
	var body io.Reader
	if c.body != nil {
		data, err := json.Marshal(c.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, s.run.cfg.Gateway+c.path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", s.run.agent(st.name))
	req.Header.Set("Content-Type", "application/json")
	if out.traceID != "" {
		req.Header.Set("Traceparent", "00-"+out.traceID+"-"+out.spanID+"-01") // sampled
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.key != "" {
		req.Header.Set("Idempotency-Key", c.key)
	}
	return req, nil
}

// agent is the user agent of a step's requests: unique to the run, so that its
// traces and lines can be found by what the gateway tells of them.
func (r *run) agent(step string) string {
	return "firedrill-verify/" + r.id + " (" + step + ")"
}

// judge compares the answer with the step's expectation.
func (st step) judge(s *shopper, got sent) error {
	if got.status != st.want {
		return fmt.Errorf("status %d, want %d: %s", got.status, st.want, excerpt(got.body))
	}
	if got.named != "" && got.traceID != "" && got.named != got.traceID {
		return fmt.Errorf("the answer names the trace %q, sent was %q", got.named, got.traceID)
	}
	if st.want >= http.StatusBadRequest {
		return judgeProblem(got)
	}
	if st.learn == nil {
		return nil
	}
	if err := st.learn(s, got.body); err != nil {
		return fmt.Errorf("status %d with %s: %w", got.status, excerpt(got.body), err)
	}
	return nil
}

// judgeProblem demands that the document names the trace of this very request.
func judgeProblem(got sent) error {
	var p problem
	if err := json.Unmarshal(got.body, &p); err != nil || p.Type == "" {
		return fmt.Errorf("status %d without a problem document: %s", got.status, excerpt(got.body))
	}
	if p.TraceID != got.traceID {
		return fmt.Errorf("the problem document names the trace %q, sent was %q", p.TraceID, got.traceID)
	}
	return nil
}

func excerpt(body []byte) string {
	const most = 200
	text := strings.Join(strings.Fields(string(body[:min(len(body), most)])), " ")
	if text == "" {
		return "an empty body"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// answered returns the request of a step that got its expected answer.
func (r *run) answered(step string) (sent, bool) {
	for _, s := range r.sent {
		if s.step == step && s.err == nil {
			return s, true
		}
	}
	return sent{}, false
}

// want is answered, or the finding that nothing can be asked.
func (r *run) want(step string) (sent, finding, bool) {
	s, ok := r.answered(step)
	return s, moot("the request %q did not get its answer", step), ok
}

// confirmed counts the orders that were confirmed under traces that must be
// kept.
func (r *run) confirmed() (n int) {
	for _, s := range r.sent {
		if s.step == stepOrder && s.status == http.StatusCreated {
			n++
		}
	}
	return n
}

// tally counts the answers by method and status.
func (r *run) tally() map[[2]string]int {
	all := map[[2]string]int{}
	for _, s := range r.sent {
		if s.status > 0 {
			all[[2]string{s.method, fmt.Sprint(s.status)}]++
		}
	}
	return all
}

// ours tells whether a trace id was sent by this run, and when asked about it.
func (r *run) ours(traceID string) bool {
	for _, s := range r.sent {
		if s.traceID != "" && s.traceID == traceID {
			return true
		}
	}
	return false
}

func at(t time.Time) string { return t.UTC().Format("15:04:05.000") }
