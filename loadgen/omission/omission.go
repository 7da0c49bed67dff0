// Package omission demonstrates coordinated omission. A server stalls on purpose, and a closed loop and an open loop
// measure the same stall. The workers of a closed loop wait for the server, so they send nothing while it stalls, and the
// requests that they did not send are missing from their percentiles. An open loop measures from when each request was
// due. (G. Tene, "How NOT to Measure Latency", 2013.)
//
// It must not know how the open loop sends requests; package attack does that.
package omission

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"firedrill/loadgen/result"
)

// Config configures a demonstration. Zero values mean the defaults.
type Config struct {
	Rate    int           `json:"rate"`      // requests a second; default 1,000
	Workers int           `json:"workers"`   // connections; default 50
	Length  time.Duration `json:"length_ns"` // length of each of the two runs; default 10 s
	StallAt time.Duration `json:"stall_at_ns"`
	Stall   time.Duration `json:"stall_ns"` // how long the server does not answer; default 1 s
}

// withDefaults replaces zero values by the defaults.
func (c Config) withDefaults() Config {
	for _, d := range []struct {
		value *time.Duration
		or    time.Duration
	}{{&c.Length, 10 * time.Second}, {&c.StallAt, 4 * time.Second}, {&c.Stall, time.Second}} {
		if *d.value == 0 {
			*d.value = d.or
		}
	}
	if c.Rate == 0 {
		c.Rate = 1000
	}
	if c.Workers == 0 {
		c.Workers = 50
	}
	return c
}

// Validate returns an error if Run would refuse the config.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Rate < 1 || c.Workers < 1 || c.Length <= 0 || c.Stall <= 0 || c.StallAt < 0:
		return errors.New("rate, workers, length and stall must be above 0")
	case c.Workers > c.Rate:
		return fmt.Errorf("%d workers at %d requests a second: each must send at least one a second", c.Workers, c.Rate)
	case c.StallAt+c.Stall > c.Length:
		return fmt.Errorf("a stall of %v at %v does not end within %v", c.Stall, c.StallAt, c.Length)
	}
	return nil
}

// Demo has the measurements of both loops.
type Demo struct {
	Config   Config `json:"config"`
	Intended uint64 `json:"intended"` // number of requests at the configured rate
	Closed   Side   `json:"closed"`
	Open     Side   `json:"open"`
}

// Side has the measurements of one loop.
type Side struct {
	Sent      uint64           `json:"sent"`
	Latencies result.Histogram `json:"latencies"` // as this loop measures them
	// Longest has the longest latency in each binWidth, of the requests that were due (open loop) or sent (closed loop) in
	// it; 0 if there were none.
	Longest []time.Duration `json:"longest_ns"`

	mu sync.Mutex
}

// binWidth is the time resolution of the picture.
const binWidth = 50 * time.Millisecond

// Run runs the closed loop and then the open loop, each against a new server on a free port of 127.0.0.1. It calls
// progress with a line for each loop.
func Run(ctx context.Context, cfg Config, progress func(line string)) (*Demo, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	demo := &Demo{Config: cfg, Intended: uint64(float64(cfg.Rate) * cfg.Length.Seconds())}
	for _, l := range []loop{
		{"closed loop", &demo.Closed, cfg.closedLoop, func(s result.Sample) time.Duration { return s.Sent }},
		{"open loop", &demo.Open, cfg.openLoop, func(s result.Sample) time.Duration { return s.Due }},
	} {
		progress(fmt.Sprintf("%s: %d requests a second for %v over %d connections; the server stalls for %v after %v",
			l.name, cfg.Rate, cfg.Length, cfg.Workers, cfg.Stall, cfg.StallAt))
		url, stop, err := stallingServer(ctx, cfg.StallAt, cfg.Stall)
		if err != nil {
			return nil, err
		}
		err = errors.Join(l.run(ctx, url, l.tell), stop(), ctx.Err())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return demo, nil
}

// loop is a way to load a server. It measures latencies from the time that begin returns.
type loop struct {
	name  string
	side  *Side
	run   func(ctx context.Context, url string, tell func(result.Sample)) error
	begin func(result.Sample) time.Duration
}

func (l *loop) tell(s result.Sample) {
	begin := l.begin(s)
	l.side.add(max(0, begin), s.Done-begin)
}

// add adds a request. It is safe for concurrent use.
func (s *Side) add(begin, latency time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Sent++
	s.Latencies.Record(latency)
	bin := int(begin / binWidth)
	if more := bin + 1 - len(s.Longest); more > 0 {
		s.Longest = append(s.Longest, make([]time.Duration, more)...)
	}
	s.Longest[bin] = max(s.Longest[bin], latency)
}

// stallingServer starts a server that answers at once, except from at until at+stall after
// its first request. In that time it answers nothing.
func stallingServer(ctx context.Context, at, stall time.Duration) (url string, stop func() error, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start the stalling server: %w", err)
	}
	began := sync.OnceValue(time.Now)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if since := time.Since(began()); since >= at && since < at+stall {
			time.Sleep(at + stall - since)
		}
		w.WriteHeader(http.StatusOK)
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	stop = func() error {
		err := server.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}
	return "http://" + listener.Addr().String(), stop, nil
}
