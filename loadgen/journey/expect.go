package journey

import (
	"bytes"
	"slices"
	"time"

	"github.com/tidwall/gjson"
)

// judge returns the failure class of an answer; "" if it is good.
func (e *Expect) judge(r *Response) string {
	switch {
	case e.ends(r.Status):
		return ""
	case len(e.Status) == 0 && (r.Status < 200 || r.Status > 399):
		return FailStatus
	case len(e.Status) > 0 && !slices.Contains(e.Status, r.Status):
		return FailStatus
	case e.Contains != "" && !bytes.Contains(r.Body, []byte(e.Contains)):
		return FailCheck
	case !all(e.JSON, r.Body):
		return FailCheck
	}
	return ""
}

// ends tells whether the journey has come to an end that is good.
func (e *Expect) ends(status int) bool { return slices.Contains(e.Ends, status) }

// all tells whether every match holds.
func all(matches []Match, body []byte) bool {
	for _, m := range matches {
		if found := gjson.GetBytes(body, m.Path); !found.Exists() || found.String() != m.Want {
			return false
		}
	}
	return true
}

// poll tells whether to ask again. If the answer will not come it sets the outcome's failure.
func (w *Walker) poll(p *Poll, began time.Duration) bool {
	switch {
	case all(p.Until, w.response.Body):
		return false
	case len(p.Unless) > 0 && all(p.Unless, w.response.Body):
		w.outcome.Failure = FailCheck
		return false
	case w.outcome.Done+p.Every > began+p.For:
		w.outcome.Failure = FailUnmet
		return false
	}
	return true
}

// keep takes what later steps need from the answer. What is not there is a failure.
func (w *Walker) keep(takes []Take) {
	for _, t := range takes {
		found := gjson.GetBytes(w.response.Body, t.Path)
		if !found.Exists() {
			w.outcome.Failure = FailCheck
			return
		}
		w.memory[t.Place] = append(w.memory[t.Place][:0], found.String()...)
	}
}
