package fault

import (
	"firedrill/apps/fault/kinds"
)

func wireLatencyKind() wireKind {
	return wireKind{
		Kind: kinds.Kind{
			Name: "wire_latency",
			Doc: "Delays what flows on a wire, as a distant or congested network does. Seen as client spans of the caller that are longer than " +
				"the server spans in them: the time is on the wire and in neither program. A new connection's handshake is not delayed.",
			Params: toxicParams(
				kinds.Param{Name: "latency", Type: kinds.Duration, Min: 0, Max: 60, Doc: "Delay of each piece of data."},
				kinds.Param{Name: "jitter", Type: kinds.Duration, Min: 0, Max: 60, Default: "0s", Doc: "Most that a delay differs from it, either way."},
			),
		},
		make: func(v kinds.Values) (wireFault, error) {
			return newToxic("latency", v, map[string]any{"latency": ms(v, "latency"), "jitter": ms(v, "jitter")}), nil
		},
	}
}
