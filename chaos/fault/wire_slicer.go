package fault

import (
	"fmt"
	"time"

	"firedrill/apps/fault/kinds"
)

func wireSlicerKind() wireKind {
	return wireKind{
		Kind: kinds.Kind{
			Name: "wire_slicer",
			Doc: "Cuts data into small pieces with pauses between them, as a lossy network does. Finds programs that take one read for a whole " +
				"message; otherwise seen as slow transfers.",
			Params: toxicParams(
				kinds.Param{Name: "size", Type: kinds.Integer, Unit: "bytes", Min: 1, Max: 65536, Default: 64, Doc: "Of a piece, on average."},
				kinds.Param{Name: "variation", Type: kinds.Integer, Unit: "bytes", Min: 0, Max: 65535, Default: 0,
					Doc: "How much a piece may differ from that; less than size."},
				kinds.Param{Name: "delay", Type: kinds.Duration, Min: 0, Max: 1, Default: "1ms", Doc: "Pause after each piece."},
			),
		},
		make: newSlicer,
	}
}

func newSlicer(v kinds.Values) (wireFault, error) {
	size, variation := v["size"].(int), v["variation"].(int)
	if variation >= size {
		return nil, fmt.Errorf("parameter \"variation\": %d: want less than size, %d", variation, size)
	}
	return newToxic("slicer", v, map[string]any{
		"average_size": size, "size_variation": variation, "delay": v["delay"].(time.Duration).Microseconds(),
	}), nil
}
