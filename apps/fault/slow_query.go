package fault

import (
	"context"
	"time"

	"firedrill/apps/fault/kinds"
)

func newSlowQuery(v kinds.Values) (effect, error) {
	return &slowQuery{delay: v.Duration("delay"), share: v.Number("share")}, nil
}

type slowQuery struct {
	delay time.Duration
	share float64
	dice  *dice
	over  chan struct{}
}

func (q *slowQuery) begin(s *Set, d *dice) (func(), error) {
	q.dice, q.over = d, make(chan struct{})
	remove := s.statements.put(q)
	return func() {
		remove()
		close(q.over)
	}, nil
}

// statement implements querier.
func (q *slowQuery) statement(ctx context.Context) error {
	if !q.dice.chance(q.share) {
		return nil
	}
	return sleep(ctx, q.delay, q.over)
}
