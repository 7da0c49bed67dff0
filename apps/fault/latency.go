package fault

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/fault/kinds"
)

// latency delays a share of the requests of a route.
type latency struct {
	where  route
	share  float64
	most   time.Duration
	factor func(r *rand.Rand) float64 // of the median
	median time.Duration
	dice   *dice
	over   chan struct{}
}

func newLatency(v kinds.Values) (effect, error) {
	where, err := routeOf(v.Text("route"))
	if err != nil {
		return nil, err
	}
	factor, err := distribution(v.Text("distribution"), v.Number("spread"))
	if err != nil {
		return nil, err
	}
	return &latency{where: where, share: v.Number("share"), most: v.Duration("most"), factor: factor, median: v.Duration("median")}, nil
}

// distribution draws a delay as a factor of the median:
//
//	normal     1 + spread·N
//	lognormal  exp(spread·N)
//	pareto     (2(1-U))^-spread, whose scale is median·2^(-1/α) so that half is below the median
//
// with N of the standard normal and U of the uniform distribution on [0, 1).
func distribution(name string, spread float64) (func(*rand.Rand) float64, error) {
	switch name {
	case "constant":
		return func(*rand.Rand) float64 { return 1 }, nil
	case "normal":
		return func(r *rand.Rand) float64 { return 1 + spread*r.NormFloat64() }, nil
	case "lognormal":
		return func(r *rand.Rand) float64 { return math.Exp(spread * r.NormFloat64()) }, nil
	case "pareto":
		return func(r *rand.Rand) float64 { return math.Pow(2*(1-r.Float64()), -spread) }, nil
	}
	return nil, fmt.Errorf("parameter \"distribution\": there is none called %q", name)
}

func (l *latency) begin(s *Set, d *dice) (func(), error) {
	if err := s.serves(l.where); err != nil {
		return nil, err
	}
	l.dice, l.over = d, make(chan struct{})
	remove := s.requests.put(l)
	return func() {
		remove()
		close(l.over)
	}, nil
}

// request implements requester.
func (l *latency) request(c *fiber.Ctx) error {
	if !l.where.matches(c) || !l.dice.chance(l.share) {
		return nil
	}
	return sleep(c.UserContext(), l.delay(), l.over)
}

func (l *latency) delay() time.Duration {
	var factor float64
	l.dice.draw(func(r *rand.Rand) { factor = l.factor(r) })
	return time.Duration(min(max(0, factor*float64(l.median)), float64(l.most)))
}
