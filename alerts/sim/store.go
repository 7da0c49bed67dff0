package sim

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// series is one series with a sample at every step. A missing sample is a staleness marker, which
// Prometheus writes when a series ends.
type series struct {
	labels labels.Labels
	start  int64 // time of the first sample in ms since the epoch
	step   int64 // in ms
	values []float64
}

func stale() float64 { return math.Float64frombits(value.StaleNaN) }

// Labels implements storage.Series.
func (s *series) Labels() labels.Labels { return s.labels }

// Iterator implements storage.Series.
func (s *series) Iterator(chunkenc.Iterator) chunkenc.Iterator { return &iterator{series: s, at: -1} }

// index returns the index of the first sample at or after a time.
func (s *series) index(at int64) int {
	if at <= s.start {
		return 0
	}
	return int((at - s.start + s.step - 1) / s.step)
}

// iterator reads a series for Prometheus.
type iterator struct {
	*series
	at int
}

func (i *iterator) move(to int) chunkenc.ValueType {
	i.at = min(to, len(i.values))
	if i.at == len(i.values) {
		return chunkenc.ValNone
	}
	return chunkenc.ValFloat
}

// Next implements chunkenc.Iterator.
func (i *iterator) Next() chunkenc.ValueType { return i.move(i.at + 1) }

// Seek implements chunkenc.Iterator.
func (i *iterator) Seek(t int64) chunkenc.ValueType { //nolint:govet // the interface is not io.Seeker
	return i.move(max(i.at, i.index(t)))
}

// At implements chunkenc.Iterator.
func (i *iterator) At() (int64, float64) { return i.AtT(), i.values[i.at] }

// AtT implements chunkenc.Iterator.
func (i *iterator) AtT() int64 { return i.start + int64(i.at)*i.step }

// Err implements chunkenc.Iterator.
func (*iterator) Err() error { return nil }

// AtHistogram implements chunkenc.Iterator. There are no histograms.
func (*iterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) { return 0, nil }

// AtFloatHistogram implements chunkenc.Iterator. There are no histograms.
func (*iterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return 0, nil
}

// store holds series in memory for Prometheus's engine. Encoding them in chunks would cost more
// than the queries.
type store struct{ series []*series }

// Querier implements storage.Queryable. It ignores the time range, because the engine selects the
// samples.
func (s *store) Querier(int64, int64) (storage.Querier, error) { return s, nil }

// Select implements storage.Querier.
func (s *store) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := &seriesSet{}
	for _, one := range s.series {
		if matches(one.labels, matchers) {
			set.left = append(set.left, one)
		}
	}
	return set
}

func matches(l labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

// LabelValues implements storage.Querier. It is not used.
func (*store) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// LabelNames implements storage.Querier. It is not used.
func (*store) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// Close implements storage.Querier.
func (*store) Close() error { return nil }

// find returns the series with exactly these labels, or nil.
func (s *store) find(l labels.Labels) *series {
	for _, one := range s.series {
		if labels.Equal(one.labels, l) {
			return one
		}
	}
	return nil
}

// seriesSet implements storage.SeriesSet.
type seriesSet struct {
	left []*series
	now  *series
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	if len(s.left) == 0 {
		return false
	}
	s.now, s.left = s.left[0], s.left[1:]
	return true
}

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return s.now }

// Err implements storage.SeriesSet.
func (*seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (*seriesSet) Warnings() annotations.Annotations { return nil }

// epoch returns the start time of catalogues: a midnight, and a multiple of every interval in use.
func epoch() time.Time { return time.Unix(1_800_000_000/2_592_000*2_592_000, 0) }
