package attack_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/result"
	"firedrill/loadgen/schedule"
)

// get is the plan of requests to a URL.
func get(t testing.TB, url string) *journey.Plan {
	t.Helper()
	plan, err := journey.NewPlan(journey.Settings{
		Scenarios: []journey.Scenario{{
			Name: "get", Weight: 1,
			Steps: []journey.Step{{Method: http.MethodGet, URL: journey.Literal([]byte(url))}},
		}},
		Run: 1, Seed: 1, Sampled: 0.1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func whole(t testing.TB, stages ...schedule.Stage) schedule.Part {
	t.Helper()
	s, err := schedule.New(stages, 1)
	if err != nil {
		t.Fatal(err)
	}
	return s.Part(schedule.Shard{})
}

func constant(rate float64, length time.Duration) schedule.Stage {
	return schedule.Stage{Shape: schedule.Constant(rate, length)}
}

// run carries out an attack and returns what was found.
func run(t testing.TB, cfg attack.Config) *result.Result {
	t.Helper()
	collector := result.New(result.Meta{}, result.Options{Intended: cfg.Schedule.Count})
	cfg.Record = collector
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Overrun == 0 {
		cfg.Overrun = 10 * time.Second
	}
	a, err := attack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return collector.Finish(a.Run(t.Context()))
}

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// response merges the response times of all groups.
func response(r *result.Result) (all result.Histogram) {
	for i := range r.Groups {
		all.Merge(&r.Groups[i].Response)
	}
	return all
}

func requests(r *result.Result) (n uint64) {
	for i := range r.Groups {
		n += r.Groups[i].Requests
	}
	return n
}

var _ net.Listener
