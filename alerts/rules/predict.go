package rules

import (
	"math"
	"time"

	"firedrill/alerts/slo"
)

// Prediction describes how an alert reacts to an outage, in wall-clock time.
type Prediction struct {
	Fires     bool    `json:"fires"`
	Detection Seconds `json:"detection_seconds"` // from the first error to the alert
	Reset     Seconds `json:"reset_seconds"`     // from the last error to the end of the alert
	// Slack is how much later both may be, because the errors must be scraped and a rule must be
	// evaluated.
	Slack Seconds `json:"slack_seconds"`
	// Spent is the share of the period's budget that is spent at detection.
	Spent float64 `json:"budget_spent"`
}

// Predict returns how the alert of a severity reacts to an outage. The outage's length and rate are
// in wall-clock time.
func Predict(s slo.SLO, o Options, severity slo.Severity, outage slo.Outage) Prediction {
	o.Policy = o.Policy.Over(s)
	if severity == slo.Ticket {
		return predict(s, o, o.Policy.Ticket, o.Clock.LongInterval(), outage)
	}
	return predict(s, o, o.Policy.Page, o.Clock.Interval, outage)
}

// predict returns how an alert that is evaluated once an interval reacts to an outage.
func predict(s slo.SLO, o Options, alert slo.Alert, interval time.Duration, outage slo.Outage) Prediction {
	long := outage
	long.Length = stretch(outage.Length, o.Clock.Scale)
	long.Rate = outage.Rate / o.Clock.Scale
	smear := o.smear(alert, s.Goal(), long)
	detection, fires := alert.Detection(s.Goal(), long)
	if !fires {
		return Prediction{}
	}
	at := slo.Outage{Ratio: outage.Ratio, Length: detection + smear}
	return Prediction{
		Fires:     true,
		Detection: wall(o, detection+smear),
		Reset:     wall(o, alert.Reset(s.Goal(), long)),
		Slack:     Seconds(o.Clock.Scrape + interval),
		Spent:     at.Spent(s.Budget(), o.Policy.Period),
	}
}

// smear returns how much later an error becomes visible in windows that sum recorded rates: half of
// the shortest window, which is the average age of its data. It is 0 if the first pair to hold
// reads counters.
func (o Options) smear(a slo.Alert, g slo.Goal, outage slo.Outage) time.Duration {
	earliest, lag := time.Duration(math.MaxInt64), time.Duration(0)
	for _, p := range a.Pairs {
		at, ok := p.Detection(g, outage)
		if !ok || at >= earliest {
			continue
		}
		earliest, lag = at, 0
		if p.Long > LongestRaw {
			lag = o.Policy.Windows()[0] / 2
		}
	}
	return lag
}

// stretch converts wall-clock time to SLO time. It is the inverse of Clock.Wall.
func stretch(d time.Duration, scale float64) time.Duration {
	if d.Seconds()*scale >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(float64(d) * scale)
}
