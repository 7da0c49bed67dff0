package fault

import (
	"firedrill/apps/fault/kinds"
)

func wireResetKind() wireKind {
	return wireKind{
		Kind: kinds.Kind{
			Name: "wire_reset",
			Doc: "Resets connections (TCP RST) once data flows on them, as a firewall or a crashed peer does. Seen as \"connection reset by peer\" in " +
				"the caller's logs and spans. With stream downstream the dependency has done its work and only the answer is lost: what " +
				"is tried again must do no harm twice.",
			Params: toxicParams(kinds.Param{Name: "after", Type: kinds.Duration, Min: 0, Max: 60, Default: "0s",
				Doc: "How long after the first data."}),
		},
		make: func(v kinds.Values) (wireFault, error) {
			return newToxic("reset_peer", v, map[string]any{"timeout": ms(v, "after")}), nil
		},
	}
}
