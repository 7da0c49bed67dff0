package kinds

// partKinds returns the kinds that make one part of a service misbehave: its cache, database, broker, connections or checks.
func partKinds() []Kind {
	return []Kind{cacheStampede(), nPlusOne(), poisonMessage(), poolExhaustion(), reroute(), slowQuery(), unready()}
}

func cacheStampede() Kind {
	return Kind{
		Name: CacheStampede,
		Doc: "Takes the catalogue's cache away, and the rule that many who lack the same thing wait for one read of it: every request reads " +
			"the database. Seen in shop_catalog_cache_lookups_total by result, in the database's pool, and as spans of the database in every trace.",
		Services: []string{"catalog"},
		Params:   []Param{},
	}
}

func nPlusOne() Kind {
	return Kind{
		Name: NPlusOne,
		Doc: "Reads the list of products with one query for the list and one for each product. With a fast database hardly a metric shows it; " +
			"a trace of GET /products does, with a query for each product, whenever the cache had no list.",
		Services: []string{"catalog"},
		Params:   []Param{},
	}
}

func poisonMessage() Kind {
	return Kind{
		Name: PoisonMessage,
		Doc: "Puts events on the stream of orders that cannot be worked off. Shipping tries each five times, with longer and longer pauses, " +
			"and drops it (shop_shipping_events_total by outcome, an error in its log, failed consumer spans). What is on the stream when " +
			"the fault ends takes that way still.",
		Services: []string{"orders"},
		Params: []Param{
			{Name: "count", Type: Integer, Unit: "events", Min: 1, Max: 100_000, Default: 1, Doc: "How many."},
			{Name: "per_second", Type: Number, Unit: "events/s", Min: 0.01, Max: 1000, Default: 1.0, Doc: "How fast."},
		},
	}
}

func poolExhaustion() Kind {
	return Kind{
		Name: PoolExhaustion,
		Doc: "Takes connections out of the database's pool and keeps them, as code that forgets to close rows would. Seen in " +
			"go_sql_in_use_connections and go_sql_wait_count_total, in requests that time out without a span of the database, and in readiness.",
		Services: withDatabases(),
		Params: []Param{{Name: "connections", Type: Integer, Unit: "connections", Min: 0, Max: 1000, Default: 0,
			Doc: "How many; 0 for all. SQLite's pools have 1, PostgreSQL's 10."}},
	}
}

func reroute() Kind {
	return Kind{
		Name: Reroute,
		Doc: "Makes the service dial another address for one that it depends on: another service, the broker, a database server, Loki or " +
			"Tempo. Connections open to the old address are closed when it begins, those to the new one when it ends. It is how faults on the " +
			"wire get between two programs, and shows nothing by itself.",
		Params: []Param{
			{Name: "from", Type: String, Pattern: `.+:[0-9]+`, Doc: "Address, as \"host:port\", that the service would dial."},
			{Name: "to", Type: String, Pattern: `.+:[0-9]+`, Doc: "Address that it dials instead."},
		},
	}
}

func slowQuery() Kind {
	return Kind{
		Name: SlowQuery,
		Doc: "Makes a share of the statements take longer in the database's driver, as a missing index would. Seen in the spans of the " +
			"database, in the pool's waits (go_sql_wait_duration_seconds_total) as connections are held longer, and in request durations.",
		Services: withDatabases(),
		Params: []Param{
			{Name: "delay", Type: Duration, Min: 0, Max: 60, Default: "200ms", Doc: "How much longer a statement takes."},
			{Name: "share", Type: Number, Min: 0, Max: 1, Default: 1.0, Doc: "Share of the statements that are slow."},
		},
	}
}

func unready() Kind {
	return Kind{
		Name: Unready,
		Doc: "Makes the service's readiness checks fail while it works as before. Seen at /readyz, in the state of the supervisor, and by " +
			"whatever stops sending work to instances that are not ready.",
		Params: []Param{},
	}
}
