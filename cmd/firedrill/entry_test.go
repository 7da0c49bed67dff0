package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Writes go to one program and queries to the other. The entry is ready when both are.
func TestEntry(t *testing.T) {
	ready := true
	backend := func(name string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ready" && !ready && name == "distributor" {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			body, _ := io.ReadAll(r.Body)
			io.WriteString(w, name+" "+r.Method+" "+r.URL.RequestURI()+" "+string(body))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	write := backend("distributor")
	handler, err := newEntry(write, backend("front end"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	for _, c := range []struct{ method, path, body, want string }{
		{http.MethodPost, "/loki/api/v1/push", "lines", "200 distributor POST /loki/api/v1/push lines"},
		{http.MethodPost, "/otlp/v1/logs", "lines", "200 distributor POST /otlp/v1/logs lines"},
		{http.MethodGet, "/loki/api/v1/query_range?query=%7Ba%3D%22b%22%7D", "", "200 front end GET /loki/api/v1/query_range?query=%7Ba%3D%22b%22%7D "},
		{http.MethodPost, "/loki/api/v1/query", "query=1", "200 front end POST /loki/api/v1/query query=1"},
		{http.MethodGet, "/api/traces/1", "", "200 front end GET /api/traces/1 "},
		{http.MethodGet, "/ready", "", "200 ready\n"},
	} {
		if got := ask(t, c.method, server.URL+c.path, c.body); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, got, c.want)
		}
	}
	ready = false
	if got, want := ask(t, http.MethodGet, server.URL+"/ready", ""), "503 "+write+"/ready answered 503 Service Unavailable\n"; got != want {
		t.Errorf("when one is not ready: %q, want %q", got, want)
	}
	if _, err := newEntry("", write); err == nil || !strings.Contains(err.Error(), `--write ""`) {
		t.Errorf("without --write: %v", err)
	}
}

// ask returns the status and the body of an answer.
func ask(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status[:3] + " " + string(text)
}
