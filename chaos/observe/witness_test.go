package observe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"firedrill/internal/machine"
)

// target is a target of Prometheus that was last scraped some seconds ago.
type target struct {
	job, tier, interval string
	ago                 time.Duration
	up                  bool
}

func targetsJSON(now time.Time, all []target) string {
	var out []string
	for _, t := range all {
		health := map[bool]string{true: "up", false: "down"}[t.up]
		out = append(out, fmt.Sprintf(`{"discoveredLabels":{"__scrape_interval__":%q},"labels":{"job":%q,"tier":%q},"scrapePool":%q,"scrapeUrl":"http://%s","lastScrape":%q,"health":%q}`,
			t.interval, t.job, t.tier, t.job, t.job, now.Add(-t.ago).Format(time.RFC3339Nano), health))
	}
	return `{"status":"success","data":{"activeTargets":[` + strings.Join(out, ",") + `]}}`
}

// still is a machine on which nothing is late.
type still struct{}

func (still) Since(time.Time) []machine.Reading { return nil }

// TestScrapesAreLate checks that scrapes are late if two thirds of the targets are late, whatever their intervals. What a
// drill does to services must not count as late.
func TestScrapesAreLate(t *testing.T) {
	const s = time.Second
	many := func(shop, stack target) (all []target) {
		for i := range 6 {
			shop.job, shop.tier, shop.interval = fmt.Sprintf("shop%d", i), "shop", "1s"
			all = append(all, shop)
		}
		for i := range 5 {
			stack.job, stack.tier, stack.interval = fmt.Sprintf("stack%d", i), "stack", "5s"
			all = append(all, stack)
		}
		return all
	}
	for _, tc := range []struct {
		name  string
		polls [][]target // answers in turn; the last one decides
		want  time.Duration
		known bool
	}{
		{"all on time", [][]target{many(target{ago: s, up: true}, target{ago: 4 * s, up: true})}, 0, true},
		{"all late by 3 s", [][]target{many(target{ago: 4 * s, up: true}, target{ago: 8 * s, up: true})}, 3 * s, true},
		{"the shop is down, the stack is not", [][]target{
			many(target{ago: s, up: true}, target{ago: s, up: true}), many(target{ago: s, up: false}, target{ago: s, up: true}),
		}, 0, true},
		{"all fail: counted since they last came", [][]target{
			many(target{ago: 9 * s, up: true}, target{ago: 13 * s, up: true}), many(target{ago: s}, target{ago: s}),
		}, 8 * s, true},
		{"load and drills do not count", [][]target{append(many(target{ago: s, up: true}, target{ago: s, up: true}),
			target{"load", "load", "1s", 99 * s, true}, target{"drill", "drill", "1s", 99 * s, true})}, 0, true},
		{"never scraped", [][]target{{{"shop", "shop", "1s", s, false}}}, 0, false},
		{"no targets", [][]target{nil}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var answer string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
			defer server.Close()
			eyes, err := New(Config{Prometheus: server.URL, Loki: server.URL, Tempo: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			w := &Witness{eyes: eyes, machine: still{}, lastUp: map[string]time.Time{}}
			var got time.Duration
			var known bool
			for _, poll := range tc.polls {
				answer = targetsJSON(time.Now(), poll)
				got, known = w.scrapes(t.Context())
			}
			// The answer is slightly older when it is read.
			if known != tc.known || got < tc.want || got > tc.want+s {
				t.Errorf("late by %v, known %v; want %v, %v", got, known, tc.want, tc.known)
			}
		})
	}
}

func TestScrapesWithoutPrometheus(t *testing.T) {
	eyes, err := New(Config{Prometheus: "http://127.0.0.1:1", Loki: "http://127.0.0.1:1", Tempo: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	w := &Witness{eyes: eyes, machine: still{}, lastUp: map[string]time.Time{}}
	if late := w.Late(t.Context()); len(late) != 0 {
		t.Errorf("%v, want nothing: nobody knows", late)
	}
}

// busy is a machine that was late in the last second.
type busy machine.Reading

func (b busy) Since(from time.Time) []machine.Reading {
	if !from.Before(b.At) {
		return nil
	}
	return []machine.Reading{machine.Reading(b)}
}

func TestProcessorIsTheWorseOfTwo(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct{ late, delay, want time.Duration }{
		{30 * time.Millisecond, 5 * time.Millisecond, 30 * time.Millisecond},
		{30 * time.Millisecond, 200 * time.Millisecond, 200 * time.Millisecond},
		{30 * time.Millisecond, -1, 30 * time.Millisecond},
	} {
		w := &Witness{machine: busy{At: now, Late: tc.late, Delay: tc.delay}}
		if got, known := w.processor(); got != tc.want || !known {
			t.Errorf("%v and %v: %v, %v; want %v", tc.late, tc.delay, got, known, tc.want)
		}
		if got, known := w.processor(); known {
			t.Errorf("the same reading counted twice: %v", got)
		}
	}
}
