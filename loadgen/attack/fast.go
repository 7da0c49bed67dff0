package attack

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"firedrill/loadgen/journey"
)

// inOnePiece is the size of a body, in bytes, up to which a request is written before its answer is read. Sockets take
// that much without waiting for the server.
const inOnePiece = 16 << 10

// fast is the transport over connections of its own, for HTTP/1.1. It makes a request at about a third of the cost of
// net/http. It does not follow redirects or decode bodies.
type fast struct {
	pool    pool
	timeout time.Duration
}

func newFast(o TransportOptions) *fast {
	return &fast{timeout: o.Timeout, pool: pool{
		dialer: net.Dialer{Timeout: o.Timeout}, tls: o.TLS, idle: map[place][]*conn{},
	}}
}

func (f *fast) close() { f.pool.close() }

func (f *fast) exchange() journey.Exchange { return &fastExchange{fast: f} }

type fastExchange struct {
	*fast
	uri    fasthttp.URI
	to     place
	head   []byte // the request; its body too, if that is small
	rest   []byte // of the body, which is sent while the answer is read
	body   []byte
	answer answer
	sent   int
}

// Do makes a request. It never follows a redirect. It makes it again only if an idle connection broke before any byte of
// an answer came, and only if that is harmless; resp.Resent counts it.
func (e *fastExchange) Do(req *journey.Request, resp *journey.Response) (class string, err error) {
	resp.Resent = 0
	if err := e.prepare(req); err != nil {
		return journey.FailConnection, err
	}
	now := time.Now()
	deadline := now.Add(e.timeout)
	c := e.pool.take(e.to, now, deadline)
	if c != nil {
		err = e.over(c)
		if err != nil && e.mayResend(req, err) {
			if e.sent > 0 {
				resp.Resent = 1
			}
			c = nil
		}
	}
	if c == nil {
		if c, err = e.pool.dial(e.to, deadline); err == nil {
			err = e.over(c)
		} else {
			resp.Resent = 0
		}
	}
	if err != nil {
		return classify(err), err
	}
	resp.Status, resp.Body = e.answer.status, e.body
	return "", nil
}

// mayResend reports whether a request that failed on an idle connection may be sent again.
func (e *fastExchange) mayResend(req *journey.Request, err error) bool {
	if e.answer.read > 0 || classify(err) != journey.FailConnection {
		return false
	}
	return e.sent == 0 || repeatable(req)
}

// repeatable reports whether sending the request twice does the same as sending it once; see RFC 9110, section 9.2.2.
func repeatable(req *journey.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	for _, field := range req.Header {
		if strings.EqualFold(field.Name, "Idempotency-Key") {
			return true
		}
	}
	return false
}

// over makes the request over a connection, and keeps or closes it.
func (e *fastExchange) over(c *conn) error {
	e.sent = 0
	from, line := c.reader, e.answer.line
	e.answer = answer{from: from, line: line, method: e.answer.method}
	err := e.trade(c)
	if err != nil || !e.answer.keep || from.Buffered() > 0 {
		c.Close()
		return err
	}
	e.pool.put(e.to, c, time.Now())
	return nil
}

// trade writes the request and reads the answer.
func (e *fastExchange) trade(c *conn) error {
	var unsent error
	e.sent, unsent = c.Write(e.head)
	if unsent != nil {
		if isTimeout(unsent) {
			return unsent
		}
		// The server may have answered before it closed.
		if err := e.receive(); err != nil {
			return err
		}
		e.answer.keep = false
		return nil
	}
	if len(e.rest) == 0 {
		return e.receive()
	}
	return e.duplex(c)
}

// receive reads the final answer with its body.
func (e *fastExchange) receive() (err error) {
	if err = e.answer.final(); err == nil {
		e.body, err = e.answer.body(e.body[:0])
	}
	return err
}

// duplex writes the rest of the body while it reads the answer, because a server may answer before it has read
// everything. An answer of 400 and above ends the sending, as in curl.
func (e *fastExchange) duplex(c *conn) error {
	written := make(chan error, 1)
	go func() {
		_, err := c.Write(e.rest)
		written <- err
	}()
	err := e.receive()
	if err != nil || e.answer.status >= 400 {
		select {
		case unsent := <-written:
			if unsent != nil {
				e.answer.keep = false
			}
			return err
		default:
		}
		e.answer.keep = false
		_ = c.SetWriteDeadline(time.Unix(1, 0)) // ends the goroutine; the connection is closed next
		<-written                               //nolint:errcheck // err says why
		return err
	}
	if unsent := <-written; unsent != nil {
		e.answer.keep = false
	}
	return nil
}

// prepare writes the request into e.head and e.rest.
func (e *fastExchange) prepare(req *journey.Request) error {
	u := &e.uri
	u.DisablePathNormalizing = true
	if err := u.Parse(nil, req.URL); err != nil {
		return fmt.Errorf("parse URL %q: %w", req.URL, err)
	}
	encrypted := bytes.Equal(u.Scheme(), []byte("https"))
	if e.to.encrypted != encrypted || e.to.host != string(u.Host()) {
		e.to = place{encrypted: encrypted, host: string(u.Host())}
	}
	e.answer.method = req.Method
	host, agent := u.Host(), true
	for _, field := range req.Header {
		switch {
		case isHost(field.Name):
			host = field.Value
		case strings.EqualFold(field.Name, "User-Agent"):
			agent = false
		}
	}
	b := append(e.head[:0], req.Method...)
	b = append(append(append(b, ' '), u.RequestURI()...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), "\r\n"...)
	if agent {
		b = append(b, "User-Agent: "+userAgent+"\r\n"...)
	}
	e.head = e.fields(b, req)
	if e.rest = nil; len(req.Body) > inOnePiece {
		e.rest = req.Body
		return nil
	}
	e.head = append(e.head, req.Body...)
	return nil
}

// fields writes the rest of the header.
func (e *fastExchange) fields(b []byte, req *journey.Request) []byte {
	if name := e.uri.Username(); len(name) > 0 {
		pair := append(append(bytes.Clone(name), ':'), e.uri.Password()...)
		b = append(append(append(b, "Authorization: Basic "...), base64.StdEncoding.EncodeToString(pair)...), "\r\n"...)
	}
	for _, field := range req.Header {
		if isHost(field.Name) || strings.EqualFold(field.Name, "Content-Length") {
			continue
		}
		b = append(append(append(append(b, field.Name...), ": "...), field.Value...), "\r\n"...)
	}
	b = append(append(append(b, "traceparent: "...), req.Traceparent...), "\r\n"...)
	if len(req.Body) > 0 || req.Method == http.MethodPost || req.Method == http.MethodPut || req.Method == http.MethodPatch {
		b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(req.Body)), 10)
		b = append(b, "\r\n"...)
	}
	return append(b, "\r\n"...)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
