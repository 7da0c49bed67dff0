package result

import (
	"cmp"
	"encoding/hex"
	"slices"
)

const (
	maxSlowest = 20 // maximum number of exemplars in Slowest, and in SlowestKept
	maxFailed  = 5  // maximum number of exemplars of each scenario and failure class
)

// addExemplar adds s if it is among the slowest or the first failed requests. Which exemplars remain depends only on
// the samples, not on their order, so merging the lists of all shards gives the list of the whole run.
func (r *Result) addExemplar(s Sample) {
	if isSlow(r.Slowest, s) {
		r.Slowest = keepSlowest(r.Slowest, exemplar(s))
	}
	if s.Sampled && isSlow(r.SlowestKept, s) {
		r.SlowestKept = keepSlowest(r.SlowestKept, exemplar(s))
	}
	if s.Failure != "" {
		r.Failed = keepFailed(r.Failed, exemplar(s))
	}
}

// isSlow reports whether s may be among the slowest. It avoids building an exemplar for
// most requests.
func isSlow(slowest []Exemplar, s Sample) bool {
	return len(slowest) < maxSlowest || s.Done-s.Due >= slowest[maxSlowest-1].Response
}

func exemplar(s Sample) Exemplar {
	e := Exemplar{
		Seq: s.Seq, Scenario: s.Scenario, Step: s.Step, Stage: s.Stage, Due: s.Due, Lag: s.Sent - s.Due,
		Service: s.Done - s.Sent, Response: s.Done - s.Due, Status: s.Status, Failure: s.Failure, Kept: s.Sampled,
	}
	if s.TraceID != [16]byte{} {
		e.TraceID = hex.EncodeToString(s.TraceID[:])
	}
	return e
}

// keepSlowest inserts e into a sorted list and returns the first maxSlowest.
func keepSlowest(list []Exemplar, e Exemplar) []Exemplar {
	at, _ := slices.BinarySearchFunc(list, e, slowestFirst)
	list = slices.Insert(list, at, e)
	return list[:min(len(list), maxSlowest)]
}

// keepFailed inserts e into a sorted list. It keeps at most maxFailed exemplars with e's scenario
// and failure.
func keepFailed(list []Exemplar, e Exemplar) []Exemplar {
	at, _ := slices.BinarySearchFunc(list, e, failedOrder)
	begin := at
	for begin > 0 && sameFailure(list[begin-1], e) {
		begin--
	}
	if at-begin >= maxFailed {
		return list
	}
	list = slices.Insert(list, at, e)
	if last := begin + maxFailed; last < len(list) && sameFailure(list[last], e) {
		list = slices.Delete(list, last, last+1)
	}
	return list
}

func sameFailure(a, b Exemplar) bool { return a.Scenario == b.Scenario && a.Failure == b.Failure }

func slowestFirst(a, b Exemplar) int {
	return cmp.Or(cmp.Compare(b.Response, a.Response), identity(a, b))
}

func failedOrder(a, b Exemplar) int {
	return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Failure, b.Failure),
		compareBool(b.Kept, a.Kept), cmp.Compare(a.Due, b.Due), identity(a, b))
}

// identity orders requests that are otherwise equal.
func identity(a, b Exemplar) int {
	return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Due, b.Due), cmp.Compare(a.Step, b.Step),
		cmp.Compare(a.Service, b.Service), cmp.Compare(a.TraceID, b.TraceID))
}
