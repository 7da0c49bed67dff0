package attack_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/schedule"
)

// wire starts a server that records the bytes of each request. read returns them.
func wire(t *testing.T) (url string, read func() []string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	var mu sync.Mutex
	var all []string
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var raw bytes.Buffer
				for reader := bufio.NewReader(io.TeeReader(conn, &raw)); ; {
					req, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					mu.Lock()
					all = append(all, raw.String())
					mu.Unlock()
					raw.Reset()
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		got := all
		all = nil
		slices.Sort(got)
		return got
	}
}

// post returns a plan with data, a body and headers.
func post(t *testing.T, url string, seed uint64) *journey.Plan {
	t.Helper()
	names := journey.Names{"user": 0}
	tpl := func(text string) journey.Template {
		out, err := journey.Compile(text, names)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	plan, err := journey.NewPlan(journey.Settings{
		Seed: seed, Run: 42, Sampled: 0.5, Variables: 1, Data: []journey.Source{journey.Numbers{From: 1, To: 1 << 40}},
		Scenarios: []journey.Scenario{
			{Name: "get", Weight: 1, Steps: []journey.Step{{Method: "GET", URL: tpl(url + "/${seq}/${user}?x=${user}")}}},
			{Name: "post", Weight: 1, Steps: []journey.Step{{
				Method: "POST", URL: tpl(url + "/${seq}"), Body: tpl(`{"user":"${user}","id":"${uuid}"}`),
				Header: []journey.Header{{Name: "x-lower", Value: tpl("${user}")}, {Name: "Content-Type", Value: tpl("application/json")}},
			}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestSameSeedSameBytesAndShardsAddUp(t *testing.T) {
	for _, transport := range transports() {
		t.Run(transport, func(t *testing.T) {
			url, read := wire(t)
			s, err := schedule.New([]schedule.Stage{{Shape: schedule.Constant(2000, 150*time.Millisecond), Poisson: true}}, 3)
			if err != nil {
				t.Fatal(err)
			}
			send := func(seed uint64, shard schedule.Shard) []string {
				run(t, attack.Config{Schedule: s.Part(shard), Plan: post(t, url, seed), Transport: transport})
				return read()
			}
			first := send(5, schedule.Shard{})
			if len(first) != 300 {
				t.Fatalf("%d requests, want 300", len(first))
			}
			if again := send(5, schedule.Shard{}); !slices.Equal(first, again) {
				t.Error("the same seed sent other bytes")
			}
			if other := send(6, schedule.Shard{}); slices.Equal(first, other) {
				t.Error("another seed sent the same bytes")
			}
			var shards []string
			for i := 1; i <= 3; i++ {
				part := send(5, schedule.Shard{Index: i, Of: 3})
				if len(part) != 100 {
					t.Errorf("shard %d sent %d requests, want 100", i, len(part))
				}
				shards = append(shards, part...)
			}
			slices.Sort(shards)
			if !slices.Equal(first, shards) {
				t.Error("the shards sent other bytes than the whole")
			}
			if !strings.Contains(strings.Join(first, ""), "\r\nx-lower: ") {
				t.Error("names of headers are not sent as they are written")
			}
		})
	}
}
