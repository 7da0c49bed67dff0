package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthcheck(t *testing.T) {
	answer := func(status int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" {
				t.Errorf("got a request for %s", r.URL.Path)
			}
			w.WriteHeader(status)
			w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	good, bad := answer(http.StatusOK, ""), answer(http.StatusServiceUnavailable, "database: gone")
	_, port, _ := strings.Cut(good, ":")
	for _, c := range []struct {
		name   string
		args   []string
		bank   string // address of its admin listener
		code   int
		stderr string
	}{
		{"ready", []string{"healthcheck", "bank"}, good, exitOK, ""},
		{"listening on all interfaces", []string{"healthcheck", "bank"}, "0.0.0.0:" + port, exitOK, ""},
		{"listening on all interfaces, IPv6", []string{"healthcheck", "bank"}, "[::]:" + port, exitOK, ""},
		{"not ready", []string{"healthcheck", "bank"}, bad, exitFailed, `check readiness of "bank": ` + bad + " responded 503 Service Unavailable: database: gone"},
		{"not running", []string{"healthcheck", "bank"}, "127.0.0.1:1", exitFailed, "connection refused"},
		{"no service", []string{"healthcheck"}, good, exitMisuse, "missing argument: SERVICE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			env := map[string]string{"SHOP_BANK_ADMIN_ADDR": c.bank}
			if code := run(t.Context(), c.args, getenvOf(env), &stdout, &stderr); code != c.code || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit %d, %q; want %d, %q", code, stderr.String(), c.code, c.stderr)
			}
		})
	}
}
