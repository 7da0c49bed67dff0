package result

import (
	"iter"
	"math"
	"math/bits"
	"slices"
	"time"
)

// MaxLatency is the longest latency that a histogram tells apart; longer ones count as this long. Max stays exact.
const MaxLatency = 5 * time.Minute

// Histogram counts durations in log-linear buckets: HdrHistogram's layout for 1 µs to 5 min, at 3 significant digits (2 in
// time series). Buckets are the same in every histogram, so merging loses nothing.
//
// It keeps only the buckets that hold something. The dense array of the HdrHistogram library takes 164 kB at 3 digits, and
// a run keeps three for each scenario, stage and status class and one for each second. The library reads and writes the
// interchange format (see encode.go) and is the oracle of the tests.
//
// The zero value is an empty histogram of 3 digits. A Histogram is not safe for concurrent use.
type Histogram struct {
	buckets       []bucket // ascending
	count         uint64
	sum, min, max int64 // microseconds; min and max are exact
	coarse        bool  // 2 digits
	shared        bool  // buckets belong to a snapshot too: copy before writing
}

type bucket struct {
	index uint16
	n     uint64
}

// halfBits is log2 of half the buckets of an octave: 2,048 (256) buckets tell 1,000 (100) steps apart in the upper half.
func (h *Histogram) halfBits() int {
	if h.coarse {
		return 7
	}
	return 10
}

// indexOf is HdrHistogram's counts index: values of up to 2^(half+1) have buckets of 1 µs; each further octave has 2^half
// buckets of twice the width. (G. Tene, HdrHistogram, AbstractHistogram.countsArrayIndex.)
func (h *Histogram) indexOf(us int64) uint16 {
	half := h.halfBits()
	shift := max(0, bits.Len64(uint64(us))-half-1)
	return uint16(shift<<half + int(us>>shift))
}

// span is the lowest value of a bucket and how many values it holds, in microseconds.
func (h *Histogram) span(index uint16) (low, width int64) {
	half := h.halfBits()
	shift := max(0, int(index)>>half-1)
	return int64(int(index)-shift<<half) << shift, 1 << shift
}

// Record counts d. A negative d counts as 0.
func (h *Histogram) Record(d time.Duration) {
	us := max(0, d.Microseconds())
	if h.count == 0 || us < h.min {
		h.min = us
	}
	h.max = max(h.max, us)
	h.sum += us
	h.count++
	h.add(h.indexOf(min(us, MaxLatency.Microseconds())), 1)
}

// recordCoarse is Record into a histogram of 2 digits.
func (h *Histogram) recordCoarse(d time.Duration) {
	if h.count == 0 {
		h.coarse = true
	}
	h.Record(d)
}

func (h *Histogram) add(index uint16, n uint64) {
	if h.shared {
		h.buckets, h.shared = slices.Clone(h.buckets), false
	}
	at, found := slices.BinarySearchFunc(h.buckets, index, func(b bucket, i uint16) int { return int(b.index) - int(i) })
	if !found {
		h.buckets = slices.Insert(h.buckets, at, bucket{index: index})
	}
	h.buckets[at].n += n
}

// Merge adds every count of other, which must have as many digits.
func (h *Histogram) Merge(other *Histogram) {
	if other.count == 0 {
		return
	}
	if h.count == 0 {
		h.coarse, h.min = other.coarse, other.min
	}
	if h.coarse != other.coarse {
		panic("result: merge of histograms with different digits") // a bug: both kinds never meet
	}
	h.min, h.max = min(h.min, other.min), max(h.max, other.max)
	h.sum += other.sum
	h.count += other.count
	for _, b := range other.buckets {
		h.add(b.index, b.n)
	}
}

// share returns a copy that uses the same buckets until one of both writes.
func (h *Histogram) share() Histogram {
	h.shared = true
	return *h
}

// Count is how many durations were recorded.
func (h *Histogram) Count() uint64 { return h.count }

// Min is the exact shortest duration, to 1 µs; 0 when empty.
func (h *Histogram) Min() time.Duration { return time.Duration(h.min) * time.Microsecond }

// Max is the exact longest duration, to 1 µs.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max) * time.Microsecond }

// Mean is the exact arithmetic mean of what was recorded, to 1 µs each; 0 when empty.
func (h *Histogram) Mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return time.Duration(float64(h.sum) / float64(h.count) * float64(time.Microsecond))
}

// Quantile is the smallest duration that at least the share q (0 to 1) of the recorded ones do not exceed, to the
// histogram's digits, rounded up within the bucket; 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := uint64(max(1, math.Ceil(q*float64(h.count)-1e-9)))
	var seen uint64
	for _, b := range h.buckets {
		if seen += b.n; seen >= rank && rank < h.count {
			low, width := h.span(b.index)
			return time.Duration(max(h.min, min(h.max, low+width-1))) * time.Microsecond
		}
	}
	return h.Max()
}

// Bucket is a stretch of durations, Low included and High not, and how many were recorded in it.
type Bucket struct {
	Low, High time.Duration
	Count     uint64
}

// Buckets yields the buckets that hold something, ascending.
func (h *Histogram) Buckets() iter.Seq[Bucket] {
	return func(yield func(Bucket) bool) {
		for _, b := range h.buckets {
			low, width := h.span(b.index)
			if !yield(Bucket{time.Duration(low) * time.Microsecond, time.Duration(low+width) * time.Microsecond, b.n}) {
				return
			}
		}
	}
}
