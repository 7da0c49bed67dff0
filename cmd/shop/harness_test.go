package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"testing"
)

// freeOffset returns a port offset at which all ports of the shop are free. It
// stays below the range of ephemeral ports, from which another process could
// take a port while its service restarts.
func freeOffset(t *testing.T) int {
	t.Helper()
	for range 100 {
		offset := 12_000 + 200*rand.IntN(50)
		if offsetFree(offset) {
			return offset
		}
	}
	t.Fatal("found no free port offset in 100 attempts")
	return 0
}

func offsetFree(offset int) bool {
	all := []int{brokerAdmin}
	for _, port := range ports {
		all = append(all, port, port+adminGap)
	}
	for _, port := range all {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+offset)))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

func portURL(offset, port int) string { return fmt.Sprintf("http://127.0.0.1:%d", offset+port) }

// adminURLs returns the URL of each service's admin listener.
func adminURLs(offset int) map[string]string {
	urls := map[string]string{"broker": portURL(offset, brokerAdmin)}
	for name, port := range ports {
		if urls[name] == "" {
			urls[name] = portURL(offset, port+adminGap)
		}
	}
	return urls
}

// ready returns a condition for Await: the service is ready.
func ready(url string) func() (string, bool) {
	return func() (string, bool) {
		resp, err := http.Get(url + "/readyz")
		if err != nil {
			return err.Error(), false
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return fmt.Sprintf("%d %s", resp.StatusCode, body), resp.StatusCode == http.StatusOK
	}
}

// shopper is a customer of the gateway.
type shopper struct {
	base  string
	name  string
	http  *http.Client
	token string
}

// call sends in as JSON and returns the response, whatever its status.
func (s *shopper) call(ctx context.Context, method, path, key string, in any) (status int, answer []byte, err error) {
	return s.callFor(ctx, method, path, key, in, http.Header{})
}

// callFor is like call and also copies the response's headers into header.
func (s *shopper) callFor(ctx context.Context, method, path, key string, in any, header http.Header) (status int, answer []byte, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	maps.Copy(header, resp.Header)
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func (s *shopper) login(ctx context.Context) error {
	status, answer, err := s.call(ctx, http.MethodPost, "/login", "", map[string]string{"user": s.name, "password": "demo-" + s.name})
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("log in %s: %d %s", s.name, status, answer)
	}
	var out struct{ Token string }
	err = json.Unmarshal(answer, &out)
	s.token = out.Token
	return err
}
