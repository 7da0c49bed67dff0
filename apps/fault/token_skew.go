package fault

import (
	"time"

	"firedrill/apps/fault/kinds"
)

func newTokenSkew(v kinds.Values) (effect, error) {
	return tokenSkew{offset: v.Duration("offset")}, nil
}

type tokenSkew struct{ offset time.Duration }

func (k tokenSkew) begin(s *Set, _ *dice) (func(), error) {
	s.skew.Add(int64(k.offset))
	return func() { s.skew.Add(-int64(k.offset)) }, nil
}
