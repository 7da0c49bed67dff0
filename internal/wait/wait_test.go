package wait

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleep(t *testing.T) {
	for name, tt := range map[string]struct {
		ends time.Duration // of the context
		want bool
		took time.Duration
	}{
		"to its end":        {time.Hour, true, time.Minute},
		"until the context": {time.Second, false, time.Second},
		"already over":      {0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.ends)
				defer cancel()
				began := time.Now()
				if got := Sleep(ctx, time.Minute); got != tt.want || time.Since(began) != tt.took {
					t.Errorf("%v after %v, want %v after %v", got, time.Since(began), tt.want, tt.took)
				}
			})
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if Sleep(ctx, 0) {
		t.Error("a sleep of no time outlives its context")
	}
}

func TestUntil(t *testing.T) {
	late, broken := errors.New("not yet"), errors.New("broken")
	for name, tt := range map[string]struct {
		done  int   // number of the call that is done
		err   error // error of that call
		calls int
		took  time.Duration
		is    []error
	}{
		"at once":     {1, nil, 1, 0, nil},
		"at third":    {3, nil, 3, 2 * time.Second, nil},
		"for good":    {2, broken, 2, time.Second, []error{broken}},
		"out of time": {99, nil, 10, 9500 * time.Millisecond, []error{late, context.DeadlineExceeded}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
				defer cancel()
				began, calls := time.Now(), 0
				err := Until(ctx, time.Second, func() (bool, error) {
					if calls++; calls == tt.done {
						return true, tt.err
					}
					return false, late
				})
				if calls != tt.calls || time.Since(began) != tt.took || (err == nil) != (tt.is == nil) {
					t.Errorf("%d calls in %v: %v, want %d in %v: %v", calls, time.Since(began), err, tt.calls, tt.took, tt.is)
				}
				for _, want := range tt.is {
					if !errors.Is(err, want) {
						t.Errorf("%v is not %v", err, want)
					}
				}
			})
		})
	}
}

func TestReady(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls < 3 || r.URL.Path == "/never" {
			http.Error(w, "warming up", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	if err := Ready(t.Context(), server.Client(), server.URL+"/a", server.URL+"/b"); err != nil || calls != 4 {
		t.Errorf("%v after %d calls, want 4", err, calls)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
	defer cancel()
	err := Ready(ctx, server.Client(), server.URL+"/never")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "/never") {
		t.Errorf("%v", err)
	}
}

func TestProbe(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/sick":
			http.Error(w, "  no database\n", http.StatusServiceUnavailable)
		case "/mute":
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	for path, want := range map[string]string{
		"/": "", "/sick": "/sick answered 503 Service Unavailable: no database", "/mute": "/mute answered 204 No Content", "/slow": "deadline exceeded",
	} {
		timeout := 10 * time.Second
		if path == "/slow" {
			timeout = 50 * time.Millisecond
		}
		err := Probe(t.Context(), server.Client(), server.URL+path, timeout)
		if (want == "") != (err == nil) || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if err := Probe(t.Context(), server.Client(), "http://[", time.Second); err == nil || !strings.Contains(err.Error(), "http://[") {
		t.Errorf("%v", err)
	}
}
