package fault

import (
	"firedrill/apps/fault/kinds"
)

func wireBandwidthKind() wireKind {
	return wireKind{
		Kind: kinds.Kind{
			Name: "wire_bandwidth",
			Doc: "Lets only so much data a second through each connection, as a full line does. Large answers suffer, small ones hardly: seen " +
				"as durations that grow with http_server_response_body_size_bytes.",
			Params: toxicParams(kinds.Param{Name: "rate", Type: kinds.Integer, Unit: "KB/s", Min: 1, Max: 1_000_000, Doc: "Of each connection."}),
		},
		make: func(v kinds.Values) (wireFault, error) {
			return newToxic("bandwidth", v, map[string]any{"rate": v["rate"]}), nil
		},
	}
}
