package report

import (
	"math"
	"strings"
)

// spark draws values as a row of bars on a logarithmic scale, so that both a stall and normal values are visible. A
// value of 0 is a gap.
func spark(values []float64) string {
	lowest, highest := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			lowest, highest = min(lowest, v), max(highest, v)
		}
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		switch {
		case v <= 0:
			b.WriteByte(' ')
		case highest < lowest*1.2: // nearly equal
			b.WriteRune(bars[0])
		default:
			place := math.Log(v/lowest) / math.Log(highest/lowest)
			b.WriteRune(bars[int(place*float64(len(bars)-1)+0.5)])
		}
	}
	return b.String()
}
