package main

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"time"
)

// Case is a stack under measurement. It runs in its own process. The parent
// calls its methods.
type Case struct {
	stack  *stack
	caller *caller
}

// Spent is what the process has used since its start.
type Spent struct {
	CPU           time.Duration // user and system time
	Allocs, Bytes uint64        // total allocated, including freed
}

func spent() (Spent, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return Spent{}, fmt.Errorf("read CPU time of this process: %w", err)
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

// Collect runs the garbage collector, so that each run starts in the same
// state, and returns what the process has used so far.
func (c *Case) Collect(_ bool, s *Spent) (err error) {
	runtime.GC()
	*s, err = spent()
	return err
}

// Spend returns what the process has used so far.
func (c *Case) Spend(_ bool, s *Spent) (err error) {
	*s, err = spent()
	return err
}

// Run describes a series of requests without a network.
type Run struct {
	Requests int
	Rate     int // requests per second; 0: as fast as possible
}

// Ran is the time and resources that a Run used.
type Ran struct {
	Took time.Duration
	Spent
}

// pulse is the interval between groups of requests in a paced run: at 2,000/s,
// 200 requests at a time. 200 is small compared with every queue, so nothing is
// dropped. It is large compared with the cost of waking up, so the run measures
// the stacks and not the scheduler. The runs over loopback wake the process for
// each request.
const pulse = 100 * time.Millisecond

// Call makes the requests of a Run.
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

// flushTime is the time limit for exporting queued items.
const flushTime = 10 * time.Second

// Flush exports queued items.
func (c *Case) Flush(bool, *bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	return c.stack.flush(ctx)
}

// Sampled returns the number of spans that should be exported.
func (c *Case) Sampled(_ bool, n *int) (err error) {
	*n, err = c.stack.sampled()
	return err
}

// Listen serves the application on a free port until the process ends.
func (c *Case) Listen(_ bool, addr *string) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for requests: %w", err)
	}
	*addr = ln.Addr().String()
	go func() { _ = c.stack.app.Listener(ln) }() // if this ends early, the load gets errors
	return nil
}
