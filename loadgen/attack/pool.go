package attack

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readBuffer is the size of a connection's read buffer, in bytes. A header may be longer; see biggestHeader.
const readBuffer = 4 << 10

// conn is a connection to a server.
type conn struct {
	net.Conn
	reader *bufio.Reader
	used   time.Time // when it last became idle

	raw  syscall.RawConn
	peek func(uintptr) bool
	one  [1]byte
	idle bool // what peek saw
}

// place is where a connection goes.
type place struct {
	encrypted bool
	host      string
}

// pool keeps idle connections by place.
type pool struct {
	dialer net.Dialer
	tls    *tls.Config

	mu   sync.Mutex
	idle map[place][]*conn // the most recently used last
}

// take returns an idle connection that the server has not closed; nil if there is none. deadline is that of its next request.
func (p *pool) take(to place, now, deadline time.Time) *conn {
	for {
		p.mu.Lock()
		list := p.idle[to]
		if len(list) == 0 {
			p.mu.Unlock()
			return nil
		}
		c := list[len(list)-1]
		p.idle[to] = list[:len(list)-1]
		p.mu.Unlock()
		if now.Sub(c.used) < idle && c.SetDeadline(deadline) == nil && c.quiet() {
			return c
		}
		c.Close()
	}
}

// put makes a connection idle. It closes the connection that has been idle for longest if nobody used it for too long.
func (p *pool) put(to place, c *conn, now time.Time) {
	c.used = now
	p.mu.Lock()
	list := append(p.idle[to], c)
	var old *conn
	if first := list[0]; now.Sub(first.used) >= idle {
		old = first
		list = append(list[:0], list[1:]...)
	}
	p.idle[to] = list
	p.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.idle {
		for _, c := range list {
			c.Close()
		}
	}
	clear(p.idle)
}

// dial opens a connection. deadline is that of its first request, including dialing.
func (p *pool) dial(to place, deadline time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	address := to.host
	if strings.LastIndexByte(address, ':') <= strings.LastIndexByte(address, ']') {
		address += map[bool]string{false: ":80", true: ":443"}[to.encrypted]
	}
	plain, err := dial(ctx, &p.dialer, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &conn{Conn: plain}
	if socket, ok := plain.(syscall.Conn); ok {
		if c.raw, err = socket.SyscallConn(); err != nil {
			plain.Close()
			return nil, fmt.Errorf("connect to %s: %w", address, err)
		}
	}
	c.peek = c.look
	if to.encrypted {
		name, _, _ := net.SplitHostPort(address)
		cfg := p.tls.Clone()
		cfg.ServerName = name
		over := tls.Client(plain, cfg)
		if err := over.HandshakeContext(ctx); err != nil {
			plain.Close()
			return nil, fmt.Errorf("TLS handshake with %s: %w", address, err)
		}
		c.Conn = over
	}
	if err := c.SetDeadline(deadline); err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	c.reader = bufio.NewReaderSize(c.Conn, readBuffer)
	return c, nil
}
