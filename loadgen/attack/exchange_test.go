package attack

import (
	"bytes"
	"net"
	"testing"
	"time"

	"firedrill/loadgen/journey"
)

// TestFastAllocatesNothing pins the allocations of a request on a connection that is open. The server answers each read
// with the same bytes and allocates nothing either.
func TestFastAllocatesNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		answer, buf := []byte("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 2\r\n\r\nok"), make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}()
	f := newFast(TransportOptions{Connections: 1, Timeout: time.Minute})
	defer f.close()
	x := f.exchange()
	req := &journey.Request{
		Method: "POST", URL: []byte("http://" + listener.Addr().String() + "/a?b=c"), Body: bytes.Repeat([]byte("b"), 100),
		Header: []journey.Field{{Name: "Content-Type", Value: []byte("text/plain")}}, Traceparent: []byte("00-1-2-01"),
	}
	var resp journey.Response
	got := testing.AllocsPerRun(1000, func() {
		if _, err := x.Do(req, &resp); err != nil || resp.Status != 200 || string(resp.Body) != "ok" {
			t.Fatal(err, resp.Status)
		}
	})
	if got != 0 {
		t.Errorf("a request makes %v allocations, want none", got)
	}
}

// TestIdleConnectionOutlivesItsDeadline has a connection that is idle for longer than the timeout of its last request. It
// is still good.
func TestIdleConnectionOutlivesItsDeadline(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	f := newFast(TransportOptions{Connections: 1, Timeout: time.Minute})
	defer f.close()
	to := place{host: listener.Addr().String()}
	now := time.Now()
	c, err := f.pool.dial(to, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDeadline(now.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	f.pool.put(to, c, now)
	if got := f.pool.take(to, now.Add(idle/2), now.Add(time.Minute)); got != c {
		t.Errorf("took %v, want the idle connection", got)
	}
	f.pool.put(to, c, now)
	if got := f.pool.take(to, now.Add(idle), now.Add(time.Minute)); got != nil {
		t.Error("took a connection that was idle for too long")
	}
}
