package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Dialer connects a service with what it depends on, and can be told to dial
// another address for one. A nil Dialer is never told.
type Dialer struct {
	net net.Dialer

	mu     sync.Mutex // guards what is below
	routes map[string]string
	open   map[*dialed]struct{}
}

// NewDialer returns a Dialer that dials as net/http does.
func NewDialer() *Dialer {
	return &Dialer{
		net:    net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second},
		routes: make(map[string]string),
		open:   make(map[*dialed]struct{}),
	}
}

// DialContext connects to addr, or to where it is rerouted.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	for {
		to := d.route(addr)
		c, err := d.net.DialContext(ctx, network, to)
		if err != nil {
			return nil, err
		}
		if kept, ok := d.keep(c, addr, to); ok {
			return kept, nil
		}
		c.Close() // the route has changed meanwhile
	}
}

func (d *Dialer) route(addr string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if to, ok := d.routes[addr]; ok {
		return to
	}
	return addr
}

// keep remembers a connection that was asked for as addr and goes to to.
func (d *Dialer) keep(c net.Conn, addr, to string) (*dialed, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now, ok := d.routes[addr]; ok && now != to || !ok && addr != to {
		return nil, false
	}
	kept := &dialed{Conn: c, dialer: d, addr: addr}
	d.open[kept] = struct{}{}
	return kept, true
}

// reroute dials to for from, and hangs up on what was dialled as from, now and
// when it ends.
func (d *Dialer) reroute(from, to string) (end func(), err error) {
	if err := d.set(from, to); err != nil {
		return nil, err
	}
	d.hangUp(from)
	return func() {
		d.unset(from)
		d.hangUp(from)
	}, nil
}

func (d *Dialer) set(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if other, ok := d.routes[from]; ok {
		return fmt.Errorf("parameter \"from\": %s is rerouted to %s already", from, other)
	}
	d.routes[from] = to
	return nil
}

func (d *Dialer) unset(from string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.routes, from)
}

func (d *Dialer) hangUp(addr string) {
	d.mu.Lock()
	var all []*dialed
	for c := range d.open {
		if c.addr == addr {
			all = append(all, c)
		}
	}
	d.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

// dialed is a connection that its Dialer can hang up on.
type dialed struct {
	net.Conn
	dialer *Dialer
	addr   string // as asked for
}

// Close implements net.Conn. A second one is no error: either side may come first.
func (c *dialed) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.open, c)
	c.dialer.mu.Unlock()
	if err := c.Conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Dial is DialContext for NATS.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), natsDialTimeout)
	defer cancel()
	return d.DialContext(ctx, network, addr)
}

// natsDialTimeout is NATS's own.
const natsDialTimeout = 2 * time.Second
