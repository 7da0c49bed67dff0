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

// Drive describes a load.
type Drive struct {
	Addr  string
	Conns int
	Rate  int // requests per second; 0: each connection sends the next request at once
	Time  time.Duration
}

// Driven is the result of a Drive.
type Driven struct {
	Requests int
	Took     time.Duration
}

// Drive makes requests for d.Time. It returns an error if a status is not 200.
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
		return fmt.Errorf("send requests to %s: %w", d.Addr, err)
	default:
		return nil
	}
}

// connection makes the requests i, i+d.Conns, i+2*d.Conns and so on.
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
