package result

import (
	"fmt"
	"math"
	"time"
)

// judge compares a run with its bounds. Response times count from when a request was due, so they are correct even if
// the generator lags. But a generator that lags does not send the load that the profile describes, so such a run is
// invalid.
func judge(r *Result) Validity {
	v := Validity{LagP99: r.OwnLag.Quantile(0.99)}
	invalid := func(format string, args ...any) { v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...)) }
	bounds := r.Meta.Bounds
	if r.Intended > 0 {
		v.RateError = float64(r.arrivedInTime())/float64(r.Intended) - 1
		if v.LagP99 > bounds.LagP99 {
			invalid("the generator's own lag has a p99 of %v, over the bound of %v", v.LagP99, bounds.LagP99)
		}
		if math.Abs(v.RateError) > bounds.RateError {
			invalid("%+.2f %% off the intended rate, over the bound of %.2f %%", v.RateError*100, bounds.RateError*100)
		}
	}
	if r.Dropped > 0 && float64(r.Dropped) > bounds.RateError*float64(r.Intended) {
		invalid("%d of %d arrivals were dropped", r.Dropped, r.Intended)
	}
	if r.Interrupted {
		invalid("interrupted after %v of %v", r.Elapsed.Round(time.Millisecond), r.Meta.Length)
	}
	v.Valid = len(v.Reasons) == 0
	return v
}

// arrivedInTime returns the number of arrivals sent until one slot after the end of the schedule. The last arrivals may
// be sent slightly late.
func (r *Result) arrivedInTime() uint64 {
	last := int(r.Elapsed / r.Timeline.Width)
	var n uint64
	for _, s := range r.Timeline.Series {
		for i := range s.Slots[:min(len(s.Slots), last+1)] {
			n += s.Slots[i].Arrived
		}
	}
	return n
}
