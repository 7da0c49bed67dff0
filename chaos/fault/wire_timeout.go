package fault

import (
	"firedrill/apps/fault/kinds"
)

func wireTimeoutKind() wireKind {
	return wireKind{
		Kind: kinds.Kind{
			Name: "wire_timeout",
			Doc: "Swallows all data and, after a while, closes the connection: a network that is cut without a word. Seen as the caller's " +
				"time-outs, each as long as its own limit.",
			Params: toxicParams(kinds.Param{Name: "after", Type: kinds.Duration, Min: 0, Max: 600, Default: "0s",
				Doc: "When a silent connection is closed; 0 leaves it open."}),
		},
		make: func(v kinds.Values) (wireFault, error) {
			return newToxic("timeout", v, map[string]any{"timeout": ms(v, "after")}), nil
		},
	}
}
