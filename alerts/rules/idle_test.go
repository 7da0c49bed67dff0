//go:build !race

// These replays take minutes with the race detector, and nothing in them is concurrent.

package rules_test

import (
	"testing"
	"time"

	"firedrill/alerts/slo"
)

// An idle service, a scraped service that never had traffic, and a service that is not scraped
// differ. Only the last one cannot be measured.
func TestIdleIsNotUnknown(t *testing.T) {
	const up = `up{job="shop"}`
	scraped := func(add func(string, float64)) { add(up, 0) }
	both := func(turn func(func(string, float64))) func(func(string, float64)) {
		return func(add func(string, float64)) { scraped(add); turn(add) }
	}
	for _, tc := range []struct {
		name  string
		steps func(r *replay)
		want  bool // whether SLIAbsent fires at the end
	}{
		{"scraped, and never had a request", func(r *replay) {
			r.counters[up] = 1
			r.run(3*time.Minute, scraped)
		}, false},
		{"not scraped from the start", func(r *replay) {
			r.counters[up] = 0
			r.run(3*time.Minute, scraped)
		}, true},
		{"nobody has heard of the job", func(r *replay) { r.run(3*time.Minute, func(func(string, float64)) {}) }, true},
		{"idle after traffic", func(r *replay) {
			r.counters[up] = 1
			r.run(30*time.Second, both(shopRequests(100)))
			r.run(3*time.Minute, both(shopRequests(0)))
		}, false},
		{"its series go while there is traffic", func(r *replay) {
			r.counters[up] = 1
			r.run(30*time.Second, both(shopRequests(100)))
			r.stop(`requests_total{job="shop",code="200"}`, `requests_total{job="shop",code="500"}`)
			r.run(45*time.Second, scraped)
		}, true},
		{"restarted while idle, and no request yet", func(r *replay) {
			r.counters[up] = 1
			r.run(30*time.Second, both(shopRequests(100)))
			r.run(390*time.Second, both(shopRequests(0)))
			r.stop(`requests_total{job="shop",code="200"}`, `requests_total{job="shop",code="500"}`)
			r.run(3*time.Minute, scraped)
		}, false},
		{"the scrapes fail while idle", func(r *replay) {
			r.counters[up] = 1
			r.run(30*time.Second, both(shopRequests(100)))
			r.run(390*time.Second, both(shopRequests(0)))
			r.stop(`requests_total{job="shop",code="200"}`, `requests_total{job="shop",code="500"}`)
			r.counters[up] = 0
			r.run(time.Minute, scraped)
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := spec(t, `requests_total{code="500"}`, `requests_total{job="shop",code="500"}`, `requests_total[`, `requests_total{job="shop"}[`)
			r := newReplay(t, s, slo.Workshop())
			tc.steps(r)
			if got := r.fires(absent); got != tc.want {
				t.Errorf("SLIAbsent fires %v, want %v; fired: %+v", got, tc.want, r.fired)
			}
			if r.fires(page) {
				t.Errorf("a burn pages: %+v", r.fired)
			}
		})
	}
}

// stop ends series.
func (r *replay) stop(series ...string) {
	for _, s := range series {
		delete(r.counters, s)
	}
}

// fires reports whether an alert fires now.
func (r *replay) fires(alert string) bool {
	all := r.of(alert)
	return len(all) > 0 && all[len(all)-1].open
}

// shopRequests increases the counter of good requests of the job shop at each scrape.
func shopRequests(good float64) func(func(string, float64)) {
	return func(add func(string, float64)) {
		add(`requests_total{job="shop",code="200"}`, good)
		add(`requests_total{job="shop",code="500"}`, 0)
	}
}
