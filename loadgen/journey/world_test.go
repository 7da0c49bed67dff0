package journey_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"firedrill/loadgen/journey"
)

// server is an Exchange that answers with a function and records the requests.
type server struct {
	answer func(req *journey.Request, resp *journey.Response) (string, error)
	asked  bytes.Buffer
	agreed [][]byte // traceparents
}

func (s *server) Do(req *journey.Request, resp *journey.Response) (string, error) {
	fmt.Fprintf(&s.asked, "%s %s\n", req.Method, req.URL)
	for _, h := range req.Header {
		fmt.Fprintf(&s.asked, "%s: %s\n", h.Name, h.Value)
	}
	fmt.Fprintf(&s.asked, "traceparent: %s\n\n%s\n", req.Traceparent, req.Body)
	s.agreed = append(s.agreed, bytes.Clone(req.Traceparent))
	return s.answer(req, resp)
}

func always(status int, body string) func(*journey.Request, *journey.Response) (string, error) {
	return func(_ *journey.Request, resp *journey.Response) (string, error) {
		resp.Status, resp.Body = status, []byte(body)
		return "", nil
	}
}

// world runs walkers. Its clock starts at 0.
type world struct {
	server
	stop     chan struct{}
	began    time.Time
	outcomes []journey.Outcome
}

func newWorld(answer func(*journey.Request, *journey.Response) (string, error)) *world {
	return &world{server: server{answer: answer}, stop: make(chan struct{}), began: time.Now()}
}

func (w *world) walker(p *journey.Plan) *journey.Walker {
	return journey.NewWalker(p, journey.World{
		Exchange: &w.server, Now: func() time.Duration { return time.Since(w.began) }, Stop: w.stop,
		Tell: func(o *journey.Outcome) { w.outcomes = append(w.outcomes, *o) },
	})
}

func compile(t testing.TB, text string, names journey.Names) journey.Template {
	t.Helper()
	tpl, err := journey.Compile(text, names)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

func plan(t testing.TB, s journey.Settings) *journey.Plan {
	t.Helper()
	p, err := journey.NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// checkout returns a plan with a journey that uses every feature, and a plain read.
func checkout(t testing.TB, seed uint64, run journey.RunID) *journey.Plan {
	names := journey.Names{"user": 0, "color": 1, "token": 2, "order": 3}
	return plan(t, journey.Settings{
		Seed: seed, Run: run, Sampled: 0.3, Variables: 4,
		Data: []journey.Source{
			journey.Numbers{From: 1, To: 1000, Format: "user-%04d"}, journey.Choice{"red", "green", "blue"},
		},
		Scenarios: []journey.Scenario{
			{Name: "read", Weight: 3, Steps: []journey.Step{{Method: "GET", URL: compile(t, "http://h/${color}?n=${seq}", names)}}},
			{Name: "buy", Weight: 1, Kind: journey.Journey, Steps: []journey.Step{
				{
					Name: "login", Method: "POST", URL: compile(t, "http://h/login", names),
					Body: compile(t, `{"user":"${user}"}`, names), Take: []journey.Take{{Path: "token", Place: 2}},
				},
				{
					Name: "order", Method: "POST", URL: compile(t, "http://h/orders", names), Think: time.Second,
					Header: []journey.Header{
						{Name: "Authorization", Value: compile(t, "Bearer ${token}", names)},
						{Name: "Idempotency-Key", Value: compile(t, "${uuid}", names)},
					},
					Body:   compile(t, `{"color":"${color}"}`, names),
					Expect: journey.Expect{Status: []int{201}, Ends: []int{402}},
					Take:   []journey.Take{{Path: "id", Place: 3}},
				},
				{
					Name: "shipped", Method: "GET", URL: compile(t, "http://h/orders/${order}", names),
					Poll: journey.Poll{
						Every: time.Second, For: 5 * time.Second,
						Until: []journey.Match{{Path: "status", Want: "shipped"}}, Unless: []journey.Match{{Path: "status", Want: "failed"}},
					},
				},
			}},
		},
	})
}

// walks carries out arrivals, numbered from 0, of a kind of journey that always succeeds
// and takes no time.
func walks(p *journey.Plan, arrivals uint64) (*world, []journey.Walk) {
	w := newWorld(func(req *journey.Request, resp *journey.Response) (string, error) {
		resp.Status, resp.Body = 200, []byte(`{"token":"secret","id":"o-1","status":"shipped"}`)
		if bytes.HasSuffix(req.URL, []byte("/orders")) {
			resp.Status = 201
		}
		return "", nil
	})
	walker := w.walker(p)
	var all []journey.Walk
	for n := range arrivals {
		all = append(all, walker.Walk(journey.Arrival{Number: n, Due: time.Since(w.began)}))
	}
	return w, all
}
