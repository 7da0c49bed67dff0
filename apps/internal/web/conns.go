package web

import (
	"net"
	"sync"
	"time"
)

// silentGrace is how long a shutdown waits for connections that have not sent
// anything yet.
const silentGrace = 500 * time.Millisecond

// listener tracks the connections that have not sent anything yet. Clients open
// some in advance. fasthttp counts them as active requests, so a shutdown would
// wait for them until its time is up.
type listener struct {
	net.Listener

	mu     sync.Mutex // guards silent
	silent map[*conn]struct{}
}

func newListener(l net.Listener) *listener {
	return &listener{Listener: l, silent: make(map[*conn]struct{})}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: accepted}
	c.forget = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.silent, c)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent[c] = struct{}{}
	return c, nil
}

// hangUp closes the silent connections.
func (l *listener) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.silent {
		_ = c.Conn.Close() // no request was in progress
	}
}

// conn is silent until data is read from it or it is closed.
type conn struct {
	net.Conn
	spoke  sync.Once
	forget func()
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.spoke.Do(c.forget)
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.spoke.Do(c.forget)
	return c.Conn.Close()
}
