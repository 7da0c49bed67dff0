package run

import (
	"slices"
	"strconv"
	"time"
)

// Verdict is the result of a run.
type Verdict string

// The verdicts.
const (
	Pass         Verdict = "pass"         // everything expected was seen, and nothing else
	Fail         Verdict = "fail"         // something was not as expected
	Inconclusive Verdict = "inconclusive" // there is no clear result, because data are missing or the drill could not be carried out
	Aborted      Verdict = "aborted"      // a guard or a person ended it
)

// Worst returns the worst verdict of some runs, and the drills that are not better:
// fail, then inconclusive for what has no clear result, then pass.
func Worst(all []*Journal) (Verdict, []string) {
	came := func(to ...Verdict) (drills []string) {
		for _, j := range all {
			if slices.Contains(to, j.Verdict) {
				drills = append(drills, j.Drill)
			}
		}
		return drills
	}
	if failed := came(Fail); len(failed) > 0 {
		return Fail, failed
	}
	if unclear := came(Inconclusive, Aborted); len(unclear) > 0 {
		return Inconclusive, unclear
	}
	return Pass, came(Pass)
}

// Outcome is the result of one check.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Unknown Outcome = "inconclusive"
)

// Signal is what a check looks at.
type Signal string

// The signals.
const (
	SignalAlert  Signal = "alert"  // an alert that must fire, notify and resolve
	SignalQuiet  Signal = "quiet"  // alerts that must not fire
	SignalTrace  Signal = "trace"  // what traces must show
	SignalLog    Signal = "log"    // what logs must show
	SignalMetric Signal = "metric" // how metrics must change
	SignalProbe  Signal = "probe"  // a claim of the steady state
	SignalHealth Signal = "health" // a service that must stay ready
	SignalFault  Signal = "fault"  // a fault that must have been active and undone
	SignalLoad   Signal = "load"   // the load, which must have run
)

// Seconds is a length of time, in JSON a number of seconds.
type Seconds time.Duration

// MarshalJSON implements json.Marshaler.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(s).Round(time.Millisecond).Seconds(), 'f', -1, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Seconds) UnmarshalJSON(text []byte) error {
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return err
	}
	*s = Seconds(v * float64(time.Second))
	return nil
}

// String returns the time in tenths of a second.
func (s Seconds) String() string { return time.Duration(s).Round(100 * time.Millisecond).String() }
