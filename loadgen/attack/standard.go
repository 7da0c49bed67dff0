package attack

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"firedrill/loadgen/journey"
)

// userAgent is the User-Agent header, unless the profile sets one.
const userAgent = "firedrill-load"

// standard is the transport over net/http, for HTTP/2 and proxies.
type standard struct {
	transport *http.Transport
	timeout   time.Duration
}

func newStandard(o TransportOptions) *standard {
	dialer := net.Dialer{Timeout: o.Timeout}
	return &standard{timeout: o.Timeout, transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, &dialer, network, address)
			if err != nil {
				return nil, err
			}
			return &counted{Conn: c}, nil
		},
		TLSClientConfig:     o.TLS,
		ForceAttemptHTTP2:   true,
		MaxConnsPerHost:     o.Connections,
		MaxIdleConnsPerHost: o.Connections,
		IdleConnTimeout:     idle,
		DisableCompression:  true,

		MaxResponseHeaderBytes: biggestHeader,
	}}
}

func (s *standard) close() { s.transport.CloseIdleConnections() }

func (s *standard) exchange() journey.Exchange { return &standardExchange{standard: s} }

type standardExchange struct {
	*standard
	body []byte
}

// counted is a connection that counts the bytes sent.
type counted struct {
	net.Conn
	sent atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sent.Add(int64(n))
	return n, err
}

// attempts counts how often net/http sends a request. It sends one again, without a way to prevent that, if the server
// had closed an idle connection, or if an HTTP/2 server says that it did not take the request.
type attempts struct {
	mu     sync.Mutex
	resent int
	last   *counted // connection of the last attempt; nil before the first
	before int64    // bytes sent on it before the attempt
}

// begin is called when an attempt gets a connection. An earlier attempt that sent nothing does not count.
func (a *attempts) begin(info httptrace.GotConnInfo) {
	under := info.Conn
	if over, ok := under.(*tls.Conn); ok {
		under = over.NetConn()
	}
	c, _ := under.(*counted)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last != nil && a.last.sent.Load() > a.before {
		a.resent++
	}
	if a.last = c; c != nil {
		a.before = c.sent.Load()
	}
}

func (a *attempts) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.resent
}

// Do makes a request. It never follows a redirect.
func (e *standardExchange) Do(req *journey.Request, resp *journey.Response) (class string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
	var tries attempts
	defer func() { resp.Resent = tries.count() }()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: tries.begin})
	r, err := http.NewRequestWithContext(ctx, req.Method, string(req.URL), bodyOf(req))
	if err != nil {
		return journey.FailConnection, err
	}
	r.Header["User-Agent"] = []string{userAgent}
	for _, field := range req.Header {
		setField(r, field)
	}
	r.Header["Traceparent"] = []string{string(req.Traceparent)}
	answer, err := e.transport.RoundTrip(r)
	if err != nil {
		return classify(err), plain(err)
	}
	defer answer.Body.Close()
	if e.body, err = readAll(answer.Body, e.body); err != nil {
		return classify(err), plain(err)
	}
	resp.Status, resp.Body = answer.StatusCode, e.body
	return "", nil
}

// bodyOf returns a reader of a copy of the body. net/http may read the body after it has
// returned the response, when the walker already reuses its buffers for the next request.
func bodyOf(req *journey.Request) io.Reader {
	if len(req.Body) == 0 {
		return http.NoBody
	}
	return bytes.NewReader(bytes.Clone(req.Body))
}

func setField(r *http.Request, field journey.Field) {
	value := string(field.Value)
	switch {
	case isHost(field.Name):
		r.Host = value
	case strings.EqualFold(field.Name, "Content-Length"): // net/http writes that of the body
	case strings.EqualFold(field.Name, "User-Agent"):
		r.Header["User-Agent"] = []string{value}
	case strings.EqualFold(field.Name, "Connection"): // net/http acts on it
		r.Header.Add(field.Name, value)
	default:
		r.Header[field.Name] = append(r.Header[field.Name], value)
	}
}

func isHost(name string) bool { return strings.EqualFold(name, "host") }

// plain rewords the errors of net/http that say what the library did rather than what the server did.
func plain(err error) error {
	switch text := err.Error(); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &partError{"within the answer", err}
	case errors.Is(err, io.EOF), strings.Contains(text, "server closed idle connection"):
		return &partError{"before an answer", io.EOF}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, context.DeadlineExceeded):
		return &partError{"before the answer was complete", err}
	case strings.Contains(text, "server response headers exceeded"):
		return errHeader
	}
	if _, what, ok := strings.Cut(err.Error(), "transport connection broken: "); ok {
		return fmt.Errorf("the answer is not good HTTP: %s", what)
	}
	return err
}
