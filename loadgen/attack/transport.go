package attack

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"firedrill/loadgen/journey"
)

// Names of transports.
const (
	Fast     = "fast"     // own connections: HTTP/1.1 at the lowest cost; the default
	Standard = "standard" // net/http: also HTTP/2 and proxies
)

// biggestBody is the maximum size of a response body, in bytes. A larger body is a failure.
const biggestBody = 64 << 20

// idle is how long a connection may be unused before it is closed. It is shorter than the 5
// s that common servers allow, so that a request seldom uses a connection that the server
// is closing. Such a request may have to be sent again.
const idle = 4 * time.Second

// TransportOptions configure a transport.
type TransportOptions struct {
	Connections int           // maximum number per host
	Timeout     time.Duration // time limit of a request, including dialing
	TLS         *tls.Config
}

// transport makes requests over connections that its exchanges share.
type transport interface {
	exchange() journey.Exchange
	close()
}

func newTransport(name string, o TransportOptions) (transport, error) {
	switch name {
	case Fast, "":
		return newFast(o), nil
	case Standard:
		return newStandard(o), nil
	}
	return nil, errors.New("no transport " + name + ": there are " + Fast + " and " + Standard)
}

// dial connects to an address, or to the Unix socket that it stands for.
func dial(ctx context.Context, d *net.Dialer, network, addr string) (net.Conn, error) {
	if socket, ok := journey.UnixSocket(addr); ok {
		return d.DialContext(ctx, "unix", socket)
	}
	return d.DialContext(ctx, network, addr)
}

func tlsConfig(insecure bool) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure} //nolint:gosec // the operator asked for it
}

// classify returns the failure class of an error that prevented a complete response.
func classify(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, errTooBig):
		return journey.FailBody
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return journey.FailTimeout
	case errors.As(err, &timeout) && timeout.Timeout():
		return journey.FailTimeout
	}
	return journey.FailConnection
}

var errTooBig = errors.New("the body is longer than allowed")

// readAll reads all of r into buf, and allocates more memory if buf is too small.
func readAll(r io.Reader, buf []byte) ([]byte, error) {
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) > biggestBody:
			return buf, errTooBig
		}
	}
}
