package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"firedrill/internal/wait"
	"firedrill/loadgen/profile"
)

// resolve looks up every host, so that a wrong name is reported before the first request.
func resolve(ctx context.Context, hosts []profile.Host) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, h := range hosts {
		if _, err := net.DefaultResolver.LookupHost(ctx, h.Name); err != nil {
			return fmt.Errorf("%s: find the host %q: %w", h.Where, h.Name, err)
		}
	}
	return nil
}

// onThisMachine reports whether all hosts are loopback addresses. It returns false if there
// are no hosts.
func onThisMachine(hosts []profile.Host) bool {
	for _, h := range hosts {
		ip := net.ParseIP(h.Name)
		if h.Name != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return len(hosts) > 0
}

// await waits until the URL answers 200, for up to two minutes.
func await(ctx context.Context, url string) error {
	if url == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	err := wait.Until(ctx, 100*time.Millisecond, func() (bool, error) {
		said := answer(ctx, url)
		if said == http.StatusText(http.StatusOK) {
			return true, nil
		}
		return false, errors.New(said)
	})
	if err != nil {
		return fmt.Errorf("wait for %s to answer 200: %w", url, err)
	}
	return nil
}

// answer returns the text of the status with which a URL answers, or of the error if there
// is no answer.
func answer(ctx context.Context, url string) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	return http.StatusText(resp.StatusCode)
}
