package notifications

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const silence = 25 * time.Second

// told returns the notifications of the switch in a store, oldest first, with times since began.
func told(s *Store, began time.Time) []string {
	var out []string
	for _, n := range s.Since(time.Time{}, 100) {
		out = append([]string{fmt.Sprintf("%s %s since %.0f", n.Received.Sub(began), n.Status, n.StartsAt.Sub(began).Seconds())}, out...)
	}
	return out
}

func message1(status, alert string) string {
	return fmt.Sprintf(`{"alerts":[{"status":%q,"labels":{"alertname":%q}}]}`, status, alert)
}

func TestDeadMan(t *testing.T) {
	type event struct {
		after  time.Duration
		status string
		alert  string
	}
	beats := func(n int) []event {
		var all []event
		for range n {
			all = append(all, event{10 * time.Second, "firing", watchdog})
		}
		return all
	}
	for _, tc := range []struct {
		name   string
		events []event
		then   time.Duration
		want   []string
	}{
		{"it beats", beats(20), 20 * time.Second, nil},
		{"it starts late", []event{{70 * time.Second, "firing", watchdog}}, silence - 1, nil},
		{"it never starts", nil, 80 * time.Second, []string{"1m15s firing since 0"}},
		{"it falls silent", beats(2), time.Hour, []string{"45s firing since 20"}},
		{
			"it comes back", append(beats(1), event{time.Minute, "firing", watchdog}), 20 * time.Second,
			[]string{"35s firing since 10", "1m10s resolved since 10"},
		},
		{
			"Alertmanager gives Prometheus up", append(beats(1), event{5 * time.Second, "resolved", watchdog}), time.Hour,
			[]string{"15s firing since 10"},
		},
		{"another alert is no sign of life", append(beats(1), event{20 * time.Second, "firing", "TargetDown"}), 10 * time.Second, []string{"35s firing since 10"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := open(t, filepath.Join(t.TempDir(), "n.jsonl"), DefaultLimits())
				began := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				d := NewDeadMan(store, silence, slog.New(slog.DiscardHandler))
				go d.Run(ctx)
				for _, e := range tc.events {
					time.Sleep(e.after)
					w := httptest.NewRecorder()
					d.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/watchdog", strings.NewReader(message1(e.status, e.alert))))
					if w.Code != 200 {
						t.Errorf("answered %d %s", w.Code, w.Body)
					}
				}
				time.Sleep(tc.then)
				synctest.Wait()
				if got := told(store, began); !reflect.DeepEqual(got, tc.want) {
					t.Errorf("told %q, want %q", got, tc.want)
				}
			})
		})
	}
}

// After a restart, the receiver knows that it has stored a notification of a silence.
func TestDeadManGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "n.jsonl")
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		go NewDeadMan(open(t, path, DefaultLimits()), silence, slog.New(slog.DiscardHandler)).Run(ctx)
		time.Sleep(2 * time.Minute)
		cancel()
		synctest.Wait()

		again := open(t, path, DefaultLimits())
		d := NewDeadMan(again, silence, slog.New(slog.DiscardHandler))
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		go d.Run(ctx)
		time.Sleep(2 * time.Minute)
		d.beats <- true
		synctest.Wait()
		want := []string{"1m15s firing since 0", "4m0s resolved since 0"}
		if got := told(again, began); !reflect.DeepEqual(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestDeadManRefusesNonsense(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "n.jsonl"), DefaultLimits())
	d := NewDeadMan(store, silence, slog.New(slog.DiscardHandler))
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/watchdog", strings.NewReader("woof")))
	if w.Code != 400 {
		t.Errorf("answered %d, want 400", w.Code)
	}
}
