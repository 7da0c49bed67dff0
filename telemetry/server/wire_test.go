package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/telemetry"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

// listen serves app until the test ends and returns its address.
func listen(t *testing.T, app *fiber.App) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(listener) }()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// patience is the longest time that a test waits for a condition. It is only
// spent when a test fails.
const patience = 5 * time.Minute

// say connects to addr and sends text. The caller must close the connection.
func say(t *testing.T, addr, text string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// hangUp resets the connection, so that the other side's next write fails.
func hangUp(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	if err := conn.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("after %v, still not true: %s", patience, what)
}

// underWay returns the number of active requests.
func underWay(t *testing.T, tel *telemetry.Telemetry) (n float64) {
	t.Helper()
	for _, v := range telemetrytest.Series(t, tel.Registry(), "http_server_active_requests") {
		n += v
	}
	return n
}

func TestClientDisconnectsBeforeResponse(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
	app := shop(t, tel, fiber.Config{}, server.Options{})
	reached, release := make(chan struct{}), make(chan struct{})
	app.Get("/slow", func(c *fiber.Ctx) error {
		close(reached)
		<-release
		return c.SendString("too late")
	})
	conn := say(t, listen(t, app), "GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n")
	<-reached
	equal(t, underWay(t, tel), 1.0)
	hangUp(t, conn)
	close(release)
	eventually(t, "the request is over", func() bool { return underWay(t, tel) == 0 })
	equal(t, counted(t, tel), map[string]uint64{"GET /slow 200": 1})
}

func TestClientDisconnectsDuringStream(t *testing.T) {
	tel := telemetrytest.New(t, telemetry.Config{Service: "shop"})
	app := shop(t, tel, fiber.Config{}, server.Options{})
	left := make(chan error, 1)
	app.Get("/endless", func(c *fiber.Ctx) error {
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
			for {
				fmt.Fprint(w, strings.Repeat("x", 1<<10))
				if err := w.Flush(); err != nil {
					left <- err
					return
				}
			}
		})
		return nil
	})
	addr := listen(t, app)
	conn := say(t, addr, "GET /endless HTTP/1.1\r\nHost: shop\r\n\r\n")
	if _, err := io.CopyN(io.Discard, conn, 10<<10); err != nil {
		t.Fatal(err)
	}
	hangUp(t, conn)
	if err := <-left; err == nil {
		t.Error("the stream's writer got no error")
	}
	equal(t, underWay(t, tel), 0.0)
	equal(t, counted(t, tel), map[string]uint64{"GET /endless 200": 1})

	conn = say(t, addr, "GET /products/7 HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n") // the server still works
	defer conn.Close()
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(answer), `{"id":"7"}`) {
		t.Errorf("the next request got %q, %v", answer, err)
	}
}

func TestMalformedRequestsAreCounted(t *testing.T) {
	tests := []struct {
		name, sent string
		status     int
	}{
		{"TLS", "\x16\x03\x01\x00\x05hello\r\n\r\n", 400},
		{"not HTTP", "how are you\r\n\r\n", 400},
		{"invalid length", "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: many\r\n\r\n", 400},
		{"unknown method", "BREW / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n", 400},
		{"body too large", "POST /orders HTTP/1.1\r\nHost: shop\r\nContent-Length: 2000\r\n\r\n", 413},
		{"header too large", "GET / HTTP/1.1\r\nHost: " + strings.Repeat("x", 5000) + "\r\n\r\n", 431},
		{"header too slow", "GET / HTTP/1.1\r\nHost:", 408},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := telemetrytest.NewBackend(t)
			tel := telemetrytest.New(t, b.Config("shop"))
			cfg := fiber.Config{BodyLimit: 1000}
			if tt.status == http.StatusRequestTimeout {
				cfg.ReadTimeout = 500 * time.Millisecond // by then the first bytes have arrived
			}
			app := shop(t, tel, cfg, server.Options{})
			conn := say(t, listen(t, app), tt.sent)
			defer conn.Close()
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			equal(t, resp.StatusCode, tt.status)
			equal(t, counted(t, tel), map[string]uint64{fmt.Sprint("_OTHER unmatched ", tt.status): 1})
			equal(t, underWay(t, tel), 0.0)
			telemetrytest.Flush(t, tel)
			equal(t, len(b.Spans()), 1)
			equal(t, request(t, b).Fields["status"], any(float64(tt.status)))
		})
	}
}

// Fiber's strings point into buffers that later requests overwrite.
func TestFiberStringsAreCopied(t *testing.T) {
	b := telemetrytest.NewBackend(t)
	cfg := b.Config("shop")
	cfg.Logs.Delay, cfg.Traces.Delay = time.Hour, time.Hour // all lines and spans are sent at the end
	cfg.Logs.QueueBytes, cfg.Logs.BatchBytes = 64<<20, 64<<20
	tel := telemetrytest.New(t, cfg)
	app := shop(t, tel, fiber.Config{}, server.Options{})
	goOn, done := make(chan struct{}), make(chan struct{})
	app.Get("/kept/:id", func(c *fiber.Ctx) error {
		ctx := c.UserContext()
		log := tel.Logger().With("path", c.Path(), "header", c.Get("X-Note"))
		log.InfoContext(ctx, "kept", "id", c.Params("id"))
		if c.Params("id") == "first" {
			go func() {
				defer close(done)
				<-goOn
				log.InfoContext(ctx, "kept")
			}()
		}
		return nil
	})
	addr := listen(t, app)
	conn := say(t, addr, "") // one connection, so that its buffers are reused
	defer conn.Close()
	answers := bufio.NewReader(conn)
	get := func(id, note string) {
		fmt.Fprintf(conn, "GET /kept/%s HTTP/1.1\r\nHost: shop\r\nX-Note: %s\r\n\r\n", id, note)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	get("first", "note-first")
	for i := range 1000 {
		get(fmt.Sprintf("%05d", i), fmt.Sprintf("note-%05d", i))
	}
	close(goOn)
	<-done
	telemetrytest.Flush(t, tel)

	var first, all []string
	for _, l := range b.Lines() {
		if l.Fields["msg"] == "kept" {
			text := fmt.Sprint(l.Fields["path"], " ", l.Fields["header"], " ", l.Fields["id"])
			all = append(all, text)
			if strings.Contains(text, "first") {
				first = append(first, text)
			}
		}
	}
	equal(t, first, []string{"/kept/first note-first first", "/kept/first note-first <nil>"})
	equal(t, len(all), 1002)
	equal(t, all[500], "/kept/00499 note-00499 00499")
	paths := map[any]bool{}
	for _, s := range b.Spans() {
		paths[attrs(s)["url.path"]] = true
	}
	equal(t, len(paths), 1001)
}
