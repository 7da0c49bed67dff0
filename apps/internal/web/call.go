package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"firedrill/telemetry/client"
)

// longestAnswer is the maximum number of bytes read of another service's
// response.
const longestAnswer = 1 << 20

// Caller calls one service. Its errors are of type *Error. Their code is the
// one in the response, or Unavailable or TimedOut if there is none.
type Caller struct {
	Peer string // name of the service, for errors
	Base string // URL without a trailing slash
	HTTP *http.Client
}

// Call sends a request and decodes the JSON body of a 2xx response into out. in
// is sent as JSON; nil means no body. A nil out ignores the body. header may be
// nil.
func (c Caller) Call(ctx context.Context, method, path string, header http.Header, in, out any) error {
	req, err := c.request(ctx, method, path, header, in)
	if err != nil {
		return fmt.Errorf("create request %s %s to %s: %w", method, path, c.Peer, err)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return &Error{Code: codeOfTransport(err), Err: fmt.Errorf("%s %s of %s: %w", method, path, c.Peer, err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil {
		return &Error{Code: codeOfTransport(err), Err: fmt.Errorf("read response of %s to %s %s: %w", c.Peer, method, path, err)}
	}
	if resp.StatusCode >= 300 {
		return c.refusal(resp, body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &Error{Code: Unavailable, Err: fmt.Errorf("decode response of %s to %s %s: %w", c.Peer, method, path, err)}
	}
	return nil
}

func (c Caller) request(ctx context.Context, method, path string, header http.Header, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// refusal turns an error response into an *Error. A failure of the other
// service is Unavailable for our client, whatever its cause there.
func (c Caller) refusal(resp *http.Response, body []byte) *Error {
	e := &Error{
		Code: codeOfStatus(resp.StatusCode),
		Err:  fmt.Errorf("%s responded with status %d to %s %s", c.Peer, resp.StatusCode, resp.Request.Method, resp.Request.URL.Path),
	}
	var p Problem
	if json.Unmarshal(body, &p) == nil && strings.HasPrefix(p.Type, problemType) {
		e.Code, e.Detail, e.Instance = Code(strings.TrimPrefix(p.Type, problemType)), p.Detail, p.Instance
	}
	if e.Code == Internal {
		e.Code = Unavailable
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

func codeOfTransport(err error) Code {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return TimedOut
	}
	return Unavailable
}

// Healthy is a Check that calls the other service's /healthz. It has no span
// and no metrics, because it may run every second.
func (c Caller) Healthy(ctx context.Context) error {
	plain := Caller{Peer: c.Peer, Base: c.Base, HTTP: client.Uninstrumented(c.HTTP)}
	return plain.Call(ctx, http.MethodGet, "/healthz", nil, nil, nil)
}

// Decode decodes the JSON body of a request into into. An unknown field is an
// error, so a typo is not ignored. Its errors are of type *Error with code
// Malformed.
func Decode(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return &Error{Code: Malformed, Detail: jsonFault(err), Err: err}
	}
	if dec.More() {
		return Errorf(Malformed, "the body contains more than one JSON document")
	}
	return nil
}

// jsonFault describes what is wrong with a body, for its sender.
func jsonFault(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("field %q must not be a %s", kind.Field, kind.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field"):
		return strings.TrimPrefix(err.Error(), "json: ")
	}
	return "the body is not the expected JSON document"
}
