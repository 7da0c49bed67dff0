package attack

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"firedrill/loadgen/journey"
)

// fast is the transport over fasthttp. It makes a request at about a third of the cost of
// net/http. It does not follow redirects, decode bodies, or send a request twice.
type fast struct {
	client  *fasthttp.Client
	timeout time.Duration
}

func newFast(o TransportOptions) *fast {
	dialer := net.Dialer{Timeout: o.Timeout}
	return &fast{timeout: o.Timeout, client: &fasthttp.Client{
		Name:                      userAgent,
		Dial:                      func(addr string) (net.Conn, error) { return dial(context.Background(), &dialer, "tcp", addr) },
		TLSConfig:                 o.TLS,
		MaxConnsPerHost:           o.Connections,
		MaxIdleConnDuration:       idle,
		MaxIdemponentCallAttempts: 1,
		RetryIf:                   func(*fasthttp.Request) bool { return false },
		MaxResponseBodySize:       biggestBody,
		ReadBufferSize:            16 << 10, // the header of a response must fit
		DisablePathNormalizing:    true,
	}}
}

func (f *fast) close() { f.client.CloseIdleConnections() }

func (f *fast) exchange() journey.Exchange { return &fastExchange{fast: f} }

type fastExchange struct {
	*fast
	req  fasthttp.Request
	resp fasthttp.Response
}

// Do makes a request. It never follows a redirect.
func (e *fastExchange) Do(req *journey.Request, resp *journey.Response) (class string, err error) {
	r := &e.req
	r.Reset()
	r.Header.DisableNormalizing() // send header names as the profile has them
	r.Header.SetNoDefaultContentType(true)
	r.Header.SetMethod(req.Method)
	r.SetRequestURIBytes(req.URL)
	for _, field := range req.Header {
		if isHost(field.Name) {
			r.UseHostHeader = true
			r.Header.SetHostBytes(field.Value)
			continue
		}
		r.Header.AddBytesV(field.Name, field.Value)
	}
	r.Header.SetBytesV("traceparent", req.Traceparent)
	r.SetBodyRaw(req.Body)
	if err := e.client.DoTimeout(r, &e.resp, e.timeout); err != nil {
		return classifyFast(err), err
	}
	resp.Status, resp.Body = e.resp.StatusCode(), e.resp.Body()
	return "", nil
}

func classifyFast(err error) string {
	switch {
	case errors.Is(err, fasthttp.ErrTimeout), errors.Is(err, fasthttp.ErrDialTimeout):
		return journey.FailTimeout
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return journey.FailBody
	}
	return classify(err)
}
