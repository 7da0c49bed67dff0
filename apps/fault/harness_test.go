package fault

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"firedrill/apps/fault/client"
	"firedrill/apps/internal/web"
)

const testToken = "let me"

// newSet returns the faults of a service. They end with the test.
func newSet(t testing.TB, service string) *Set {
	t.Helper()
	s, err := New(Config{Service: service, Token: testToken, Dialer: NewDialer()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// begin starts a fault, which ends with the test or when end is called.
func begin(t testing.TB, s *Set, kind string, params map[string]any) (end func()) {
	t.Helper()
	if _, err := s.Begin(t.Context(), kind, Spec{Kind: kind, Params: params}, client.MaxLease); err != nil {
		t.Fatal(err)
	}
	return func() { s.End(kind) }
}

// shop returns an application with three routes that faults can act on, and one
// that they cannot.
func shop(s *Set) *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		status, _ := web.CodeOf(err).Status()
		return c.SendStatus(status)
	}})
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusOK) })
	routes := s.Router(app)
	ok := func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusNoContent) }
	routes.Get("/orders/:id", ok)
	routes.Post("/orders", ok)
	routes.Delete("/orders/:id", ok)
	return app
}

// ask serves one request in the calling goroutine and returns the status.
func ask(app *fiber.App, method, path string) int {
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod(method)
	ctx.Request.SetRequestURI(path)
	app.Handler()(&ctx)
	return ctx.Response.StatusCode()
}

// running returns the number of goroutines in a function of this package.
func running(function string) int {
	stacks := make([]byte, 4<<20)
	return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("\nfiredrill/apps/fault."+function+"("))
}

// heap returns the memory in use after a garbage collection, and the total
// allocated, in bytes.
func heap() (inUse, total float64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), float64(m.TotalAlloc)
}
