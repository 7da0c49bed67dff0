// Package webguard protects a local HTTP server from web pages of others. Every browser on the machine can send requests
// to the loopback, so a page of another origin could otherwise act on the server (CSRF) or read from it (DNS rebinding).
//
// It must not know what the server does.
package webguard

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Guard decides which requests reach a server. The zero value accepts requests to loopback names only.
type Guard struct {
	// Hosts are further names, without a port, under which the server may be addressed.
	Hosts []string
}

// Wrap returns a handler that passes on requests that no page of another origin can have caused, and answers 403 to the
// others. It also sets headers that keep answers from being framed, sniffed or embedded.
func (g Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if why := g.Refuse(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Refuse returns why a request must not be served; "" if it may be.
func (g Guard) Refuse(r *http.Request) string {
	if !g.knows(r.Host) {
		return "this name is not one of this server; use 127.0.0.1 or localhost"
	}
	origin := r.Header.Get("Origin")
	if origin != "" && !sameOrigin(origin, r) {
		return "requests of pages of another origin are refused"
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none": // "" is no browser, "none" is a person who typed the address
	default:
		// A link from elsewhere may open a page, which shows it to a person and to nobody else.
		if !isNavigation(r) {
			return "requests of pages of another origin are refused"
		}
	}
	return ""
}

// knows reports whether host is an address or a name of this server. A name that an attacker's DNS resolves to the
// loopback is not.
func (g Guard) knows(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "localhost" || slices.Contains(g.Hosts, name) {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}

func sameOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false // also "null", the origin of sandboxed frames
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return u.Scheme == scheme && strings.EqualFold(u.Host, r.Host)
}

func isNavigation(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}
