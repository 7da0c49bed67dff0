package fault

import (
	"context"
	"time"

	"firedrill/apps/fault/kinds"
)

func newPoisonMessage(v kinds.Values) (effect, error) {
	return poisonMessage{count: v.Integer("count"), rate: v.Number("per_second")}, nil
}

type poisonMessage struct {
	count int
	rate  float64
}

func (p poisonMessage) begin(s *Set, _ *dice) (func(), error) {
	publish := s.poison.Load()
	if publish == nil {
		return nil, errNotHere
	}
	period := time.Duration(float64(time.Second) / p.rate)
	return loop(func(ctx context.Context) {
		for left := p.count; left > 0; {
			if err := (*publish)(ctx); err == nil { // the broker may be away; it is tried again
				left--
			}
			if sleep(ctx, period, nil) != nil {
				return
			}
		}
	}), nil
}
