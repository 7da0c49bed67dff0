package fault

import (
	"context"
	"time"
)

func poisonMessageKind() Kind {
	return Kind{
		Name: "poison_message",
		Doc: "Publishes events that cannot be processed to the stream of orders. Shipping tries each event five times, with growing pauses, and then " +
			"drops it. Seen in shop_shipping_events_total by outcome, as errors in its log, and as failed consumer spans. Events that are " +
			"on the stream when the fault ends are still tried and dropped.",
		Services: []string{"orders"},
		Params: []Param{
			{Name: "count", Type: Integer, Unit: "events", Min: 1, Max: 100_000, Default: 1, Doc: "Number of events."},
			{Name: "per_second", Type: Number, Unit: "events/s", Min: 0.01, Max: 1000, Default: 1.0, Doc: "Events published."},
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
