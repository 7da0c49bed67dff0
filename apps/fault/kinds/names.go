package kinds

import (
	"cmp"
	"slices"
)

// Names of the kinds.
const (
	BadDeploy      = "bad_deploy"
	CacheStampede  = "cache_stampede"
	CPUBurn        = "cpu_burn"
	Errors         = "errors"
	GCPressure     = "gc_pressure"
	GoroutineLeak  = "goroutine_leak"
	Latency        = "latency"
	LockContention = "lock_contention"
	MemoryLeak     = "memory_leak"
	NPlusOne       = "n_plus_one"
	PoisonMessage  = "poison_message"
	PoolExhaustion = "pool_exhaustion"
	Reroute        = "reroute"
	SlowQuery      = "slow_query"
	TokenSkew      = "token_skew"
	Unready        = "unready"
)

// Groups of services, by what a fault needs of them. A group is a new slice each time.
func withRoutes() []string    { return []string{"bank", "catalog", "gateway", "orders", "payments"} }
func withDatabases() []string { return []string{"bank", "catalog", "orders", "payments", "shipping"} }

// withVersions returns the services whose metrics tell a version.
func withVersions() []string { return []string{"catalog", "gateway", "orders", "payments"} }

// All returns every kind of fault that services can show, sorted by name.
func All() []Kind {
	all := slices.Concat(requestKinds(), partKinds(), resourceKinds())
	slices.SortFunc(all, func(a, b Kind) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
