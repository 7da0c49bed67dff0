package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// plan is the size of the measurement.
type plan struct {
	Rounds   int           `json:"rounds"`
	Rate     int           `json:"requests_per_second"`
	Conns    int           `json:"connections"`
	Time     time.Duration `json:"run_ns"`
	Requests int           `json:"requests_at_full_speed"`
	Meter    bool          `json:"otelfiber_metrics"`
}

// subject is one case: a stack, a sampling ratio, and its process.
type subject struct {
	name, stack string
	ratio       float64
	*child
	addr string // where it listens
}

func (p plan) subjects() []*subject {
	usual := "usual"
	if !p.Meter {
		usual = "usual-no-meter"
	}
	return []*subject{
		{name: caseBare, stack: "bare", ratio: 1},
		{name: caseUsualAlways, stack: usual, ratio: 1},
		{name: caseOursAlways, stack: "ours", ratio: 1},
		{name: caseUsualTenth, stack: usual, ratio: 0.1},
		{name: caseOursTenth, stack: "ours", ratio: 0.1},
	}
}

// measure runs all cases. Each round runs every case once, so that other load
// on the machine affects all cases alike.
func (p plan) measure(ctx context.Context, progress io.Writer) (*results, error) {
	l, err := openLab(ctx, p, progress)
	defer l.close()
	if err != nil {
		return nil, err
	}
	r := newResults(p)
	for round := range p.Rounds {
		for _, s := range l.subjects {
			fmt.Fprintf(progress, "round %d of %d, %-12s in process …", round+1, p.Rounds, s.name)
			m, err := l.inProcess(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("measure %s in process: %w", s.name, err)
			}
			fmt.Fprintf(progress, " %.1f µs CPU per request, over loopback …", m.CPU)
			if err := l.overLoopback(ctx, s, &m); err != nil {
				return nil, fmt.Errorf("measure %s over loopback: %w", s.name, err)
			}
			fmt.Fprintf(progress, " %.1f µs, %.0f requests/s\n", m.NetCPU, m.NetMax)
			r.add(s.name, m)
		}
	}
	r.finish()
	return r, nil
}

// lab holds the processes of a measurement.
type lab struct {
	plan     plan
	sink     *child
	load     *child
	subjects []*subject
}

// openLab starts every process. The caller must close the lab even if err is
// not nil.
func openLab(ctx context.Context, p plan, progress io.Writer) (*lab, error) {
	l := &lab{plan: p}
	var err error
	if l.sink, err = startChild(ctx, progress, "sink"); err != nil {
		return l, err
	}
	if l.load, err = startChild(ctx, progress, "load"); err != nil {
		return l, err
	}
	var to Backends
	if err := l.sink.call(ctx, "Where", true, &to); err != nil {
		return l, err
	}
	for _, s := range p.subjects() {
		s.child, err = startChild(ctx, progress, "case", s.stack, fmt.Sprint(s.ratio), to.OTLP, to.Loki)
		if err != nil {
			return l, err
		}
		l.subjects = append(l.subjects, s)
		if err := s.call(ctx, "Listen", true, &s.addr); err != nil {
			return l, err
		}
		if err := l.warmUp(ctx, s); err != nil {
			return l, fmt.Errorf("warm up %s: %w", s.name, err)
		}
	}
	return l, nil
}

func (l *lab) close() {
	for _, s := range l.subjects {
		s.stop()
	}
	for _, c := range []*child{l.load, l.sink} {
		if c != nil {
			c.stop()
		}
	}
}

func (l *lab) warmUp(ctx context.Context, s *subject) error {
	_, err := l.watch(ctx, s, func() (int, error) {
		var ran Ran
		err := s.call(ctx, "Call", Run{Requests: l.plan.Rate, Rate: l.plan.Rate}, &ran)
		return l.plan.Rate, err
	})
	return err
}

// quiet is a number of requests too small to fill a batch. Nothing is exported
// during such a run, so its allocations are those of the request path.
const quiet = 200

