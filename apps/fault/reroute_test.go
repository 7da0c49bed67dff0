package fault

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"firedrill/apps/fault/client"
)

// greeter listens, tells its name to each who connects, and keeps the line open.
func greeter(t *testing.T, name string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			_, _ = io.WriteString(c, name)
		}
	}()
	return l.Addr().String()
}

// who dials and returns who answers there.
func who(t *testing.T, d *Dialer, addr string) (name string, c net.Conn) {
	t.Helper()
	c, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	b := make([]byte, 1)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	return string(b), c
}

// open is whether nothing was closed: a read waits.
func open(c net.Conn) bool {
	if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return false
	}
	_, err := c.Read(make([]byte, 1))
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestReroute(t *testing.T) {
	s := newSet(t, "orders")
	a, b, other := greeter(t, "a"), greeter(t, "b"), greeter(t, "o")
	_, early := who(t, s.dialer, a)
	_, beside := who(t, s.dialer, other)

	end := begin(t, s, "reroute", map[string]any{"from": a, "to": b})
	if open(early) {
		t.Error("a connection to the old address is open still")
	}
	name, meanwhile := who(t, s.dialer, a)
	if name != "b" {
		t.Errorf("%s answers, want b", name)
	}
	_, err := s.Begin(t.Context(), "another", Spec{Kind: "reroute", Params: map[string]any{"from": a, "to": other}}, client.MaxLease)
	if err == nil || !strings.Contains(err.Error(), `parameter "from": `+a+" is rerouted to "+b) {
		t.Errorf("a second detour: %v", err)
	}

	end()
	if open(meanwhile) {
		t.Error("a connection to the new address is open still")
	}
	if name, _ := who(t, s.dialer, a); name != "a" {
		t.Errorf("afterwards %s answers, want a", name)
	}
	if !open(beside) {
		t.Error("a connection that has nothing to do with it was closed")
	}
}

// Connections that are closed are forgotten, by whoever closes them.
func TestDialerForgets(t *testing.T) {
	d := NewDialer()
	a := greeter(t, "a")
	for range 3 {
		_, c := who(t, d, a)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("a second close: %v", err)
		}
	}
	if len(d.open) != 0 {
		t.Errorf("%d connections are remembered", len(d.open))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := d.DialContext(t.Context(), "tcp", l.Addr().String()); err == nil {
		t.Error("nobody is there, and yet it connected")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.DialContext(ctx, "tcp", a); err == nil {
		t.Error("it dialled for somebody who had left")
	}
}
