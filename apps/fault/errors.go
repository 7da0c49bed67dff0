package fault

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/internal/web"
)

func errorsKind() Kind {
	return Kind{
		Name: "errors",
		Doc: "Fails a share of the requests before the service works on them. Seen in the service's request metrics by status, in its " +
			"server spans and in its request log lines. Also seen in the same signals of its callers, which may retry.",
		Services: withRoutes,
		Params: []Param{
			{Name: "ratio", Type: Number, Min: 0, Max: 1, Default: 1.0, Doc: "Share of the requests that fail."},
			statusParam(),
			{Name: "code", Type: String, Pattern: "[a-z-]*", Default: "",
				Doc: "Code of the problem document, such as \"out-of-stock\" (409). If set, it determines the status."},
			routeParam(),
		},
		build: newErrors,
	}
}

func statusParam() Param {
	return Param{Name: "status", Type: Integer, OneOf: []any{400, 401, 404, 405, 413, 429, 500, 503, 504}, Default: 500,
		Doc: "HTTP status of the failed requests."}
}

// errBroken is the cause of injected failures in logs and spans. Its text does
// not reveal that the failure is injected.
var errBroken = errors.New("the request could not be processed")

// failures fails a share of the requests of a route.
type failures struct {
	where route
	ratio float64
	err   error
	dice  *dice
}

func newErrors(v Values) (effect, error) {
	code, status := web.Code(v.Text("code")), v.Integer("status")
	if code == "" {
		code = web.CodeOf(fiber.NewError(status))
	}
	if _, known := code.Status(); !known {
		return nil, fmt.Errorf("parameter \"code\": unknown code %q", code)
	}
	where, err := routeOf(v.Text("route"))
	if err != nil {
		return nil, err
	}
	return &failures{where: where, ratio: v.Number("ratio"), err: &web.Error{Code: code, Err: errBroken}}, nil
}

func (f *failures) begin(s *Set, d *dice) (func(), error) {
	if err := s.serves(f.where); err != nil {
		return nil, err
	}
	f.dice = d
	return s.requests.put(f), nil
}

// request implements requester.
func (f *failures) request(c *fiber.Ctx) error {
	if f.where.matches(c) && f.dice.chance(f.ratio) {
		return f.err
	}
	return nil
}
