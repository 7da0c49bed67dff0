package main

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"time"
)

// Case is a stack under measurement, in a process of its own. Its methods are
// called by the parent.
type Case struct {
	stack  *stack
	caller *caller
}

// Spent is what the process has used up so far.
type Spent struct {
	CPU           time.Duration // user and system
	Allocs, Bytes uint64        // ever allocated
}

func spent() (Spent, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return Spent{}, fmt.Errorf("read the CPU time used: %w", err)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	return Spent{
		CPU:    time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		Allocs: mem.Mallocs,
		Bytes:  mem.TotalAlloc,
	}, nil
}

func (s Spent) since(before Spent) Spent {
	return Spent{s.CPU - before.CPU, s.Allocs - before.Allocs, s.Bytes - before.Bytes}
}

// Collect collects garbage, so that each run starts alike, and returns what is
// spent by then.
func (c *Case) Collect(_ bool, s *Spent) (err error) {
	runtime.GC()
	*s, err = spent()
	return err
}

// Spend returns what is spent by now.
func (c *Case) Spend(_ bool, s *Spent) (err error) {
	*s, err = spent()
	return err
}

// Run is one run of requests without a network.
type Run struct {
	Requests int
	Rate     int // a second; 0: as fast as possible
}

// Ran is what the requests of a Run took from the first to the last.
type Ran struct {
	Took time.Duration
	Spent
}

// pulse is how often a paced run makes requests: 200 at a time at 2,000/s. That
// is few beside every queue, so that nobody drops, and many beside what waking
// up costs, so that it is the stacks that are measured and not the scheduler.
// How they fare when each request wakes the process, the runs over loopback tell.
const pulse = 100 * time.Millisecond

// Call calls the application directly.
func (c *Case) Call(r Run, ran *Ran) error {
	before, err := spent()
	if err != nil {
		return err
	}
	began := time.Now()
	if r.Rate == 0 {
		for range r.Requests {
			c.caller.call()
		}
	} else {
		c.pace(r, began)
	}
	ran.Took = time.Since(began)
	after, err := spent()
	ran.Spent = after.since(before)
	return err
}

func (c *Case) pace(r Run, began time.Time) {
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for done := 0; done < r.Requests; {
		<-tick.C
		due := min(r.Requests, int(time.Since(began).Seconds()*float64(r.Rate)))
		for ; done < due; done++ {
			c.caller.call()
		}
	}
}

// flushTime bounds how long exporting what waits may take.
const flushTime = 10 * time.Second

// Flush hurries the export of what waits.
func (c *Case) Flush(bool, *bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	return c.stack.flush(ctx)
}

// Sampled counts the spans that should be exported.
func (c *Case) Sampled(_ bool, n *int) (err error) {
	*n, err = c.stack.sampled()
	return err
}

// Listen serves the application on a free port until the process ends.
func (c *Case) Listen(_ bool, addr *string) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for load: %w", err)
	}
	*addr = ln.Addr().String()
	go func() { _ = c.stack.app.Listener(ln) }() // the load sees it when this ends early
	return nil
}
