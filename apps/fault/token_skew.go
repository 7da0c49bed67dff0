package fault

import "time"

func tokenSkewKind() Kind {
	return Kind{
		Name: "token_skew",
		Doc: "Moves the clock by which the gateway judges tokens, but not the one by which it issues them, as two machines with different " +
			"clocks would. Ahead by more than SHOP_TOKEN_TTL every token looks expired, behind every new one is not valid yet. Seen as 401 " +
			"of all that needs a login while logins succeed.",
		Services: []string{"gateway"},
		Params: []Param{{Name: "offset", Type: Duration, Min: -86400, Max: 86400, Default: "24h",
			Doc: "How far the clock is ahead; below 0 behind."}},
		build: func(v Values) (effect, error) { return tokenSkew{offset: v.Duration("offset")}, nil },
	}
}

type tokenSkew struct{ offset time.Duration }

func (k tokenSkew) begin(s *Set, _ *dice) (func(), error) {
	s.skew.Add(int64(k.offset))
	return func() { s.skew.Add(-int64(k.offset)) }, nil
}