// inProcess measures direct calls of the application, without a network.
func (l *lab) inProcess(ctx context.Context, s *subject) (m measures, err error) {
	var ran Ran
	call := func(r Run) func() (int, error) {
		return func() (int, error) { return r.Requests, s.call(ctx, "Call", r, &ran) }
	}
	if _, err := l.watch(ctx, s, call(Run{Requests: quiet})); err != nil {
		return m, err
	}
	m.PathAllocs, m.PathBytes = float64(ran.Allocs)/quiet, float64(ran.Bytes)/quiet

	paced := Run{Requests: int(l.plan.Time.Seconds() * float64(l.plan.Rate)), Rate: l.plan.Rate}
	w, err := l.watch(ctx, s, call(paced))
	if err != nil {
		return m, err
	}
	m.CPU, m.Lost = w.cpu(), w.lost
	m.Allocs, m.Bytes = float64(w.spent.Allocs)/float64(w.requests), float64(w.spent.Bytes)/float64(w.requests)

	w, err = l.watch(ctx, s, call(Run{Requests: l.plan.Requests}))
	m.Wall, m.FullLost = micros(ran.Took)/float64(l.plan.Requests), w.lost
	return m, err
}

// overLoopback measures the application as a server.
func (l *lab) overLoopback(ctx context.Context, s *subject, m *measures) error {
	var done Driven
	drive := func(d Drive) func() (int, error) {
		d.Addr, d.Conns, d.Time = s.addr, l.plan.Conns, l.plan.Time
		return func() (int, error) {
			err := l.load.call(ctx, "Drive", d, &done)
			return done.Requests, err
		}
	}
	w, err := l.watch(ctx, s, drive(Drive{Rate: l.plan.Rate}))
	if err != nil {
		return err
	}
	if fast := float64(done.Requests) / done.Took.Seconds() / float64(l.plan.Rate); fast < 0.97 {
		return fmt.Errorf("reached only %.0f %% of the rate: the machine is too busy to measure", 100*fast)
	}
	m.NetCPU, m.NetLost = w.cpu(), w.lost

	w, err = l.watch(ctx, s, drive(Drive{}))
	m.NetMax, m.NetMaxLost = float64(done.Requests)/done.Took.Seconds(), w.lost
	return err
}

// watched is the cost of a run, including the export of its telemetry.
type watched struct {
	requests int
	spent    Spent
	lost     Lost
}

func (w watched) cpu() float64 { return micros(w.spent.CPU) / float64(w.requests) }

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// watch measures a case from before do until the sink has received the
// telemetry of its requests, or until more waiting is useless.
func (l *lab) watch(ctx context.Context, s *subject, do func() (int, error)) (w watched, err error) {
	var before, after Spent
	var sampled, sampledBefore int
	var had Counts
	if err := errors.Join(
		s.call(ctx, "Sampled", true, &sampledBefore),
		l.sink.call(ctx, "Count", true, &had),
		s.call(ctx, "Collect", true, &before),
	); err != nil {
		return w, err
	}
	if w.requests, err = do(); err != nil {
		return w, err
	}
	var none bool
	if err := s.call(ctx, "Flush", true, &none); err != nil {
		return w, err
	}
	lines := 0
	if s.stack != "bare" {
		lines = w.requests
	}
	got, err := l.settle(ctx, had, lines)
	if err != nil {
		return w, err
	}
	// Counting the spans uses CPU, so it is done after the measurement.
	err = errors.Join(s.call(ctx, "Spend", true, &after), s.call(ctx, "Sampled", true, &sampled))
	w.spent = after.since(before)
	w.lost = Lost{Spans: sampled - sampledBefore - (got.Spans - had.Spans), Lines: lines - (got.Lines - had.Lines)}
	return w, err
}

const (
	batchDelay = 1300 * time.Millisecond // slightly more than the longest batch delay of a stack after Flush
	patience   = 5 * time.Second
)

// settle waits until the sink has the lines and has had time to receive the
// spans.
func (l *lab) settle(ctx context.Context, had Counts, lines int) (got Counts, err error) {
	began := time.Now()
	if lines == 0 {
		return had, nil
	}
	for {
		last := got
		if err := l.sink.call(ctx, "Count", true, &got); err != nil {
			return got, err
		}
		waited := time.Since(began)
		if waited > batchDelay && got == last && (got.Lines-had.Lines >= lines || waited > patience) {
			return got, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return got, context.Cause(ctx)
		}
	}
}
