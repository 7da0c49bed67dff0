//go:build e2e && full

package main_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"firedrill/deploy/stack"
	"firedrill/internal/machine/machinetest"
)

// Loki and Tempo with a process each for distributor, ingester, querier and the rest behave like single
// processes, for the shop and for queries: every cell of the verification holds. It also holds after the
// processes that store and query data have crashed.
func TestDistributedStackIsProvenToo(t *testing.T) {
	c := newCopy(t)
	c.must("up", "--distributed")
	processes := map[string]bool{}
	for name, s := range c.status() {
		if !strings.HasPrefix(name, "loki-") && !strings.HasPrefix(name, "tempo-") {
			continue
		}
		_, target, _ := strings.Cut(name, "-")
		args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", s.PID))
		if err != nil || !slices.Contains(strings.Split(string(args), "\x00"), "-target="+target) {
			t.Errorf("%s runs as %q, %v", name, args, err)
		}
		processes[name] = true
	}
	if len(processes) != 11 {
		t.Errorf("%d processes, want 5 of Loki and 6 of Tempo: %v", len(processes), processes)
	}
	c.proven(t)
	for _, m := range []struct {
		port   int
		metric string // the sum of its series is above 0
	}{
		{3110, "loki_distributor_lines_received_total"},
		{3120, "loki_ingester_chunks_created_total"},
		{3130, "loki_query_frontend_enqueue_count"},
		{3140, "loki_logql_querystats_latency_seconds_count"},
		{3210, "tempo_distributor_spans_received_total"},
		{3220, "tempo_ingester_traces_created_total"},
		{3230, "tempo_metrics_generator_spans_received_total"},
		{3240, "tempo_query_frontend_queries_total"},
	} {
		if got := sum(c.get(m.port, "/metrics"), m.metric); got <= 0 {
			t.Errorf("%s at %d is %v: nothing went through that process", m.metric, m.port, got)
		}
	}

	for _, name := range []string{"loki-ingester", "loki-querier", "tempo-ingester", "tempo-querier"} {
		before := c.status()[name]
		signal(t, before.PID, syscall.SIGKILL)
		machinetest.Eventually(t, name+" starts again after SIGKILL", func() bool {
			now := c.status()[name]
			return now.State == stack.Ready && now.PID != before.PID
		})
	}
	c.proven(t)
	for name, s := range c.status() {
		if s.Kind == stack.KindStack {
			t.Logf("%s: %d MiB", name, s.RSSBytes>>20)
		}
	}
	c.must("down")
	c.gone()
}

// proven checks that all cells of the verification hold for the copy.
func (c *stackCopy) proven(t *testing.T) {
	t.Helper()
	if code, out := c.judge("verify", "--timeout", patience(t, 2*time.Minute)); code != 0 || !regexp.MustCompile(`All \d+ cells hold`).MatchString(out) {
		t.Errorf("verify: exit %d\n%s", code, out)
	}
}

// sum returns the sum of the series of a metric in the text format.
func sum(text, metric string) float64 {
	total := 0.0
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if i := strings.LastIndex(line, "} "); i >= 0 {
			name, _, _ = strings.Cut(line, "{")
			value = strings.TrimSpace(line[i+2:])
		}
		if v, err := strconv.ParseFloat(value, 64); err == nil && name == metric {
			total += v
		}
	}
	return total
}
