//go:build e2e

package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"firedrill/dashboards"
	"firedrill/internal/contract"
	"firedrill/internal/machine/machinetest"
)

// dashboardsShow sends every query of every dashboard (panels, variables, annotations) to the real stack under
// load, and checks that there is an answer. Panels that may be empty are marked in code; their queries must
// still be valid.
func dashboardsShow(t *testing.T, c *stackCopy) {
	t.Helper()
	r := newReader(t, c)
	all := questions(t)
	quiet := len(quietByDrill(all))
	left := r.until(t, all, after(machinetest.Patience(t, 3*time.Minute)), func(q question) bool {
		return q.err == nil || q.ask.Quiet != nil && errors.Is(q.err, errEmpty)
	})
	told(t, left)
	if quiet == 0 || len(all) < 200 {
		t.Errorf("only %d questions, and %d drills for those that may be empty", len(all), quiet)
	}
	t.Logf("%d dashboards asked %d questions; %d had no answer", len(dashboards.All()), len(all), len(left))
}

// judged is the drill that fills quiet panels and whose verdict is also checked. Its fault is injected into a
// service.
const judged = "total-outage"

// A panel that is empty without a fault shows data during the drill that it names.
func TestDrillsFillQuietPanels(t *testing.T) {
	byDrill := quietByDrill(questions(t))
	if byDrill[judged] == nil {
		t.Errorf("%s fills no panel: it must run elsewhere", judged)
	}
	for _, drill := range slices.Sorted(maps.Keys(byDrill)) {
		t.Run(drill, func(t *testing.T) {
			c := newCopy(t)
			c.must("up")
			run, ended := c.background("drill", "run", "--wait", patience(t, 2*time.Minute), drill)
			left := newReader(t, c).until(t, byDrill[drill], ended, func(q question) bool { return q.err == nil })
			t.Logf("the drill filled %d of %d questions", len(byDrill[drill])-len(left), len(byDrill[drill]))
			if drill != judged {
				_ = run.Process.Signal(syscall.SIGINT) // the panels have data; other tests check the result of the drill
			}
			waitForDrill(t, ended)
			if j := c.lastJournal(drill); len(left) > 0 && j != nil && becauseOfMachine(j) {
				machinetest.CouldNotKeepUp(t, fmt.Sprintf("drill %s: %s", drill, strings.Join(j.Reasons, "; ")))
			}
			told(t, left)
			if t.Failed() {
				t.Logf("the drill said:\n%s", run.Stdout)
			}
			if drill == judged {
				c.passes(drill)
			}
		})
	}
}

// waitForDrill waits for as long as a drill takes, which is some minutes.
func waitForDrill(t *testing.T, ended func() bool) {
	t.Helper()
	if err := machinetest.Awaited(t, 10*time.Minute, func() (string, bool) { return "", ended() }); err != nil {
		t.Fatalf("the drill ends: %v", err)
	}
}

// question is a query of a dashboard, with the reason if it has no answer.
type question struct {
	board dashboards.Board
	ask   dashboards.Ask
	err   error
}

func questions(t *testing.T) []question {
	t.Helper()
	var all []question
	for _, b := range dashboards.All() {
		asks, err := b.Asks()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range asks {
			all = append(all, question{b, a, errEmpty})
		}
	}
	return all
}

func quietByDrill(all []question) map[string][]question {
	byDrill := map[string][]question{}
	for _, q := range all {
		if q.ask.Quiet != nil {
			byDrill[q.ask.Quiet.Drill] = append(byDrill[q.ask.Quiet.Drill], q)
		}
	}
	return byDrill
}

func told(t *testing.T, left []question) {
	t.Helper()
	for _, q := range left {
		t.Errorf("dashboard %s, %s: %v", q.board.UID, q.ask.From, q.err)
	}
}

// after returns a function that reports whether d has passed.
func after(d time.Duration) func() bool {
	deadline := time.Now().Add(d)
	return func() bool { return time.Now().After(deadline) }
}

// until repeats the queries in left until done returns true for each, or late returns true. It returns the
// queries that are not done.
func (r reader) until(t *testing.T, left []question, late func() bool, done func(question) bool) []question {
	t.Helper()
	for {
		var open []question
		choices := map[string][]map[string]string{}
		for _, q := range left {
			if choices[q.board.UID] == nil {
				choices[q.board.UID] = r.choices(t, q.board)
			}
			for _, values := range choices[q.board.UID] {
				if q.err = r.answer(t.Context(), q.ask, values); q.err == nil {
					break
				}
			}
			if !done(q) {
				open = append(open, q)
			}
		}
		if left = open; len(left) == 0 || late() {
			return left
		}
		time.Sleep(time.Second) // until the next scrapes
	}
}

// background starts a command. Its output is in the command's Stdout.
func (c *stackCopy) background(args ...string) (cmd *exec.Cmd, ended func() bool) {
	c.t.Helper()
	cmd = c.command(args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { _ = cmd.Wait(); close(over) }()
	c.t.Cleanup(func() { _ = cmd.Process.Kill(); <-over })
	return cmd, func() bool {
		select {
		case <-over:
			return true
		default:
			return false
		}
	}
}

// contractsHold checks the contracts of the stack's own metrics: names, labels and, where Prometheus knows
// them, types.
func contractsHold(t *testing.T, c *stackCopy) {
	t.Helper()
	client, err := api.NewClient(api.Config{Address: c.url(9090, ""), Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	prometheus := promv1.NewAPI(client)
	// Loki has no counter of refused lines before it refuses one.
	if resp, err := http.Post(c.url(3100, "/loki/api/v1/push"), "application/json",
		bytes.NewBufferString(`{"streams":[{"stream":{"service_name":"late"},"values":[["1000000000000000000","a line of 2001"]]}]}`)); err == nil {
		resp.Body.Close()
	}
	all, err := contract.ReadFiles("../../dashboards/contracts/stack.json", "../../dashboards/contracts/traces.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all.Metrics {
		var has map[string]bool
		machinetest.Eventually(t, m.Name+" is told, with the labels "+strings.Join(m.Labels, ", "), func() bool {
			has = labelsOf(t, prometheus, m)
			return !slices.ContainsFunc(m.Labels, func(l string) bool { return !has[l] }) && len(has) > 0
		})
		known, err := prometheus.Metadata(t.Context(), m.Name, "1")
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range known[m.Name] {
			if string(one.Type) != m.Type {
				t.Errorf("%s is a %s: want a %s", m.Name, one.Type, m.Type)
			}
		}
	}
	t.Logf("%d metrics of the stack's own are as the contracts say", len(all.Metrics))
}

// labelsOf returns the labels that series of a metric have.
func labelsOf(t *testing.T, prometheus promv1.API, m contract.Metric) map[string]bool {
	t.Helper()
	name := m.Name
	if m.Type == "histogram" {
		name += "_bucket"
	}
	series, _, _, err := prometheus.Series(t.Context(), []string{name}, time.Now().Add(-5*time.Minute), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, s := range series {
		for l := range s {
			has[string(l)] = true
		}
	}
	return has
}
