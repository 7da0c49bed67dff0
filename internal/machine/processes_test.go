package machine

import (
	"testing"
	"time"
)

func TestParseSchedule(t *testing.T) {
	for text, want := range map[string]schedule{
		"158843733 1827430 347\n": {158843733, 1827430},
		"0 0 0\n":                 {0, 0},
	} {
		if got, ok := parseSchedule(text); !ok || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "12\n", "x 1 2\n", "1 x 2\n", "-1 1 1\n", "1 -1 1\n"} {
		if got, ok := parseSchedule(text); ok {
			t.Errorf("%q gives %v, want nothing", text, got)
		}
	}
}

func TestDelayOfProcesses(t *testing.T) {
	const ms = time.Millisecond
	threads := map[int]map[string]schedule{}
	pids := []int{1, 2}
	d := &delay{pids: func() []int { return pids }, read: func(pid int) map[string]schedule { return threads[pid] }}
	for _, step := range []struct {
		name  string
		one   map[string]schedule
		two   map[string]schedule
		want  time.Duration
		known bool
	}{
		{"the first look", map[string]schedule{"a": {100 * ms, 50 * ms}}, map[string]schedule{"b": {0, 0}}, 0, false},
		{"both have run 20 ms, one waited 30 ms", map[string]schedule{"a": {120 * ms, 80 * ms}}, map[string]schedule{"b": {20 * ms, 0}}, 7500 * time.Microsecond, true},
		{"next to nothing was done", map[string]schedule{"a": {124 * ms, 180 * ms}}, map[string]schedule{"b": {25 * ms, 0}}, 0, false},
		{"waited ten times as long as it ran", map[string]schedule{"a": {134 * ms, 280 * ms}}, map[string]schedule{"b": {25 * ms, 0}}, 100 * ms, true},
		{"a thread of another process with the same name ran less", map[string]schedule{"a": {5 * ms, 5 * ms}}, map[string]schedule{"b": {55 * ms, 30 * ms}}, 10 * ms, true},
		{"all are gone", nil, nil, 0, false},
		{"back again", map[string]schedule{"a": {500 * ms, 900 * ms}}, nil, 0, false},
	} {
		threads[1], threads[2] = step.one, step.two
		if got, known := d.since(); got != step.want || known != step.known {
			t.Errorf("%s: %v, %v; want %v, %v", step.name, got, known, step.want, step.known)
		}
	}
}
