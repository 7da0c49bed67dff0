// Package wait waits for a time, for a condition, or for a URL to answer. Every wait ends when its context
// ends.
package wait

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Sleep waits for d. It returns false if ctx ends first or has ended.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// Until calls check until it is done or ctx ends, with pauses of length every between the calls. It returns the
// error of the call that was done. If ctx ends first, the error contains the cause and the error of the last
// call.
func Until(ctx context.Context, every time.Duration, check func() (done bool, err error)) error {
	for {
		done, err := check()
		if done {
			return err
		}
		if Sleep(ctx, every) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
		return context.Cause(ctx)
	}
}

const (
	readyEvery   = 100 * time.Millisecond
	probeTimeout = time.Second
	shownBytes   = 200 // of an answer, in an error
)

// Ready waits until each URL answers GET with status 200, or ctx ends. The error contains the last answer of
// the URL.
func Ready(ctx context.Context, client *http.Client, urls ...string) error {
	for _, url := range urls {
		err := Until(ctx, readyEvery, func() (bool, error) {
			err := Probe(ctx, client, url, probeTimeout)
			return err == nil, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Probe sends one GET. It returns nil if the URL answers with status 200 within the timeout. The error names
// the URL.
func Probe(ctx context.Context, client *http.Client, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("probe %s: %w", url, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err // names the URL
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, shownBytes)) // only for the error
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection can be reused
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	if text := strings.TrimSpace(string(body)); text != "" {
		return fmt.Errorf("%s answered %s: %s", url, resp.Status, text)
	}
	return fmt.Errorf("%s answered %s", url, resp.Status)
}
