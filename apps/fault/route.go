package fault

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// route selects requests by method and path template. An empty field matches
// anything.
type route struct{ method, template string }

func routeParam() Param {
	return Param{Name: "route", Type: String, Pattern: `(?:(?:[A-Z]+ )?/.*)?`, Default: "",
		Doc: "Route of the affected requests, such as \"/orders/:id\" or \"POST /orders\", with the path as in http_route; \"\" for all."}
}

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
