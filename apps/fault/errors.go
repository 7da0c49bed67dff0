package fault

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/fault/kinds"
	"firedrill/apps/internal/web"
)

// errBroken is the cause of injected failures as logs and spans show it. It does
// not say that it is one.
var errBroken = errors.New("the request could not be worked off")

// failures fails a share of the requests of a route.
type failures struct {
	where route
	ratio float64
	err   error
	dice  *dice
}

func newErrors(v kinds.Values) (effect, error) {
	code, status := web.Code(v.Text("code")), v.Integer("status")
	if code == "" {
		code = web.CodeOf(fiber.NewError(status))
	}
	if _, known := code.Status(); !known {
		return nil, fmt.Errorf("parameter \"code\": there is no code %q", code)
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
