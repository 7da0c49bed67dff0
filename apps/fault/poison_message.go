package fault

import (
	"context"
	"time"
)

func poisonMessageKind() Kind {
	return Kind{
		Name: "poison_message",
		Doc: "Puts events on the stream of orders that cannot be worked off. Shipping tries each five times, with longer and longer pauses, " +
			"and drops it (shop_shipping_events_total by outcome, an error in its log, failed consumer spans). What is on the stream when " +
			"the fault ends takes that way still.",
		Services: []string{"orders"},
		Params: []Param{
			{Name: "count", Type: Integer, Unit: "events", Min: 1, Max: 100_000, Default: 1, Doc: "How many."},
			{Name: "per_second", Type: Number, Unit: "events/s", Min: 0.01, Max: 1000, Default: 1.0, Doc: "How fast."},
		},
		build: func(v Values) (effect, error) {
			return poisonMessage{count: v.Integer("count"), rate: v.Number("per_second")}, nil
		},
	}
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
			if err := (*publish)(ctx); err == nil { // the broker may be down, so a failed publish is tried again
				left--
			}
			if sleep(ctx, period, nil) != nil {
				return
			}
		}
	}), nil
}
