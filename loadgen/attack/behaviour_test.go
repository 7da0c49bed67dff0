package attack_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"firedrill/internal/golden"
	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/result"
)

// peer is a connection of a scripted server. count counts a request that has arrived whole.
type peer struct {
	net.Conn
	in    *bufio.Reader
	count func()
}

// take reads a request whole; false at the end of the connection.
func (p *peer) take() bool {
	req, err := http.ReadRequest(p.in)
	if err != nil {
		return false
	}
	if _, err = io.Copy(io.Discard, req.Body); err != nil {
		return false
	}
	p.count()
	return true
}

func (p *peer) say(text string) { _, _ = io.WriteString(p, text) }

// reset closes the connection with RST.
func (p *peer) reset() {
	_ = p.Conn.(*net.TCPConn).SetLinger(0)
	p.Close()
}

// each answers each request of the connection with the text.
func each(text string) func(*peer) {
	return func(p *peer) {
		for p.take() {
			p.say(text)
		}
	}
}

// once answers one request of each connection and closes it.
func once(text string) func(*peer) {
	return func(p *peer) {
		if p.take() {
			p.say(text)
		}
	}
}

const fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// behaviour is what a server does, and what a browser or curl makes of it.
type behaviour struct {
	name   string
	method string // GET by default
	body   string
	serve  func(*peer)
	class  string // failure class; "": a good answer
	status string // status class
	bytes  int64  // of the body of one answer
	reason string // part of the reason for the failure
}

