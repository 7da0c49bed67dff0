package fault

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/internal/web"
)

func badDeployKind() Kind {
	return Kind{
		Name: "bad_deploy",
		Doc: "Serves a share of the requests with another version of the service, which has a regression: some requests fail, or all take longer. " +
			"The version appears in every signal, as for a canary: in the label \"version\" of shop_served_requests_total, in the span attribute " +
			"service.version, and in the field \"version\" of the request's log line.",
		Services: withVersions,
		Params: []Param{
			{Name: "version", Type: String, Pattern: `[A-Za-z0-9][A-Za-z0-9.+_-]{0,31}`, Default: "canary", Doc: "Name of the version."},
			{Name: "share", Type: Number, Min: 0, Max: 1, Default: 0.1, Doc: "Share of the requests that the new version serves."},
			{Name: "ratio", Type: Number, Min: 0, Max: 1, Default: 0.5, Doc: "Share of the new version's requests that fail."},
			statusParam(),
			{Name: "delay", Type: Duration, Min: 0, Max: 60, Default: "0s", Doc: "Delay of the new version's requests."},
		},
		build: func(v Values) (effect, error) {
			return &badDeploy{
				version: v.Text("version"), share: v.Number("share"), ratio: v.Number("ratio"), delay: v.Duration("delay"),
				err: &web.Error{Code: web.CodeOf(fiber.NewError(v.Integer("status"))), Err: errBroken},
			}, nil
		},
	}
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
