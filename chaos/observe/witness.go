package observe

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"firedrill/chaos/drill"
	"firedrill/internal/machine"
)

// Witness measures whether the machine keeps up: whether processes get a processor,
// and whether Prometheus scrapes on time. It implements run.Witness.
type Witness struct {
	eyes    *Eyes
	machine interface {
		Since(from time.Time) []machine.Reading
	}

	mu     sync.Mutex
	since  time.Time
	lastUp map[string]time.Time // when a scrape last succeeded, by pool and URL of the target
}

// Witness returns a witness that measures this machine until ctx ends, and asks the stack's Prometheus. pids lists the
// stack's processes on this machine.
func (e *Eyes) Witness(ctx context.Context, pids func() []int) *Witness {
	return &Witness{
		eyes: e, machine: machine.Watch(ctx, pids), since: time.Now(), lastUp: map[string]time.Time{},
	}
}

// Late implements run.Witness.
func (w *Witness) Late(ctx context.Context) map[drill.Need]time.Duration {
	late := map[drill.Need]time.Duration{}
	if d, known := w.processor(); known {
		late[drill.NeedProcessor] = d
	}
	if d, known := w.scrapes(ctx); known {
		late[drill.NeedScrapes] = d
	}
	return late
}

// processor returns how long work waited for a processor since the last call. It is the greater of two values: the longest
// wait of a process that had slept, and the average wait of the stack's processes. known is false during the first second.
func (w *Witness) processor() (late time.Duration, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.machine.Since(w.since) {
		w.since, known = r.At, true
		late = max(late, r.Wait())
	}
	return late, known
}

// scrapes returns by how much at least two thirds of the targets are scraped too late. If one service is down, or all
// services of the shop, scrapes do not count as late, because drills cause that on purpose. known is false if Prometheus
// does not answer or has not scraped anything yet.
func (w *Witness) scrapes(ctx context.Context) (late time.Duration, known bool) {
	targets, err := w.eyes.prometheus.Targets(ctx)
	if err != nil {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	seen := map[string]bool{}
	var all []time.Duration
	for _, t := range targets {
		interval, lasting := intervalOf(t)
		if !lasting {
			continue
		}
		key := t.ScrapePool + " " + t.ScrapeURL
		seen[key] = true
		if t.Health == promv1.HealthGood {
			w.lastUp[key] = t.LastScrape
		}
		if last, once := w.lastUp[key]; once {
			all = append(all, max(0, now.Sub(last)-interval))
		}
	}
	maps.DeleteFunc(w.lastUp, func(key string, _ time.Time) bool { return !seen[key] })
	if len(all) == 0 {
		return 0, false
	}
	slices.SortFunc(all, cmp.Compare[time.Duration])
	return all[len(all)/3], true
}

// intervalOf returns the scrape interval of a target. lasting is false for load tests and drills, because they are
// not always there.
func intervalOf(t promv1.ActiveTarget) (interval time.Duration, lasting bool) {
	switch t.Labels["tier"] {
	case "load", "drill":
		return 0, false
	}
	parsed, err := model.ParseDuration(t.DiscoveredLabels["__scrape_interval__"])
	return time.Duration(parsed), err == nil
}
