package fault

func rerouteKind() Kind {
	return Kind{
		Name: "reroute",
		Doc: "Makes the service dial another address for one that it depends on: another service, the broker, a database server, Loki or " +
			"Tempo. Connections open to the old address are closed when it begins, those to the new one when it ends. It is how faults on the " +
			"wire get between two programs, and shows nothing by itself.",
		Params: []Param{
			{Name: "from", Type: String, Pattern: `.+:[0-9]+`, Doc: "Address, as \"host:port\", that the service would dial."},
			{Name: "to", Type: String, Pattern: `.+:[0-9]+`, Doc: "Address that it dials instead."},
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
