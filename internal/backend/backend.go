// Package backend queries Prometheus, Loki, Tempo and Alertmanager over their HTTP APIs. It is for programs and
// tests that check telemetry rather than send it.
//
// It must not know what is queried: it contains no name of a metric, label or service.
package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ErrNotFound means that the backend answered and does not have the requested object.
var ErrNotFound = errors.New("not found")

// Error is a query without a usable answer. It unwraps to the cause: ErrNotFound, the context's error, an error
// of net/http, or a decoding error.
type Error struct {
	Backend string // "prometheus", "loki", "tempo" or "alertmanager"
	URL     string // of the endpoint, without its parameters
	Query   string // in the backend's language; empty if there is none
	Err     error
}

func (e *Error) Error() string {
	asked := ""
	if e.Query != "" {
		asked = " for " + e.Query
	}
	return fmt.Sprintf("ask %s at %s%s: %v", e.Backend, e.URL, asked, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

const (
	longestAnswer = 64 << 20 // bytes; a trace or a page of log lines is far smaller
	longestReason = 300      // bytes of an error page that an error contains
)

// backend is a client of one HTTP API.
type backend struct {
	name   string
	base   string
	client *http.Client
}

// newBackend returns a backend. It accepts only absolute HTTP URLs, so that a typing error is not mistaken for
// a backend that is down.
func newBackend(name, base string, client *http.Client) (backend, error) {
	u, err := url.Parse(base)
	if err == nil && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		err = errors.New("want http://host:port or https://host:port")
	}
	if err != nil {
		return backend{}, fmt.Errorf("URL of %s %q: %w", name, base, err)
	}
	if client == nil {
		client = http.DefaultClient
	}
	return backend{name: name, base: strings.TrimSuffix(base, "/"), client: client}, nil
}

// question is one GET request. query is the text of the query for error messages.
type question struct {
	path   string
	query  string
	params url.Values
	header http.Header
}

// get returns the body of the answer.
func (b backend) get(ctx context.Context, q question) ([]byte, error) {
	body, err := b.fetch(ctx, q)
	if err != nil {
		return nil, b.fail(q, err)
	}
	return body, nil
}

func (b backend) fail(q question, err error) error {
	var inner *url.Error // repeats the URL with all its parameters
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return &Error{Backend: b.name, URL: b.base + q.path, Query: q.query, Err: err}
}

func (b backend) fetch(ctx context.Context, q question) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+q.path, nil)
	if err != nil {
		return nil, err
	}
	req.URL.RawQuery = q.params.Encode()
	for key, values := range q.header {
		req.Header[key] = values
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case len(body) > longestAnswer:
		return nil, fmt.Errorf("the answer is longer than %d bytes", longestAnswer)
	case resp.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%w: status 404: %s", ErrNotFound, reason(body))
	case resp.StatusCode/100 != 2:
		return nil, fmt.Errorf("status %d: %s", resp.StatusCode, reason(body))
	}
	return body, nil
}

func reason(body []byte) string {
	text := strings.TrimSpace(string(body[:min(len(body), longestReason)]))
	if text == "" {
		return "no reason given"
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// textInt is a 64-bit integer that is encoded as a string, as in JSON for JavaScript.
type textInt int64

func (n *textInt) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	*n = textInt(v)
	return err
}
