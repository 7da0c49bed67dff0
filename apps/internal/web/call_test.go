package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestCall(t *testing.T) {
	type doc struct {
		N int `json:"n"`
	}
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		want    Error // Code "" means no error
		n       int
	}{
		{name: "good", n: 7, handler: func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Content-Type") == "application/json" && r.Header.Get("X-User-Id") == "u" {
				w.Write([]byte(`{"n":7}`))
			}
		}},
		{name: "problem document", want: Error{Code: OutOfStock, Detail: "two left", Instance: "/orders/1", RetryAfter: 3 * time.Second},
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "3")
				w.WriteHeader(http.StatusConflict)
				w.Write([]byte(`{"type":"urn:firedrill:problem:out-of-stock","detail":"two left","instance":"/orders/1"}`))
			}},
		{name: "internal error of the peer", want: Error{Code: Unavailable}, handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			w.Write([]byte(`{"type":"urn:firedrill:problem:internal"}`))
		}},
		{name: "404 without a problem document", want: Error{Code: NotFound}, handler: http.NotFound},
		{name: "not JSON", want: Error{Code: Unavailable}, handler: func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }},
		{name: "connection closed", want: Error{Code: Unavailable}, handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := httptest.NewServer(c.handler)
			defer srv.Close()
			var out doc
			err := Caller{Peer: "peer", Base: srv.URL, HTTP: srv.Client()}.
				Call(t.Context(), http.MethodPost, "/x", http.Header{"X-User-Id": {"u"}}, doc{1}, &out)
			if c.want.Code == "" {
				if err != nil || out.N != c.n {
					t.Fatalf("got %+v, %v; want n=%d", out, err, c.n)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			got := *e
			got.Err = nil
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestCallTimesOut(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err := Caller{Peer: "peer", Base: srv.URL, HTTP: srv.Client()}.Call(ctx, http.MethodGet, "/", nil, nil, nil)
	if CodeOf(err) != TimedOut {
		t.Errorf("by context: got %v, want %s", err, TimedOut)
	}
	hc := &http.Client{Timeout: 10 * time.Millisecond}
	err = Caller{Peer: "peer", Base: srv.URL, HTTP: hc}.Call(t.Context(), http.MethodGet, "/", nil, nil, nil)
	if CodeOf(err) != TimedOut {
		t.Errorf("by client: got %v, want %s", err, TimedOut)
	}
}

func TestCallConnectionRefused(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	caller := Caller{Peer: "peer", Base: srv.URL, HTTP: http.DefaultClient}
	if err := caller.Healthy(t.Context()); CodeOf(err) != Unavailable {
		t.Errorf("got %v, want %s", err, Unavailable)
	}
}
