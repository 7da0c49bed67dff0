package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
)

// serveArgument makes this program the server that receives the load, in its own process.
const serveArgument = "-serve"

// arrivals are the requests that the server received since the last query. The rate of every tool is measured
// here, in the same way.
type arrivals struct {
	Count int64 `json:"count"`
	First int64 `json:"first_ns"`
	Last  int64 `json:"last_ns"`
}

// rate returns the rate between the first and the last request, in requests a second.
func (a arrivals) rate() float64 {
	if a.Count < 2 {
		return 0
	}
	return float64(a.Count-1) / (float64(a.Last-a.First) / 1e9)
}

// serve answers "hello" on a free port of 127.0.0.1 until ctx ends. It prints its URL.
func serve(ctx context.Context, stdout io.Writer) error {
	var count, first, last atomic.Int64
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/arrivals", func(c *fiber.Ctx) error {
		return c.JSON(arrivals{count.Swap(0), first.Swap(0), last.Swap(0)})
	})
	app.Get("/", func(c *fiber.Ctx) error {
		now := time.Now().UnixNano()
		if count.Add(1) == 1 {
			first.Store(now)
		}
		last.Store(now)
		return c.SendString("hello")
	})
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = app.Shutdown() })
	fmt.Fprintln(stdout, "http://"+listener.Addr().String())
	return app.Listener(listener)
}

// server is a running server process.
type server struct {
	cmd *exec.Cmd
	url string
}

func startServer(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, serveArgument)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("read the server's address: %w", err)
	}
	return &server{cmd, strings.TrimSpace(line)}, nil
}

// stop kills the process.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stopFor stops the whole process for a time, with the same effect as a garbage collection, a failed disk or a
// busy neighbour.
func (s *server) stopFor(ctx context.Context, after, length time.Duration) {
	if sleep(ctx, after) {
		_ = s.cmd.Process.Signal(syscall.SIGSTOP) // fails only if the process has ended, which the tools notice
		sleep(ctx, length)
		_ = s.cmd.Process.Signal(syscall.SIGCONT)
	}
}

func sleep(ctx context.Context, length time.Duration) bool {
	select {
	case <-time.After(length):
		return true
	case <-ctx.Done():
		return false
	}
}

// arrived returns the arrivals since the last call.
func (s *server) arrived(ctx context.Context) (arrivals, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/arrivals", http.NoBody)
	if err != nil {
		return arrivals{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return arrivals{}, fmt.Errorf("ask the server what arrived: %w", err)
	}
	defer response.Body.Close()
	var a arrivals
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return arrivals{}, fmt.Errorf("ask the server what arrived: %w", err)
	}
	return a, nil
}
