package kinds

import (
	"fmt"
	"slices"
	"strings"
)

// routeParam returns the parameter that limits a fault to the requests of one route.
func routeParam() Param {
	return Param{Name: "route", Type: String, Pattern: `(?:(?:[A-Z]+ )?/.*)?`, Default: "",
		Doc: "Requests it is about: \"/orders/:id\" or \"POST /orders\", as http_route tells them; \"\" for all."}
}

// statusParam returns the parameter with the status of failed requests.
func statusParam() Param {
	return Param{Name: "status", Type: Integer, OneOf: []any{400, 401, 404, 405, 413, 429, 500, 503, 504}, Default: 500,
		Doc: "HTTP status of the failed requests."}
}

// routeRule checks the route of a fault: with a method, a template must follow.
func routeRule(v Values) error {
	_, template, both := strings.Cut(v.Text("route"), " ")
	if both && !strings.HasPrefix(template, "/") {
		return fmt.Errorf("parameter \"route\": %q is not a template such as \"/orders/:id\"", v.Text("route"))
	}
	return nil
}

// Codes returns the codes of problem documents that a failed request may have. The
// services define them; a test of package fault compares the two lists.
func Codes() []string {
	return []string{
		"id-taken", "idempotency-key-reused", "in-progress", "internal", "malformed", "method-not-allowed", "not-found", "order-abandoned",
		"out-of-stock", "payment-declined", "timed-out", "too-large", "too-many-requests", "unauthenticated", "unavailable",
		"unknown-product", "voided",
	}
}

// errorsRule checks the code and the route of the errors kind.
func errorsRule(v Values) error {
	if code := v.Text("code"); code != "" && !slices.Contains(Codes(), code) {
		return fmt.Errorf("parameter \"code\": there is no code %q", code)
	}
	return routeRule(v)
}
