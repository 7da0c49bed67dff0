package kinds

// requestKinds returns the kinds that spoil the requests a service answers.
func requestKinds() []Kind {
	return []Kind{badDeploy(), errors(), latency(), lockContention(), tokenSkew()}
}

func badDeploy() Kind {
	return Kind{
		Name: BadDeploy,
		Doc: "Serves a share of the requests with another version of the service, which has a regression: some fail, or all take longer. " +
			"The version is told in every signal, as a canary's is: the label \"version\" of shop_served_requests_total, the span's attribute " +
			"service.version, and the field \"version\" of the request's log line.",
		Services: withVersions(),
		Params: []Param{
			{Name: "version", Type: String, Pattern: `[A-Za-z0-9][A-Za-z0-9.+_-]{0,31}`, Default: "canary", Doc: "Name of the version."},
			{Name: "share", Type: Number, Min: 0, Max: 1, Default: 0.1, Doc: "Share of the requests that it serves."},
			{Name: "ratio", Type: Number, Min: 0, Max: 1, Default: 0.5, Doc: "Share of its requests that fail."},
			statusParam(),
			{Name: "delay", Type: Duration, Min: 0, Max: 60, Default: "0s", Doc: "How much longer its requests take."},
		},
	}
}

func errors() Kind {
	return Kind{
		Name: Errors,
		Doc: "Fails a share of the requests before the service has done anything for them. Seen in the service's request " +
			"metrics by status, in its server spans and request log lines, and in the same of its callers, who may try again.",
		Services: withRoutes(),
		Params: []Param{
			{Name: "ratio", Type: Number, Min: 0, Max: 1, Default: 1.0, Doc: "Share of the requests that fail."},
			statusParam(),
			{Name: "code", Type: String, Pattern: "[a-z-]*", Default: "",
				Doc: "Code of the problem document, which decides the status instead, such as \"out-of-stock\" (409)."},
			routeParam(),
		},
		Rule: errorsRule,
	}
}

func latency() Kind {
	return Kind{
		Name: Latency,
		Doc: "Makes a share of the requests wait before the service works on them, each for a time drawn from a distribution. " +
			"Seen in the service's request durations and server spans, whose time is not in any child span, and as time-outs of " +
			"its callers. Requests that wait go on at once when the fault ends.",
		Services: withRoutes(),
		Params: []Param{
			{Name: "distribution", Type: String, OneOf: []any{"constant", "normal", "lognormal", "pareto"}, Default: "constant",
				Doc: "Shape of the delays: all alike, symmetric, skewed as real services are, or with a heavy tail."},
			{Name: "median", Type: Duration, Min: 0, Max: 60, Doc: "Median of the delays."},
			{Name: "spread", Type: Number, Min: 0, Max: 5, Default: 0.5,
				Doc: "How far they spread: a normal distribution's σ as a share of the median, the σ of a log-normal one's logarithm, " +
					"or 1/α of a Pareto one. A constant has none."},
			{Name: "most", Type: Duration, Min: 0, Max: 60, Default: "30s", Doc: "Longest delay; a longer one is cut."},
			{Name: "share", Type: Number, Min: 0, Max: 1, Default: 1.0, Doc: "Share of the requests that are delayed."},
			routeParam(),
		},
		Rule: routeRule,
	}
}

func lockContention() Kind {
	return Kind{
		Name: LockContention,
		Doc: "Makes requests of the service take one lock in turn and hold it for a while, as a forgotten global lock or a row that all " +
			"want would: no more than 1/hold of them a second get through. Seen as durations that grow with load while the processor idles, in " +
			"http_server_active_requests, and in goroutine profiles.",
		Services: withRoutes(),
		Params: []Param{
			{Name: "hold", Type: Duration, Min: 0.0001, Max: 10, Default: "20ms", Doc: "How long each request holds the lock."},
			routeParam(),
		},
		Rule: routeRule,
	}
}

func tokenSkew() Kind {
	return Kind{
		Name: TokenSkew,
		Doc: "Moves the clock by which the gateway judges tokens, but not the one by which it issues them, as two machines with different " +
			"clocks would. Ahead by more than SHOP_TOKEN_TTL every token looks expired, behind every new one is not valid yet. Seen as 401 " +
			"of all that needs a login while logins succeed.",
		Services: []string{"gateway"},
		Params: []Param{{Name: "offset", Type: Duration, Min: -86400, Max: 86400, Default: "24h",
			Doc: "How far the clock is ahead; below 0 behind."}},
	}
}
