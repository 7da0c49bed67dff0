package attack

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
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
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dial(ctx, &dialer, network, addr)
		},
		TLSClientConfig:     o.TLS,
		ForceAttemptHTTP2:   true,
		MaxConnsPerHost:     o.Connections,
		MaxIdleConnsPerHost: o.Connections,
		IdleConnTimeout:     idle,
		DisableCompression:  true,
	}}
}

func (s *standard) close() { s.transport.CloseIdleConnections() }

func (s *standard) exchange() journey.Exchange { return &standardExchange{standard: s} }

type standardExchange struct {
	*standard
	body []byte
}

// Do makes a request. It never follows a redirect.
func (e *standardExchange) Do(req *journey.Request, resp *journey.Response) (class string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
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
		return classify(err), err
	}
	defer answer.Body.Close()
	if e.body, err = readAll(answer.Body, e.body); err != nil {
		return classify(err), err
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
	case http.CanonicalHeaderKey(field.Name) == "User-Agent":
		r.Header["User-Agent"] = []string{value}
	default:
		r.Header[field.Name] = append(r.Header[field.Name], value)
	}
}

func isHost(name string) bool { return strings.EqualFold(name, "host") }
