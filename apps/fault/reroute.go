package fault

import (
	"firedrill/apps/fault/kinds"
)

func newReroute(v kinds.Values) (effect, error) {
	return reroute{from: v.Text("from"), to: v.Text("to")}, nil
}

type reroute struct{ from, to string }

func (r reroute) begin(s *Set, _ *dice) (func(), error) {
	if s.dialer == nil {
		return nil, errNotHere
	}
	return s.dialer.reroute(r.from, r.to)
}
