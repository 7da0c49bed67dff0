package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firedrill/apps/fault/client"
)

// TestRefusals holds that each answer of a service becomes the error that says what to do.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		is     error
		want   string
	}{
		{http.StatusNotFound, `{}`, client.ErrOff, "PUT /faults/a of bank: " + client.ErrOff.Error()},
		{http.StatusUnauthorized, `{}`, client.ErrToken, client.ErrToken.Error()},
		{http.StatusConflict, `{}`, client.ErrTaken, client.ErrTaken.Error()},
		{http.StatusBadRequest, `{"title": "The request cannot be understood", "detail": "kind \"x\""}`, nil,
			`PUT /faults/a of bank: status 400: The request cannot be understood: kind "x"`},
		{http.StatusServiceUnavailable, `{"title": "Not now"}`, nil, "status 503: Not now"},
		{http.StatusBadGateway, "<html>", nil, "PUT /faults/a of bank: status 502"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret" {
				t.Errorf("authorization %q", r.Header.Get("Authorization"))
			}
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte(tc.body))
		}))
		err := client.New("bank", s.URL, "secret", http.DefaultClient).Begin(t.Context(), "a", client.Spec{Kind: "x"}, time.Second)
		s.Close()
		if err == nil || !strings.Contains(err.Error(), tc.want) || tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("status %d: error %v, want %q", tc.status, err, tc.want)
		}
	}
}

// TestStatusThatIsNone holds that an answer that is no status is an error, and not a service without faults.
func TestStatusThatIsNone(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer s.Close()
	if _, err := client.New("bank", s.URL, "secret", http.DefaultClient).Status(t.Context()); err == nil || !strings.Contains(err.Error(), "decode the answer of bank") {
		t.Errorf("error %v", err)
	}
}
