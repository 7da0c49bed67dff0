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
	longestBody = 1 << 20 // bytes of an answer that are read
	tries       = 5       // for answers that are normal at times: the bank declines, a rate limiter asks to wait
)

// sent is one request through the gateway, with its answer.
type sent struct {
	step            string
	method, path    string
	traceID, spanID string // of the trace context that was sent; empty without one
	named           string // trace id in the answer's header; not every gateway sends it
	status          int    // 0 without an answer
	want            int    // expected status
	body            []byte
	err             error // why the answer is not the expected one
}

// refuted reports whether the answer would be wrong on a slow machine too: its status is neither the expected
// one nor one that a late or overloaded service returns.
func (s sent) refuted() bool {
	late := s.status == 0 || s.status >= 500 || s.status == http.StatusRequestTimeout || s.status == http.StatusTooManyRequests
	return s.err != nil && !late && s.status != s.want
}

// problem is the part of a problem document (RFC 9457) that is checked.
type problem struct {
	Type    string `json:"type"`
	TraceID string `json:"trace_id"`
}

// shopper is the state of a customer between requests.
type shopper struct {
	run          *run
	token, other string // tokens of two users
	product      string
	order        string
}

// call describes a request.
type call struct {
	method, path, token, key string
	body                     any
}

// drive sends all requests in order. Each is repeated until it gets the expected answer or has used up its
// tries.
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

// take makes one step and reports whether its answer was as expected.
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
		req.Header.Set("Traceparent", "00-"+out.traceID+"-"+out.spanID+"-01") // 01: sampled
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.key != "" {
		req.Header.Set("Idempotency-Key", c.key)
	}
	return req, nil
}

// agent returns the user agent of a step's requests. It is unique to the run, so the traces and log lines of
// the run can be found by it.
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

// judgeProblem checks that the problem document names the trace of this request.
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

// want returns the same as answered. If ok is false, the finding says that the check cannot be made.
func (r *run) want(step string) (sent, finding, bool) {
	s, ok := r.answered(step)
	return s, moot("the request %q did not get its answer", step), ok
}

// confirmed returns the number of confirmed orders whose traces must be kept.
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

// ours reports whether this run sent the trace id.
func (r *run) ours(traceID string) bool {
	for _, s := range r.sent {
		if s.traceID != "" && s.traceID == traceID {
			return true
		}
	}
	return false
}

func at(t time.Time) string { return t.UTC().Format("15:04:05.000") }
