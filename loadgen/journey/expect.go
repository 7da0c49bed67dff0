package journey

import (
	"bytes"
	"slices"
	"time"

	"github.com/tidwall/gjson"
)

// judge returns the failure class of a response; "" if it is good.
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

// ends reports whether the status ends the journey with success.
func (e *Expect) ends(status int) bool { return slices.Contains(e.Ends, status) }

// all reports whether every match holds.
func all(matches []Match, body []byte) bool {
	for _, m := range matches {
		if found := gjson.GetBytes(body, m.Path); !found.Exists() || found.String() != m.Want {
			return false
		}
	}
	return true
}

// poll reports whether to repeat the request. If the time is over or a match of Unless holds,
// it sets the failure of the outcome.
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

// keep stores values of the response that later steps need. A missing value is a failure.
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
