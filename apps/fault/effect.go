package fault

import (
	"fmt"

	"firedrill/apps/fault/kinds"
)

// An effect is a fault of one kind with its parameters, to be shown once.
type effect interface {
	// begin shows the fault. The returned function ends it, and returns when it is
	// undone. The dice decide what is left to chance.
	begin(s *Set, d *dice) (end func(), err error)
}

// builders returns, for each kind, what makes an effect of checked parameters.
func builders() map[string]func(kinds.Values) (effect, error) {
	return map[string]func(kinds.Values) (effect, error){
		kinds.BadDeploy:      newBadDeploy,
		kinds.CacheStampede:  switched(func(s *Set) *toggle { return &s.stampede }),
		kinds.CPUBurn:        newCPUBurn,
		kinds.Errors:         newErrors,
		kinds.GCPressure:     newGCPressure,
		kinds.GoroutineLeak:  newGoroutineLeak,
		kinds.Latency:        newLatency,
		kinds.LockContention: newLockContention,
		kinds.MemoryLeak:     newMemoryLeak,
		kinds.NPlusOne:       switched(func(s *Set) *toggle { return &s.nPlusOne }),
		kinds.PoisonMessage:  newPoisonMessage,
		kinds.PoolExhaustion: newPoolExhaustion,
		kinds.Reroute:        newReroute,
		kinds.SlowQuery:      newSlowQuery,
		kinds.TokenSkew:      newTokenSkew,
		kinds.Unready:        switched(func(s *Set) *toggle { return &s.unready }),
	}
}

// newEffect checks params and returns the effect of a kind.
func newEffect(k kinds.Kind, params map[string]any) (effect, error) {
	v, err := k.Values(params)
	if err != nil {
		return nil, fmt.Errorf("kind %q: %w", k.Name, err)
	}
	e, err := builders()[k.Name](v)
	if err != nil {
		return nil, fmt.Errorf("kind %q: %w", k.Name, err)
	}
	return e, nil
}
