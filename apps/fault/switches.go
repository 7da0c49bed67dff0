package fault

// These kinds switch a part of the service while they are active.

func cacheStampedeKind() Kind {
	return Kind{
		Name: "cache_stampede",
		Doc: "Turns off the catalog's cache and the sharing of concurrent reads, so that every request reads the database. " +
			"Seen in shop_catalog_cache_lookups_total by result, in the database pool, and as database spans in every trace.",
		Services: []string{"catalog"},
		Params:   []Param{},
		build:    switched(func(s *Set) *toggle { return &s.stampede }),
	}
}

func nPlusOneKind() Kind {
	return Kind{
		Name: "n_plus_one",
		Doc: "Reads the list of products with one query for the list and one for each product. With a fast database, metrics hardly show it. " +
			"A trace of GET /products shows it, with one query for each product, when the list was not in the cache.",
		Services: []string{"catalog"},
		Params:   []Param{},
		build:    switched(func(s *Set) *toggle { return &s.nPlusOne }),
	}
}

func unreadyKind() Kind {
	return Kind{
		Name: "unready",
		Doc: "Makes the service's readiness checks fail while it works normally. Seen at /readyz and in the state of the supervisor. " +
			"Load balancers that check readiness stop sending requests to the service.",
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
