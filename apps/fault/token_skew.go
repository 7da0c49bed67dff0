package fault

import "time"

func tokenSkewKind() Kind {
	return Kind{
		Name: "token_skew",
		Doc: "Moves the clock with which the gateway verifies tokens, but not the clock with which it issues them, like two machines with " +
			"different clocks. If the clock is ahead by more than SHOP_TOKEN_TTL, every token looks expired. If it is behind, new tokens are not " +
			"valid yet. Seen as status 401 for all requests that need a login, while logins succeed.",
		Services: []string{"gateway"},
		Params: []Param{{Name: "offset", Type: Duration, Min: -86400, Max: 86400, Default: "24h",
			Doc: "How far the clock is ahead. A negative value puts it behind."}},
		build: func(v Values) (effect, error) { return tokenSkew{offset: v.Duration("offset")}, nil },
	}
}

type tokenSkew struct{ offset time.Duration }

func (k tokenSkew) begin(s *Set, _ *dice) (func(), error) {
	s.skew.Add(int64(k.offset))
	return func() { s.skew.Add(-int64(k.offset)) }, nil
}
