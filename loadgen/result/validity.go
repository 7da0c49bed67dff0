package result

import (
	"fmt"
	"math"
	"time"
)

// Quantiles are the quantiles of response times that reports print.
var Quantiles = [...]float64{0.5, 0.9, 0.95, 0.99, 0.999}

// Precision of printed quantiles.
const (
	// precision is the share by which the generator's own lag may move a quantile that is printed as precise.
	precision = 0.05
	// support is how many requests must be above a quantile for it to be precise: with fewer, a few requests decide it.
	support = 10
)

// judge compares a run with its bounds. Response times count from when a request was due, so they are correct even if
// the generator lags. A run is invalid only where the generator's shortcomings change a conclusion: it did not send the
// load, or its own lag moves a quantile by more than the precision with which it is printed. The conclusions of thresholds
// are judged with them; see Threshold.Unclear.
func judge(r *Result) Validity {
	v := Validity{LagP99: r.OwnLag.Quantile(0.99)}
	invalid := func(format string, args ...any) { v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...)) }
	bounds := r.Meta.Bounds
	if r.Intended > 0 {
		arrived := r.arrivedInTime()
		v.RateError = float64(arrived)/float64(r.Intended) - 1
		// One arrival that is late says nothing about the rate, however few there are.
		if off := math.Abs(float64(arrived) - float64(r.Intended)); off > 1 && math.Abs(v.RateError) > bounds.RateError {
			invalid("%+.2f %% off the intended rate, over the bound of %.2f %%", v.RateError*100, bounds.RateError*100)
		}
		if v.LagP99 > bounds.LagP99 {
			r.judgeLag(&v)
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

// judgeLag judges an own lag over the bound by what it changes.
func (r *Result) judgeLag(v *Validity) {
	said := fmt.Sprintf("the generator's own lag has a p99 of %v, over the bound of %v", v.LagP99, r.Meta.Bounds.LagP99)
	total := r.Total(nil)
	if total.Prompt.Count() < total.Requests { // a file of an older version does not say what the lag changes
		v.Reasons = append(v.Reasons, said)
		return
	}
	for _, q := range Quantiles {
		with, without := total.Response.Quantile(q), total.Prompt.Quantile(q)
		if float64(total.Requests)*(1-q) >= support && r.Moved(with, without) {
			v.Reasons = append(v.Reasons, fmt.Sprintf("%s, and moves p%g from %v to %v", said, q*100,
				without.Round(time.Microsecond), with.Round(time.Microsecond)))
			return
		}
	}
	v.Notes = append(v.Notes, said+"; it changes no percentile that enough requests support")
}

// Moved reports whether the generator's own lag moves a response time by more than the precision with which reports print
// it: the bound of the lag or 5 %, whichever is more.
func (r *Result) Moved(with, without time.Duration) bool {
	return with-without > max(r.Meta.Bounds.LagP99, time.Duration(precision*float64(with)))
}

// Verdict is what a result says about the target.
type Verdict string

// Verdicts of a run.
const (
	Good    Verdict = "good"    // valid, and every threshold holds
	Broken  Verdict = "broken"  // a threshold does not hold, whatever the generator did
	Failed  Verdict = "failed"  // requests were sent, and not one succeeded
	Invalid Verdict = "invalid" // the run says nothing for sure
)

// Verdict returns the verdict of a run whose thresholds are evaluated, and its reasons. What the target did comes before
// what the generator did: a threshold that is broken however late the generator was is broken.
func (r *Result) Verdict() (verdict Verdict, reasons []string) {
	total := r.Total(nil)
	var broken, unclear []string
	for _, t := range r.Thresholds {
		switch text := fmt.Sprintf("%s: %s", t.Expression, t.Actual); {
		case t.Unclear:
			unclear = append(unclear, text)
		case !t.OK:
			broken = append(broken, text)
		}
	}
	reasons = append(r.Validity.Reasons[:len(r.Validity.Reasons):len(r.Validity.Reasons)], unclear...)
	switch {
	case total.Requests > 0 && total.Failed == total.Requests:
		return Failed, []string{fmt.Sprintf("not one of %d requests succeeded", total.Requests)}
	case len(broken) > 0:
		return Broken, broken
	case !r.Validity.Valid || len(unclear) > 0:
		return Invalid, reasons
	case total.Requests == 0:
		return Invalid, []string{"nothing was sent"}
	}
	return Good, nil
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
