package fault

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/fault/kinds"
	"firedrill/apps/internal/web"
)

func newBadDeploy(v kinds.Values) (effect, error) {
	return &badDeploy{
		version: v.Text("version"), share: v.Number("share"), ratio: v.Number("ratio"), delay: v.Duration("delay"),
		err: &web.Error{Code: web.CodeOf(fiber.NewError(v.Integer("status"))), Err: errBroken},
	}, nil
}

type badDeploy struct {
	version      string
	share, ratio float64
	delay        time.Duration
	err          error
	dice         *dice
	over         chan struct{}
}

func (b *badDeploy) begin(s *Set, d *dice) (func(), error) {
	b.dice, b.over = d, make(chan struct{})
	remove := s.requests.put(b)
	return func() {
		remove()
		close(b.over)
	}, nil
}

// request implements requester.
func (b *badDeploy) request(c *fiber.Ctx) error {
	if !b.dice.chance(b.share) {
		return nil
	}
	web.ServedBy(c, b.version)
	if err := sleep(c.UserContext(), b.delay, b.over); err != nil {
		return err
	}
	if b.dice.chance(b.ratio) {
		return b.err
	}
	return nil
}
