package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthTimeout limits the request to one service.
const healthTimeout = time.Second

// health checks whether each part on this machine is ready. It is for
// containers that have no other HTTP client.
func health(ctx context.Context, chosen []part, s settings, _ io.Writer) error {
	for _, p := range chosen {
		if err := askReady(ctx, dialable(s.admin[p.name])); err != nil {
			return fmt.Errorf("check readiness of %q: %w", p.name, err)
		}
	}
	return nil
}

// dialable returns an address for reaching a listener on this machine. For a
// listener on all interfaces it is on the loopback interface.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// askReady returns nil if the admin listener reports that the service is ready.
func askReady(ctx context.Context, admin string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err // contains the URL
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // only for the error text
	return fmt.Errorf("%s responded %s: %s", admin, resp.Status, strings.TrimSpace(string(body)))
}
