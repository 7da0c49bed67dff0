package report

import (
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/HdrHistogram/hdrhistogram-go"

	"firedrill/loadgen/result"
)

// HDRLog writes the response times as a histogram log of the HdrHistogram project, format 1.3. It has one line for each
// second (or wider slot) and scenario. The tag is the name of the scenario, with the prefix "journey:" for whole
// journeys. Values are in microseconds with 2 significant digits.
func HDRLog(w io.Writer, r *result.Result) error {
	log := hdrhistogram.NewHistogramLogWriter(w)
	start := r.Meta.Start.UnixMilli()
	err := errors.Join(
		log.OutputComment(fmt.Sprintf("[Response latencies of load test %q in microseconds (Interval_Max in seconds), by when the request was due]", r.Meta.Profile)),
		log.OutputLogFormatVersion(), log.OutputStartTime(start), log.OutputLegend())
	slots := 0
	for _, s := range r.Timeline.Series {
		slots = max(slots, len(s.Slots))
	}
	for i := range slots {
		for k := range r.Timeline.Series {
			if series := &r.Timeline.Series[k]; i < len(series.Slots) {
				err = errors.Join(err, writeInterval(log, series, i, start+int64(i)*r.Timeline.Width.Milliseconds(), r.Timeline.Width.Milliseconds()))
			}
		}
	}
	if err != nil {
		return fmt.Errorf("write HdrHistogram log: %w", err)
	}
	return nil
}

// untaggable matches characters that a tag must not contain.
var untaggable = regexp.MustCompile(`[,\s]+`)

func writeInterval(log *hdrhistogram.HistogramLogWriter, s *result.Series, slot int, startMs, lengthMs int64) error {
	h := s.Slots[slot].Response.HDR()
	if h == nil {
		return nil
	}
	tag := untaggable.ReplaceAllString(s.Scenario, "_")
	if s.Journeys {
		tag = "journey:" + tag
	}
	h.SetTag(tag)
	h.SetStartTimeMs(startMs)
	h.SetEndTimeMs(startMs + lengthMs)
	return log.OutputIntervalPackedHistogram(h)
}
