package fault

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// route is the requests that a fault is about: those of one template and method,
// "" for all.
type route struct{ method, template string }

func routeOf(text string) (route, error) {
	if text == "" {
		return route{}, nil
	}
	method, template, both := strings.Cut(text, " ")
	if !both {
		return route{template: text}, nil
	}
	if !strings.HasPrefix(template, "/") {
		return route{}, fmt.Errorf("parameter \"route\": %q is not a template such as \"/orders/:id\"", text)
	}
	return route{method, template}, nil
}

func (r route) matches(c *fiber.Ctx) bool {
	return r == (route{}) || r.covers(*c.Route())
}

func (r route) covers(served fiber.Route) bool {
	return (r.method == "" || r.method == served.Method) && (r.template == "" || r.template == served.Path)
}

func (r route) String() string { return strings.TrimSpace(r.method + " " + r.template) }
