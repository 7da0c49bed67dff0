package catalog

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"firedrill/apps/fault"
	"firedrill/apps/fault/client"
	"firedrill/apps/internal/storage/storagetest"
	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// faulty is a running catalog with faults enabled.
type faulty struct {
	*Client
	faults *fault.Set
	tel    *telemetry.Telemetry
	spans  *tracetest.SpanRecorder
}

func startFaulty(t *testing.T, database string) *faulty {
	t.Helper()
	f := &faulty{tel: telemetrytest.New(t, telemetry.Config{Service: Name})}
	f.spans = telemetrytest.Record(t, f.tel)
	var err error
	if f.faults, err = fault.New(fault.Config{Service: Name, Token: "token"}); err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Config{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Database: database, CacheTTL: time.Hour},
		Deps{Telemetry: f.tel, Faults: f.faults})
	if err != nil {
		t.Fatal(err)
	}
	f.Client = NewClient(s.URL(), http.DefaultClient)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		f.faults.Close()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return f
}

// begin starts a fault until end is called.
func (f *faulty) begin(t *testing.T, kind string, params map[string]any) (end func()) {
	t.Helper()
	if _, err := f.faults.Begin(t.Context(), kind, fault.Spec{Kind: kind, Params: params}, client.MaxLease); err != nil {
		t.Fatal(err)
	}
	return func() { f.faults.End(kind) }
}

// queries returns the number of finished query spans with the verb, and the
// duration of the last one.
func (f *faulty) queries(verb string) (n int, last time.Duration) {
	for _, s := range f.spans.Ended() {
		if strings.HasPrefix(s.Name(), verb+" ") {
			n, last = n+1, took(s)
		}
	}
	return n, last
}

func took(s sdktrace.ReadOnlySpan) time.Duration { return s.EndTime().Sub(s.StartTime()) }

// list requests all products the given number of times and returns the number
// of queries.
func (f *faulty) list(t *testing.T, times int) (queries int) {
	t.Helper()
	before, _ := f.queries("SELECT")
	for range times {
		if all, err := f.Products(t.Context()); err != nil || len(all) != 50 || all[0].ID != "p-001" || all[49].Available {
			t.Fatalf("%d products, %v", len(all), err)
		}
	}
	after, _ := f.queries("SELECT")
	return after - before
}

func TestCacheStampede(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := startFaulty(t, database)
		if got := f.list(t, 5); got != 1 {
			t.Errorf("5 lists took %d queries, want 1, because the list is cached", got)
		}
		end := f.begin(t, "cache_stampede", nil)
		if got := f.list(t, 5); got != 5 {
			t.Errorf("5 lists without the cache took %d queries, want 5", got)
		}
		end()
		if got := f.list(t, 5); got != 0 {
			t.Errorf("5 lists after the fault took %d queries, want 0", got)
		}
		got := telemetrytest.Series(t, f.tel.Registry(), "shop_catalog_cache_lookups_total")
		if got["cache=list result=miss"] != 6 || got["cache=list result=hit"] != 9 {
			t.Errorf("lookups %v, want 6 misses and 9 hits", got)
		}
	})
}

func TestNPlusOne(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := startFaulty(t, database)
		uncached := f.begin(t, "cache_stampede", nil)
		defer uncached()
		end := f.begin(t, "n_plus_one", nil)
		if got := f.list(t, 1); got != 51 {
			t.Errorf("a list took %d queries, want 51", got)
		}
		end()
		if got := f.list(t, 1); got != 1 {
			t.Errorf("a list after the fault took %d queries, want 1", got)
		}
	})
}

// The delay is inside the database's spans.
func TestSlowQuery(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := startFaulty(t, database)
		const delay = 150 * time.Millisecond
		end := f.begin(t, "slow_query", map[string]any{"delay": delay.String()})
		if _, err := f.Product(t.Context(), "p-001"); err != nil {
			t.Fatal(err)
		}
		end()
		if n, last := f.queries("SELECT"); n != 1 || last < delay {
			t.Errorf("%d queries, the last took %v; want 1 of at least %v", n, last, delay)
		}
	})
}

func TestPoolExhausted(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		f := startFaulty(t, database)
		end := f.begin(t, "pool_exhaustion", nil)
		f.awaitNoneLeft(t)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := f.Product(ctx, "p-001"); err == nil {
			t.Error("no error without a free connection")
		}
		end()
		if _, err := f.Product(t.Context(), "p-002"); err != nil {
			t.Errorf("after the fault: %v", err)
		}
	})
}

// awaitNoneLeft waits until all connections of the pool are in use.
func (f *faulty) awaitNoneLeft(t *testing.T) {
	t.Helper()
	series := func(name string) float64 { return telemetrytest.Series(t, f.tel.Registry(), name)["db_name="+Name] }
	machinetest.Await(t, "all connections are in use", func() (string, bool) {
		used, most := series("go_sql_in_use_connections"), series("go_sql_max_open_connections")
		return fmt.Sprintf("%v of %v", used, most), used >= most
	})
}