func behaviours() []behaviour {
	long := strings.Repeat("x", 30<<10)
	return []behaviour{
		{name: "102 and 103 before the answer", serve: each("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + fine), status: "2xx", bytes: 2},
		{name: "a 100 that nobody asked for", method: "POST", body: "b", serve: each("HTTP/1.1 100 Continue\r\n\r\n" + fine), status: "2xx", bytes: 2},
		{name: "closes each connection after an answer, without a word", serve: once(fine), status: "2xx", bytes: 2},
		{name: "closes each connection after an answer, without a word", method: "POST", body: "b", serve: once(fine), status: "2xx", bytes: 2},
		{name: "Connection: close", serve: once("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), status: "2xx", bytes: 2},
		{name: "closes before the answer", serve: once(""), class: "connection", status: "none", reason: "closed the connection before an answer"},
		{name: "closes within the header", serve: once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"), class: "connection", status: "none", reason: "closed the connection within the"},
		{name: "closes within a line of the header", serve: once("HTTP/1.1 200 OK\r\nContent-"), class: "connection", status: "none", reason: "header"},
		{name: "closes within the body", serve: once("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), class: "connection", status: "none", reason: "closed the connection within the"},
		{name: "closes within a chunked body", serve: once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"), class: "connection", status: "none", reason: "closed the connection within the"},
		{name: "resets before the answer", serve: func(p *peer) {
			if p.take() {
				p.reset()
			}
		}, class: "connection", status: "none", reason: "reset"},
		{name: "answers 413 to a long body and closes", method: "POST", body: strings.Repeat("b", 1<<20), serve: func(p *peer) {
			if _, err := http.ReadRequest(p.in); err == nil {
				p.count()
				p.say("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
				_, _ = io.Copy(io.Discard, p.in)
			}
		}, class: "status", status: "4xx", bytes: 3},
		{name: "a long body that is read", method: "POST", body: strings.Repeat("b", 1<<20), serve: each(fine), status: "2xx", bytes: 2},
		{name: "chunks and trailers", serve: each("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2;x=y\r\nok\r\n3\r\n...\r\n0\r\nX-A: b\r\n\r\n"), status: "2xx", bytes: 5},
		{name: "with a length and no body", method: "HEAD", serve: each("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), status: "2xx"},
		{name: "204", serve: each("HTTP/1.1 204 No Content\r\n\r\n"), status: "2xx"},
		{name: "304 with a length", serve: each("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"), status: "3xx"},
		{name: "HTTP/1.0, body until the end of the connection", serve: once("HTTP/1.0 200 OK\r\n\r\nuntil the end"), status: "2xx", bytes: 13},
		{name: "HTTP/1.0 with keep-alive", serve: each("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"), status: "2xx", bytes: 2},
		{name: "HTTP/1.1, body until the end of the connection", serve: once("HTTP/1.1 200 OK\r\n\r\nuntil the end"), status: "2xx", bytes: 13},
		{name: "a header line of 30 KB", serve: each("HTTP/1.1 200 OK\r\nX-Long: " + long + "\r\nContent-Length: 2\r\n\r\nok"), status: "2xx", bytes: 2},
		{name: "a header above 1 MB", serve: once("HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 3<<20) + "\r\n\r\n"), class: "connection", status: "none", reason: "the header of the answer is longer than 1024 KiB"},
		{name: "one byte at a time", serve: func(p *peer) {
			for p.take() {
				for i := range fine {
					p.say(fine[i : i+1])
				}
			}
		}, status: "2xx", bytes: 2},
		{name: "an answer that is not HTTP", serve: once("SSH-2.0-OpenSSH_9.6\r\n"), class: "connection", status: "none", reason: "HTTP"},
		{name: "two lengths that differ", serve: once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), class: "connection", status: "none", reason: "Content-Length"},
	}
}

// script starts a server that runs a script for each connection.
func script(t *testing.T, serve func(*peer)) (url string, arrived *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	arrived = new(atomic.Int64)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(&peer{c, bufio.NewReader(c), func() { arrived.Add(1) }})
			}()
		}
	}()
	return "http://" + listener.Addr().String(), arrived
}

// ask sends 10 requests a short time apart over one worker.
func ask(t *testing.T, url string, b behaviour, transport string) (*result.Result, map[string]string) {
	t.Helper()
	step := journey.Step{Method: b.method, URL: journey.Literal([]byte(url)), Body: journey.Literal([]byte(b.body))}
	if step.Method == "" {
		step.Method = http.MethodGet
	}
	plan, err := journey.NewPlan(journey.Settings{Scenarios: []journey.Scenario{{Name: "a", Weight: 1, Steps: []journey.Step{step}}}})
	if err != nil {
		t.Fatal(err)
	}
	a, collector := prepare(t, attack.Config{
		Schedule: whole(t, constant(50, 200*time.Millisecond)), Plan: plan, Transport: transport, Workers: 1,
	})
	r := collector.Finish(a.Run(t.Context()))
	return r, a.Errors()
}

func TestBehavioursOfServers(t *testing.T) {
	rows := []string{"| what the server does | default transport | `--transport standard` |", "| --- | --- | --- |"}
	for _, b := range behaviours() {
		name := b.name
		if b.method != "" {
			name += " (" + b.method + ")"
		}
		rows = append(rows, "| "+name+" |")
		for _, transport := range transports() {
			t.Run(b.name+", "+transport, func(t *testing.T) {
				url, arrived := script(t, b.serve)
				r, reasons := ask(t, url, b, transport)
				total := r.Total(nil)
				rows[len(rows)-1] += " " + reported(r, reasons) + " |"
				if got := failures(r); got[b.class] != 10 || total.Requests != 10 {
					t.Errorf("%d requests, failures %v: %v; want 10 of %q", total.Requests, got, reasons, b.class)
				}
				if in := r.Total(func(k result.Key) bool { return k.Class == b.status }); in.Requests != 10 {
					t.Errorf("%d answers of %s, want 10", in.Requests, b.status)
				}
				if total.BytesIn != 10*b.bytes {
					t.Errorf("%d bytes came in, want %d", total.BytesIn, 10*b.bytes)
				}
				if got := reasons[b.class]; b.reason != "" && !strings.Contains(got, b.reason) {
					t.Errorf("the reason is %q, want %q in it", got, b.reason)
				}
				if got := uint64(arrived.Load()); got < 10 || got > 10+total.Resent {
					t.Errorf("%d requests arrived of 10 that were due and %d sent again", got, total.Resent)
				}
			})
		}
	}
	if !t.Failed() && strings.Count(strings.Join(rows, ""), "|") == 4*len(rows) { // -run may have chosen a few
		holdTable(t, "../../docs/load.md", strings.Join(rows, "\n")+"\n")
	}
}

// reported returns what a run reports of its requests, which all had the same outcome.
func reported(r *result.Result, reasons map[string]string) string {
	var parts []string
	for i := range r.Groups {
		g := &r.Groups[i]
		switch {
		case g.Failed == 0:
			parts = append(parts, fmt.Sprintf("good, %s, %d bytes", g.Class, g.BytesIn/int64(g.Requests)))
		case g.Class != "none":
			parts = append(parts, fmt.Sprintf("failed, %s, %d bytes", g.Class, g.BytesIn/int64(g.Requests)))
		default:
			for class := range g.Failures {
				parts = append(parts, fmt.Sprintf("failed, %s: %s", class, reasons[class]))
			}
		}
	}
	return strings.Join(parts, "; ")
}

var update = flag.Bool("update", false, "write the table of behaviours into docs/load.md")

// holdTable compares the table between two marks in a file with the one that was measured.
func holdTable(t *testing.T, path, table string) {
	t.Helper()
	const begin, end = "<!-- behaviours: written by go test ./loadgen/attack -run Behaviours -update -->\n", "<!-- end of behaviours -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table of behaviours", path)
	}
	golden.Check(t, path, *update, []byte(before+begin+table+end+after))
}

// TestResentIsCounted has a server that takes the second request of each connection and closes without an answer. That
// looks like an idle connection that was closed, so that a GET goes out again, and a POST does not.
func TestResentIsCounted(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST"} {
		for _, transport := range transports() {
			t.Run(fmt.Sprint(method, ", ", transport), func(t *testing.T) {
				answer := fine
				if method == "HEAD" {
					answer = "HTTP/1.1 200 OK\r\n\r\n"
				}
				url, arrived := script(t, func(p *peer) {
					if p.take() {
						p.say(answer)
						p.take()
					}
				})
				b := behaviour{method: method}
				if method == "POST" {
					b.body = "b"
				}
				r, reasons := ask(t, url, b, transport)
				total := r.Total(nil)
				if got := uint64(arrived.Load()); got != 10+total.Resent {
					t.Errorf("%d requests arrived of 10 that were due and %d sent again", got, total.Resent)
				}
				wantResent, wantFailed := uint64(9), uint64(0)
				if method == "POST" {
					wantResent, wantFailed = 0, 5
				}
				if total.Resent != wantResent || total.Failed != wantFailed {
					t.Errorf("%d sent again and %d failed (%v), want %d and %d", total.Resent, total.Failed, reasons, wantResent, wantFailed)
				}
			})
		}
	}
}

// TestServersThatCloseIdleConnections closes each connection a while after an answer, at about the time of the next request.
// No GET may fail, whichever comes first.
func TestServersThatCloseIdleConnections(t *testing.T) {
	for _, transport := range transports() {
		for _, after := range []time.Duration{time.Millisecond, 15 * time.Millisecond, 19 * time.Millisecond, 20 * time.Millisecond, 21 * time.Millisecond} {
			t.Run(fmt.Sprint(transport, ", ", after), func(t *testing.T) {
				url, arrived := script(t, func(p *peer) {
					for p.take() {
						p.say(fine)
						if p.SetReadDeadline(time.Now().Add(after)) != nil {
							return
						}
					}
				})
				r, reasons := ask(t, url, behaviour{}, transport)
				total := r.Total(nil)
				if total.Failed != 0 || total.Requests != 10 {
					t.Errorf("%d of %d failed: %v", total.Failed, total.Requests, reasons)
				}
				if got := uint64(arrived.Load()); got < 10 || got > 10+total.Resent {
					t.Errorf("%d requests arrived of 10 that were due and %d sent again", got, total.Resent)
				}
			})
		}
	}
}
