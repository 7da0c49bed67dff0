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

// healthTimeout bounds the answer of one service.
const healthTimeout = time.Second

// health asks each part on this machine whether it is ready. It is for containers
// that hold nothing else to ask with.
func health(ctx context.Context, chosen []part, s settings, _ io.Writer) error {
	for _, p := range chosen {
		if err := askReady(ctx, dialable(s.admin[p.name])); err != nil {
			return fmt.Errorf("ask %q whether it is ready: %w", p.name, err)
		}
	}
	return nil
}

// dialable is where a listener on this machine is reached: one on all interfaces
// is on the loopback too.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

// askReady returns nil if the admin listener says that its service is ready.
func askReady(ctx context.Context, admin string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+admin+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err // names the URL
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // only to explain
	return fmt.Errorf("%s answered %s: %s", admin, resp.Status, strings.TrimSpace(string(body)))
}
