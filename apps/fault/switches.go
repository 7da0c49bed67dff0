package fault

// These kinds switch a part of the service while they are active.

func cacheStampedeKind() Kind {
	return Kind{
		Name: "cache_stampede",
		Doc: "Takes the catalogue's cache away, and the rule that many who lack the same thing wait for one read of it: every request reads " +
			"the database. Seen in shop_catalog_cache_lookups_total by result, in the database's pool, and as spans of the database in every trace.",
		Services: []string{"catalog"},
		Params:   []Param{},
		build:    switched(func(s *Set) *toggle { return &s.stampede }),
	}
}

func nPlusOneKind() Kind {
	return Kind{
		Name: "n_plus_one",
		Doc: "Reads the list of products with one query for the list and one for each product. With a fast database hardly a metric shows it; " +
			"a trace of GET /products does, with a query for each product, whenever the cache had no list.",
		Services: []string{"catalog"},
		Params:   []Param{},
		build:    switched(func(s *Set) *toggle { return &s.nPlusOne }),
	}
}

func unreadyKind() Kind {
	return Kind{
		Name: "unready",
		Doc: "Makes the service's readiness checks fail while it works as before. Seen at /readyz, in the state of the supervisor, and by " +
			"whatever stops sending work to instances that are not ready.",
		Params: []Param{},
		build:  switched(func(s *Set) *toggle { return &s.unready }),
	}
}

// switched returns a build function for an effect that turns a toggle of the
// Set on.
func switched(which func(s *Set) *toggle) func(Values) (effect, error) {
	return func(Values) (effect, error) { return flip(which), nil }
}

type flip func(s *Set) *toggle

func (f flip) begin(s *Set, _ *dice) (func(), error) { return f(s).turnOn(), nil }
