package fault

func rerouteKind() Kind {
	return Kind{
		Name: "reroute",
		Doc: "Makes the service dial another address instead of a dependency's: another service, the broker, a database server, Loki or " +
			"Tempo. Open connections to the old address are closed when the fault begins, and those to the new address when it ends. " +
			"Network faults use it to get between two programs. By itself it has no visible effect.",
		Params: []Param{
			{Name: "from", Type: String, Pattern: `.+:[0-9]+`, Doc: "Address that the service normally dials, as \"host:port\"."},
			{Name: "to", Type: String, Pattern: `.+:[0-9]+`, Doc: "Address that it dials instead, as \"host:port\"."},
		},
		build: func(v Values) (effect, error) { return reroute{from: v.Text("from"), to: v.Text("to")}, nil },
	}
}

type reroute struct{ from, to string }

func (r reroute) begin(s *Set, _ *dice) (func(), error) {
	if s.dialer == nil {
		return nil, errNotHere
	}
	return s.dialer.reroute(r.from, r.to)
}
