package result

import (
	"iter"
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// MaxLatency is the longest latency that a histogram distinguishes. Longer ones count as MaxLatency in the
// buckets; Max stays exact.
const MaxLatency = 5 * time.Minute

// Significant digits of the histograms of a whole run, and of the histograms of a timeline slot.
const (
	fineDigits   = 3
	coarseDigits = 2
)

// Histogram counts durations in HdrHistogram's log-linear buckets, from 1 µs to 5 min, with 3 significant digits (2 in
// time series). All histograms have the same buckets, so merging is lossless. A Histogram also stores the exact
// minimum, maximum and sum, which the library would round to buckets.
//
// The zero value is an empty histogram of 3 digits. A Histogram is not safe for concurrent use.
type Histogram struct {
	// packed stores only non-empty buckets. A dense histogram takes 164 kB, and a run has three for each scenario,
	// stage and status class and one for each second. nil while empty.
	packed        *hdrhistogram.PackedHistogram
	sum, min, max int64 // microseconds
	shared        bool  // a snapshot uses packed too: clone it before writing
}

// Record counts d. A negative d counts as 0.
func (h *Histogram) Record(d time.Duration) { h.record(d, fineDigits) }

func (h *Histogram) record(d time.Duration, digits int) {
	us := max(0, d.Microseconds())
	h.own(digits)
	if h.packed.TotalCount() == 0 || us < h.min {
		h.min = us
	}
	h.max = max(h.max, us)
	h.sum += us
	_ = h.packed.RecordValue(min(us, MaxLatency.Microseconds())) // fails only for values above the highest
}

// own makes sure that packed exists and is not shared, so that it can be written.
func (h *Histogram) own(digits int) {
	switch {
	case h.packed == nil:
		h.packed = hdrhistogram.NewPacked(1, MaxLatency.Microseconds(), digits)
	case h.shared:
		h.packed = h.packed.Clone()
	}
	h.shared = false
}

// Merge adds the counts of other, which must have the same number of digits.
func (h *Histogram) Merge(other *Histogram) {
	switch {
	case other.Count() == 0:
		return
	case h.Count() == 0:
		*h = other.share()
		return
	case h.packed.SignificantFigures() != other.packed.SignificantFigures():
		panic("result: merge of histograms with different digits") // a bug in the caller
	}
	h.own(fineDigits)
	h.packed.Merge(other.packed)
	h.min, h.max = min(h.min, other.min), max(h.max, other.max)
	h.sum += other.sum
}

// share returns a copy that uses the same buckets until either of them is written.
func (h *Histogram) share() Histogram {
	h.shared = h.packed != nil
	return *h
}

// Count returns the number of recorded durations.
func (h *Histogram) Count() uint64 {
	if h.packed == nil {
		return 0
	}
	return uint64(h.packed.TotalCount())
}

// Min returns the shortest duration, exact to 1 µs; 0 if empty.
func (h *Histogram) Min() time.Duration { return time.Duration(h.min) * time.Microsecond }

// Max returns the longest duration, exact to 1 µs; 0 if empty.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max) * time.Microsecond }

// Mean returns the arithmetic mean of the recorded durations, each exact to 1 µs; 0 if
// empty.
func (h *Histogram) Mean() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(float64(h.sum) / float64(h.Count()) * float64(time.Microsecond))
}

// Quantile returns the smallest duration such that at least a share q (0 to 1) of the recorded durations are not
// longer. It has the precision of the histogram, rounded up within the bucket; 0 if empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.Count() == 0 {
		return 0
	}
	if q >= 1 {
		return h.Max()
	}
	us := h.packed.ValueAtPercentile(q * 100)
	return time.Duration(max(h.min, min(h.max, us))) * time.Microsecond
}

// Bucket is a range of durations, including Low and excluding High, with the number of durations
// recorded in it.
type Bucket struct {
	Low, High time.Duration
	Count     uint64
}

// Buckets returns the non-empty buckets in ascending order.
func (h *Histogram) Buckets() iter.Seq[Bucket] {
	return func(yield func(Bucket) bool) {
		if h.packed == nil {
			return
		}
		// A layout of d digits distinguishes 2·10^d values at a resolution of 1 µs, rounded up to a power of
		// two: 2,048 or 256.
		exact := 11
		if h.packed.SignificantFigures() == coarseDigits {
			exact = 8
		}
		for low, n := range h.packed.ForEachBucket {
			width := int64(1) << max(0, bits.Len64(uint64(low))-exact)
			if !yield(Bucket{time.Duration(low) * time.Microsecond, time.Duration(low+width) * time.Microsecond, uint64(n)}) {
				return
			}
		}
	}
}
