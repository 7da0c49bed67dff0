package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// digits of a histogram that is not coarse, and of one that is.
const (
	fineDigits   = 3
	coarseDigits = 2
)

// HDR converts to the library's histogram, in microseconds.
func (h *Histogram) HDR() *hdrhistogram.Histogram {
	digits := fineDigits
	if h.coarse {
		digits = coarseDigits
	}
	dense := hdrhistogram.New(1, MaxLatency.Microseconds(), digits)
	for _, b := range h.buckets {
		low, _ := h.span(b.index)
		_ = dense.RecordValues(low, int64(b.n)) // fails only beyond the highest trackable value
	}
	return dense
}

// histogramJSON is how a histogram is written. Counts stand in HdrHistogram's V2 compressed form, in base64, which every
// HdrHistogram tool reads; the percentiles beside it are for people and are not read back.
type histogramJSON struct {
	Count uint64  `json:"count"`
	SumUS int64   `json:"sum_us"`
	MinUS int64   `json:"min_us"`
	MaxUS int64   `json:"max_us"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P95   float64 `json:"p95_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	HDR   string  `json:"hdr"`
}

// MarshalJSON writes null for an empty histogram.
func (h Histogram) MarshalJSON() ([]byte, error) {
	if h.count == 0 {
		return []byte("null"), nil
	}
	encoded, err := h.HDR().Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encode histogram: %w", err)
	}
	ms := func(q float64) float64 { return float64(h.Quantile(q)) / float64(time.Millisecond) }
	return json.Marshal(histogramJSON{
		Count: h.count, SumUS: h.sum, MinUS: h.min, MaxUS: h.max,
		P50: ms(0.5), P90: ms(0.9), P95: ms(0.95), P99: ms(0.99), P999: ms(0.999), HDR: string(encoded),
	})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	*h = Histogram{}
	var form *histogramJSON
	if err := json.Unmarshal(data, &form); err != nil || form == nil {
		return err
	}
	dense, err := hdrhistogram.Decode([]byte(form.HDR))
	if err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	if dense.LowestTrackableValue() != 1 || dense.HighestTrackableValue() != MaxLatency.Microseconds() {
		return fmt.Errorf("decode histogram: covers %d to %d µs, want 1 to %d", dense.LowestTrackableValue(),
			dense.HighestTrackableValue(), MaxLatency.Microseconds())
	}
	h.coarse = dense.SignificantFigures() == coarseDigits
	for index, n := range dense.Export().Counts {
		if n > 0 {
			h.buckets = append(h.buckets, bucket{uint16(index), uint64(n)})
			h.count += uint64(n)
		}
	}
	if h.count != form.Count {
		return fmt.Errorf("decode histogram: has %d values, says %d", h.count, form.Count)
	}
	h.sum, h.min, h.max = form.SumUS, form.MinUS, form.MaxUS
	return nil
}

// ErrFormat marks a file that is not a result, or one of a version that this program does not read.
var ErrFormat = errors.New("not a result that this version reads")

// Write writes r as JSON.
func (r *Result) Write(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// Read reads what Write wrote. The error wraps ErrFormat when it is something else.
func Read(from io.Reader) (*Result, error) {
	var r Result
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("%w: version %d, want %d", ErrFormat, r.Version, Version)
	}
	if r.Timeline.Width < time.Second {
		return nil, fmt.Errorf("%w: its timeline has no width", ErrFormat)
	}
	return &r, nil
}
