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

// Names of the transports.
const (
	Fast     = "fast"     // fasthttp: HTTP/1.1 at the least cost; the default
	Standard = "standard" // net/http: HTTP/2 and proxies too
)

// biggestBody is how much of an answer is read; more is a failure.
const biggestBody = 64 << 20

// idle is how long a connection may be unused before it is closed. It is shorter
// than the 5 s that common servers allow, so that a request seldom meets a
// connection that the server is just closing: it would fail, for no request is
// ever sent twice.
const idle = 4 * time.Second

// TransportOptions of a transport.
type TransportOptions struct {
	Connections int           // most at once to a host
	Timeout     time.Duration // of a request, dialing included
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

func tlsConfig(insecure bool) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure} //nolint:gosec // the operator asked for it
}

// classify returns the failure class of an error that left no whole answer.
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

// readAll reads all of r into buf's memory, and more if it must.
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
