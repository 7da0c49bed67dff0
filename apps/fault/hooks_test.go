package fault

import (
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"firedrill/apps/internal/web"
)

// A nil Set returns its arguments unchanged.
func TestNilSet(t *testing.T) {
	var off *Set
	app := fiber.New()
	if got := off.Router(app); got != fiber.Router(app) {
		t.Error("Router returned another router")
	}
	d := &fakeDriver{}
	if got := off.Connector(d); got != d {
		t.Error("Connector returned another connector")
	}
	checks := map[string]web.Check{}
	checks["a"] = nil
	if got := off.Checks(checks); len(got) != 1 || got["a"] != nil {
		t.Error("Checks returned other checks")
	}
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	if got := off.Clock(func() time.Time { return noon })(); got != noon {
		t.Error("Clock returned another time")
	}
	off.Pool(nil)
	off.Poison(nil)
	off.Close()
	if off.Stampede() || off.NPlusOne() || off.Admin() != nil {
		t.Error("a nil Set shows a fault")
	}
	a := greeter(t, "a")
	c, err := off.DialContext(t.Context(), "tcp", a)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// Without an active fault, a request allocates nothing more than in a service
// with faults off.
func TestInactiveFaultsDoNotAllocate(t *testing.T) {
	allocations := func(s *Set) float64 {
		app := shop(s)
		handler := app.Handler()
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.SetMethod(http.MethodGet)
		ctx.Request.SetRequestURI("/orders/7")
		return testing.AllocsPerRun(1000, func() {
			ctx.ResetUserValues()
			ctx.Response.Reset()
			handler(&ctx)
		})
	}
	off, idle, used := allocations(nil), newSet(t, "orders"), newSet(t, "orders")
	if got := allocations(idle); got != off {
		t.Errorf("%v allocations per request, want %v as with faults off", got, off)
	}
	shop(used)
	begin(t, used, "errors", nil)()
	if got := allocations(used); got != off {
		t.Errorf("%v allocations per request after a fault, want %v as with faults off", got, off)
	}
}

// Middleware that is added with the routes still works.
func TestRouterPassesCallsOn(t *testing.T) {
	s := newSet(t, "orders")
	app := fiber.New()
	seen := 0
	r := s.Router(app)
	r.Use(func(c *fiber.Ctx) error { seen++; return c.Next() })
	r.Get("/a", func(c *fiber.Ctx) error { seen++; return c.Next() }, func(c *fiber.Ctx) error { return c.SendStatus(http.StatusTeapot) })
	if got := ask(app, http.MethodGet, "/a"); got != http.StatusTeapot || seen != 2 {
		t.Errorf("status %d after %d handlers, want 418 after 2", got, seen)
	}
}
