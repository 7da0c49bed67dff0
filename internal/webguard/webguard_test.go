package webguard

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuard(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, tc := range []struct {
		name, method, host string
		header             map[string]string
		served             bool
	}{
		{"curl", "GET", "127.0.0.1:8108", nil, true},
		{"localhost", "GET", "localhost:8108", nil, true},
		{"IPv6", "GET", "[::1]:8108", nil, true},
		{"IPv4 in IPv6", "GET", "[::ffff:127.0.0.1]:8108", nil, true},
		{"another loopback address", "GET", "127.0.0.2:8108", nil, true},
		{"a name that was allowed", "GET", "console.example:8108", nil, true},
		{"rebinding", "GET", "evil.example:8108", nil, false},
		{"rebinding with a trailing dot", "GET", "evil.example.:8108", nil, false},
		{"a name that begins like an allowed one", "GET", "localhost.evil.example", nil, false},
		{"an address that is not the loopback", "GET", "192.168.1.2:8108", nil, false},
		{"no host", "GET", "", nil, false},
		{"own page", "POST", "127.0.0.1:8108", map[string]string{"Origin": "http://127.0.0.1:8108", "Sec-Fetch-Site": "same-origin"}, true},
		{"a form of another page", "POST", "127.0.0.1:8108", map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}, false},
		{"another port of this machine", "POST", "127.0.0.1:8108", map[string]string{"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"}, false},
		{"another scheme", "POST", "127.0.0.1:8108", map[string]string{"Origin": "https://127.0.0.1:8108"}, false},
		{"a sandboxed frame", "POST", "127.0.0.1:8108", map[string]string{"Origin": "null"}, false},
		{"an image of another page", "GET", "127.0.0.1:8108", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, false},
		{"a frame of another page", "GET", "127.0.0.1:8108", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, false},
		{"a form of another page that navigates", "POST", "127.0.0.1:8108", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, false},
		{"a link of another page", "GET", "127.0.0.1:8108", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, true},
		{"an address that was typed", "GET", "127.0.0.1:8108", map[string]string{"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "/", nil)
			r.Host = tc.host
			for k, v := range tc.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			Guard{Hosts: []string{"console.example"}}.Wrap(ok).ServeHTTP(w, r)
			if served := w.Code == http.StatusNoContent; served != tc.served || !served && w.Code != http.StatusForbidden {
				t.Errorf("status %d, want that it is served: %v", w.Code, tc.served)
			}
			if w.Header().Get("X-Frame-Options") != "DENY" {
				t.Error("the answer can be framed")
			}
		})
	}
}
