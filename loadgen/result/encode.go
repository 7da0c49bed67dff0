package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histogramJSON is the JSON form of a histogram. The counts are in HdrHistogram's V2 compressed format, in base64, which
// every HdrHistogram tool reads. The percentiles are for people; they are not read back.
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

// MarshalJSON encodes an empty histogram as null.
func (h Histogram) MarshalJSON() ([]byte, error) {
	if h.Count() == 0 {
		return []byte("null"), nil
	}
	encoded, err := h.packed.Encode()
	if err != nil {
		return nil, fmt.Errorf("encode histogram: %w", err)
	}
	ms := func(q float64) float64 { return float64(h.Quantile(q)) / float64(time.Millisecond) }
	return json.Marshal(histogramJSON{
		Count: h.Count(), SumUS: h.sum, MinUS: h.min, MaxUS: h.max,
		P50: ms(0.5), P90: ms(0.9), P95: ms(0.95), P99: ms(0.99), P999: ms(0.999), HDR: string(encoded),
	})
}

// UnmarshalJSON decodes the format of MarshalJSON.
func (h *Histogram) UnmarshalJSON(data []byte) error {
	*h = Histogram{}
	var form *histogramJSON
	if err := json.Unmarshal(data, &form); err != nil || form == nil {
		return err
	}
	packed, err := hdrhistogram.DecodePacked([]byte(form.HDR))
	if err != nil {
		return fmt.Errorf("decode histogram: %w", err)
	}
	digits := packed.SignificantFigures()
	if packed.LowestTrackableValue() != 1 || packed.HighestTrackableValue() != MaxLatency.Microseconds() || digits != fineDigits && digits != coarseDigits {
		return fmt.Errorf("decode histogram: covers %d to %d µs at %d digits, want 1 to %d at 2 or 3", packed.LowestTrackableValue(),
			packed.HighestTrackableValue(), digits, MaxLatency.Microseconds())
	}
	if uint64(packed.TotalCount()) != form.Count {
		return fmt.Errorf("decode histogram: has %d values, says %d", packed.TotalCount(), form.Count)
	}
	*h = Histogram{packed: packed, sum: form.SumUS, min: form.MinUS, max: form.MaxUS}
	return nil
}

// HDR returns a copy as a histogram of the library, in microseconds; nil if empty.
func (h *Histogram) HDR() *hdrhistogram.PackedHistogram {
	if h.packed == nil {
		return nil
	}
	return h.packed.Clone()
}

// ErrFormat means that a file is not a result, or is a result of a version that this program does
// not read.
var ErrFormat = errors.New("not a result that this version reads")

// Write writes r as JSON.
func (r *Result) Write(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// Read reads a result in the format of Write. The error wraps ErrFormat if the input is
// something else.
func Read(from io.Reader) (*Result, error) {
	var r Result
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("%w: version %d, want %d", ErrFormat, r.Version, Version)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return &r, nil
}

// check checks what the methods of Result rely on.
func (r *Result) check() error {
	if r.Elapsed < 0 {
		return fmt.Errorf("a run of %v", r.Elapsed)
	}
	seconds := r.Timeline.Width / time.Second
	if seconds < 1 || r.Timeline.Width%time.Second != 0 || seconds&(seconds-1) != 0 {
		return fmt.Errorf("a timeline of slots of %v, want 1 s, 2 s, 4 s and so on", r.Timeline.Width)
	}
	fine := []*Histogram{&r.OwnLag}
	for i := range r.Groups {
		fine = append(fine, &r.Groups[i].Response, &r.Groups[i].Prompt, &r.Groups[i].Service, &r.Groups[i].Lag)
	}
	for i := range r.Journeys {
		fine = append(fine, &r.Journeys[i].Response, &r.Journeys[i].Prompt)
	}
	for _, h := range fine {
		if h.Count() > 0 && h.packed.SignificantFigures() != fineDigits {
			return fmt.Errorf("a histogram of %d digits, want %d", h.packed.SignificantFigures(), fineDigits)
		}
	}
	for _, s := range r.Timeline.Series {
		if len(s.Slots) > maxSlots {
			return fmt.Errorf("a timeline of %d slots, the most are %d", len(s.Slots), maxSlots)
		}
		for i := range s.Slots {
			if h := &s.Slots[i].Response; h.Count() > 0 && h.packed.SignificantFigures() != coarseDigits {
				return fmt.Errorf("a histogram of %d digits in a slot, want %d", h.packed.SignificantFigures(), coarseDigits)
			}
		}
	}
	return nil
}
