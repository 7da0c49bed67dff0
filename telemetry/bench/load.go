package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Load makes requests to an application in another process.
type Load struct{}

// Drive says how.
type Drive struct {
	Addr  string
	Conns int
	Rate  int // a second; 0: each connection asks again at once
	Time  time.Duration
}

// Driven is what came of it.
type Driven struct {
	Requests int
	Took     time.Duration
}

// Drive makes requests for d.Time; every one must be answered with 200.
func (*Load) Drive(d Drive, done *Driven) error {
	client := &fasthttp.HostClient{Addr: d.Addr, MaxConns: d.Conns}
	defer client.CloseIdleConnections()
	var (
		count  atomic.Int64
		group  sync.WaitGroup
		failed = make(chan error, d.Conns)
	)
	began := time.Now()
	for i := range d.Conns {
		group.Go(func() {
			if err := d.connection(client, began, i, &count); err != nil {
				failed <- err
			}
		})
	}
	group.Wait()
	*done = Driven{Requests: int(count.Load()), Took: time.Since(began)}
	select {
	case err := <-failed:
		return fmt.Errorf("drive %s: %w", d.Addr, err)
	default:
		return nil
	}
}

// connection makes every d.Conns-th request of the schedule, from the i-th on.
func (d Drive) connection(client *fasthttp.HostClient, began time.Time, i int, count *atomic.Int64) error {
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	prepare(req, "http://"+d.Addr)
	for n := i; ; n += d.Conns {
		if d.Rate > 0 {
			due := began.Add(time.Duration(n) * time.Second / time.Duration(d.Rate))
			time.Sleep(time.Until(due))
		}
		if time.Since(began) >= d.Time {
			return nil
		}
		if err := client.Do(req, resp); err != nil {
			return err
		}
		if code := resp.StatusCode(); code != fasthttp.StatusOK {
			return fmt.Errorf("GET %s: status %d", productURI, code)
		}
		count.Add(1)
	}
}
