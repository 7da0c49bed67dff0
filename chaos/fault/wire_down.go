package fault

import (
	"context"

	toxiproxy "github.com/Shopify/toxiproxy/v2"

	"firedrill/apps/fault/kinds"
)

func wireDownKind() wireKind {
	return wireKind{
		Kind: kinds.Kind{
			Name: "wire_down",
			Doc: "Refuses connections and closes those that are open, for this caller only: to it the dependency is down, while others " +
				"reach it. Seen as \"connection refused\" in the caller's spans beside a dependency whose own metrics are well.",
		},
		make: func(kinds.Values) (wireFault, error) { return wireDown{}, nil },
	}
}

type wireDown struct{}

func (wireDown) on(p *toxiproxy.Proxy) error {
	p.Stop()
	return nil
}

func (wireDown) off(_ context.Context, p *toxiproxy.Proxy) error { return p.Start() }
