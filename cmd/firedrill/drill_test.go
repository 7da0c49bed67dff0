package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/alerts/slo"
	"firedrill/chaos/drill"
	"firedrill/chaos/game"
	chaosrun "firedrill/chaos/run"
	"firedrill/chaos/session"
	"firedrill/deploy/stack"
	"firedrill/internal/backend"
	"firedrill/internal/proc"
)

// drillsAt returns the target of drills for a copy that does not run.
func drillsAt(t *testing.T, offset int) drillTarget {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return drillTarget{
		Stack:  stack.Stack{Settings: stack.Settings{Root: root, Data: t.TempDir(), Offset: offset, Shop: true, Load: true}, Executable: "/bin/firedrill"},
		getenv: noEnv,
	}
}

func TestDrillTarget(t *testing.T) {
	target := drillsAt(t, 1000)
	wires := target.wires()
	for edge, want := range map[string]string{
		"orders -> payments": "127.0.0.1:9003", "orders -> broker": "127.0.0.1:5222", "payments -> bank": "127.0.0.1:9005",
		"shipping -> loki": "127.0.0.1:4100", "gateway -> tempo": "127.0.0.1:5317", "payments -> orders": "", "orders -> database": "",
	} {
		caller, dependency, _ := strings.Cut(edge, " -> ")
		if got := wires[caller][dependency]; got != want {
			t.Errorf("%s dials %q, want %q", edge, got, want)
		}
	}
	target.getenv = func(name string) string {
		return map[string]string{"DATABASE_URL": "postgres://me@db.example/shop"}[name]
	}
	if got := target.wires()["orders"]["database"]; got != "db.example:5432" {
		t.Errorf("orders dials the database at %q", got)
	}
	places := target.places()
	for name, want := range map[string]string{
		"gateway": "http://127.0.0.1:9000", "gateway.admin": "http://127.0.0.1:9100", "notifications": "http://127.0.0.1:10094",
	} {
		if places[name] != want {
			t.Errorf("${%s} is %q, want %q", name, places[name], want)
		}
	}
	if got := target.faults().Admins["bank"]; got != "http://127.0.0.1:9105" {
		t.Errorf("the bank is told at %q", got)
	}
	watchdog := strings.Join(target.watchdog(t.Context()).Args, " ")
	if want := "/bin/firedrill drill watchdog --data " + target.Data + " --offset 1000"; watchdog != want {
		t.Errorf("the watchdog is %q, want %q", watchdog, want)
	}
}

func TestDrillsThatAreNone(t *testing.T) {
	data := t.TempDir()
	file := write(t, "odd.yaml", "title: Odd\nstory: Odd.\nload: {profile: none}\nfaults: [{for: 5s, kind: kill, target: nobody}]\n")
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{}, 2, "missing argument: COMMAND"},
		{[]string{"explode"}, 2, `unknown command: "explode"`},
		{[]string{"show"}, 2, "missing argument: NAME"},
		{[]string{"show", "no-such-drill"}, 2, "no-such-drill"},
		{[]string{"run", file}, 2, `faults[0]: target "nobody" of kill: there are`},
		{[]string{"run", "--data", data, "control"}, 2, "nothing runs in " + data},
		{[]string{"report", "--data", data}, 2, "no drill has run"},
		{[]string{"stop", "--data", data}, 0, ""},
	} {
		code, out, errs := firedrill(t.Context(), append([]string{"drill"}, tc.args...)...)
		if code != tc.code || !strings.Contains(errs, tc.want) {
			t.Errorf("drill %v: exit %d, want %d and %q:\n%s%s", tc.args, code, tc.code, tc.want, out, errs)
		}
	}
}

// Every drill of the repository can be read, listed and shown.
func TestDrillsAreListed(t *testing.T) {
	code, out, errs := firedrill(t.Context(), "drill", "list")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for line := range strings.Lines(out) {
		name := strings.Fields(line)[0]
		code, shown, errs := firedrill(t.Context(), "drill", "show", name)
		if code != 0 || !strings.HasPrefix(shown, name+": ") || !strings.Contains(shown, "Load\n") {
			t.Errorf("show %s: exit %d\n%s%s", name, code, shown, errs)
		}
	}
	if !strings.Contains(out, "control ") || !strings.Contains(out, "total-outage ") {
		t.Errorf("listed:\n%s", out)
	}
}

func TestRemoteStack(t *testing.T) {
	const good = `
prometheus: http://p.example
loki: http://l.example
tempo: http://t.example
notifications: http://n.example
services:
  gateway: {url: "https://shop.example", admin: "http://g.example"}
`
	remote, err := readRemote(write(t, "remote.yaml", good))
	if err != nil {
		t.Fatal(err)
	}
	target := drillsAt(t, 0)
	target.remote = remote
	if places := target.places(); places["gateway"] != "https://shop.example" || places["gateway.admin"] != "http://g.example" || places["tempo"] != "http://t.example" {
		t.Errorf("places %v", places)
	}
	if err := target.session().Check(&drill.Drill{Faults: []drill.Fault{{Kind: "errors", Target: "gateway"}}}); err != nil {
		t.Errorf("a service's fault: %v", err)
	}
	for _, f := range []drill.Fault{{Kind: "stop", Target: "loki"}, {Kind: "wire_down", Target: "orders -> payments"}, {Kind: "errors", Target: "orders"}} {
		if err := target.session().Check(&drill.Drill{Faults: []drill.Fault{f}}); !session.Refused(err) {
			t.Errorf("%s on %s gives %v, want a refusal", f.Kind, f.Target, err)
		}
	}
	if _, err := target.token(); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "SHOP_FAULTS_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
	for _, tc := range []struct{ text, want string }{
		{strings.Replace(good, "loki:", "lokki:", 1), "lokki"},
		{strings.Replace(good, "http://t.example", "t.example", 1), `tempo: "t.example" is no URL`},
		{strings.Replace(good, "gateway:", "orders:", 1), "services.gateway is missing"},
	} {
		if _, err := readRemote(write(t, "remote.yaml", tc.text)); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want misuse and %q", err, tc.want)
		}
	}
}

// answering returns a Prometheus that answers a query with a number if the query contains the number's text.
func answering(t *testing.T, numbers map[string]float64) *backend.Prometheus {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result := []any{}
		for operand := range strings.SplitSeq(r.FormValue("query"), "\nor\n") { // PromQL's "or": an empty operand is replaced by the next
			for text, n := range numbers {
				if strings.Contains(operand, text) && len(result) == 0 {
					if strings.Contains(operand, "0 *") {
						n = 0
					}
					result = append(result, map[string]any{"metric": map[string]string{}, "value": []any{1.0, fmt.Sprint(n)}})
				}
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": result}})
	}))
	t.Cleanup(s.Close)
	p, err := backend.NewPrometheus(s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDrillPredictor(t *testing.T) {
	spec, err := slo.Parse("orders.yaml", []byte(`
version: prometheus/v1
service: orders
slos:
  - name: availability
    objective: 99.5
    sli: {events: {error_query: "sum(rate(bad[{{.window}}]))", total_query: "sum(rate(all[{{.window}}]))"}}
    alerting: {name: OrdersBurn}
`))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now().Add(-time.Minute)
	page := drill.AlertExpectation{AlertPattern: drill.AlertPattern{Alert: "OrdersBurn", Labels: map[string]string{"severity": "page"}}}
	given := page
	given.Ratio = 0.5
	for _, tc := range []struct {
		name    string
		numbers map[string]float64
		alert   drill.AlertExpectation
		want    chaosrun.Prediction
		err     error
	}{
		// The threshold is 14.4 times a budget of 0.5 % over a minute. If all requests fail, this takes 14.4 ·
		// 0.5 % · 60 s = 4.3 s.
		{"as measured", map[string]float64{"bad[1m]": 10, "all[1m]": 10}, page,
			chaosrun.Prediction{Fires: true, Detection: 4320 * 1e6, Reset: 29100 * 1e6, Slack: 2e9, Ratio: 1}, nil},
		{"as the drill says", map[string]float64{"bad[1m]": 10, "all[1m]": 10}, given,
			chaosrun.Prediction{Fires: true, Detection: 8640 * 1e6, Reset: 0, Slack: 2e9, Ratio: 0.5}, nil},
		{"no bad events", map[string]float64{"all[1m]": 10}, page, chaosrun.Prediction{}, nil},
		{"no events", nil, page, chaosrun.Prediction{}, chaosrun.ErrNoData},
		{"no alert of an objective", nil, drill.AlertExpectation{AlertPattern: drill.AlertPattern{Alert: "TargetDown"}}, chaosrun.Prediction{}, chaosrun.ErrNoData},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := drillPredictor{[]slo.Spec{spec}, slo.Workshop(), answering(t, tc.numbers)}
			got, err := d.Predict(t.Context(), tc.alert, begin, begin.Add(time.Minute))
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if got.Fires != tc.want.Fires || got.Detection != tc.want.Detection || got.Ratio != tc.want.Ratio || got.Slack != tc.want.Slack {
				t.Errorf("predicted %+v, want %+v", got, tc.want)
			}
		})
	}
}

// Other notes about drills are not faults that Heal must end.
func TestHealAfterAMystery(t *testing.T) {
	target := drillsAt(t, 0)
	if _, err := target.game().Begin(t.Context(), game.Game{Drill: "bank-down"}); err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a game without a folder: %v", err)
	}
	if err := os.MkdirAll(target.folder().Notes, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := target.game().Begin(t.Context(), game.Game{Drill: "bank-down"}); err != nil {
		t.Fatal(err)
	}
	if healed, err := target.heal(t.Context()); err != nil || len(healed) != 0 {
		t.Errorf("healed %v, %v", healed, err)
	}
}

// TestDrillLoadCommand compares the load process of a drill with what its profile and rate ask for.
func TestDrillLoadCommand(t *testing.T) {
	target := drillsAt(t, 1000)
	profiles := filepath.Join(target.Root, "loadgen", "profiles")
	for _, tc := range []struct {
		name string
		spec drill.LoadSpec
		want string
	}{
		{"at its own rate", drill.LoadSpec{Profile: "steady"}, "load --save out.json --seed 7 " + profiles + "/steady.yaml"},
		{"at the drill's rate", drill.LoadSpec{Profile: "steady", Rate: "20/s"}, "load --save out.json --seed 7 --steady 20/s " + profiles + "/steady.yaml"},
		{"a file", drill.LoadSpec{Profile: "/tmp/own.yaml", Rate: "2/s"}, "load --save out.json --seed 7 --steady 2/s /tmp/own.yaml"},
	} {
		cmd := target.load(t.Context(), session.LoadOrder{Spec: tc.spec, Seed: 7, Out: "out.json"})
		if got := strings.Join(cmd.Args[1:], " "); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
		if !slices.Contains(cmd.Env, "FIREDRILL_PORT_OFFSET=1000") || !slices.Contains(cmd.Env, "FIREDRILL_DATA="+target.Data) {
			t.Errorf("%s: its environment does not name the copy: %v", tc.name, cmd.Env)
		}
	}
}

func TestVerdictOfSeveralDrills(t *testing.T) {
	of := func(all ...chaosrun.Verdict) (journals []*chaosrun.Journal) {
		for _, v := range all {
			journals = append(journals, &chaosrun.Journal{Drill: "drill-" + string(v), Verdict: v})
		}
		return journals
	}
	for _, tc := range []struct {
		came    []chaosrun.Verdict
		missing []string
		code    int
		want    string
	}{
		{[]chaosrun.Verdict{chaosrun.Pass, chaosrun.Pass}, nil, 0, ""},
		{[]chaosrun.Verdict{chaosrun.Pass, chaosrun.Inconclusive, chaosrun.Aborted}, nil, 3, "no clear result of drill-inconclusive, drill-aborted;"},
		{[]chaosrun.Verdict{chaosrun.Inconclusive, chaosrun.Fail, chaosrun.Pass}, nil, 1, "1 of 3 drills failed: drill-fail;"},
		{[]chaosrun.Verdict{chaosrun.Pass}, []string{"control"}, 3, "interrupted: control did not run"},
	} {
		var errs strings.Builder
		if code := report("drill", exitOf(of(tc.came...), nil, tc.missing), &errs); code != tc.code || !strings.Contains(errs.String(), tc.want) {
			t.Errorf("%v: exit %d, want %d and %q:\n%s", tc.came, code, tc.code, tc.want, errs.String())
		}
	}
}

// TestMisuse checks that a drill that did not begin is misuse, and that other errors are not.
func TestMisuse(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{&session.BusyError{Running: session.Running{Identity: proc.Identity{PID: 1}, Drill: "first"}, Data: "d"}, exitMisuse},
		{&chaosrun.RefusedError{Drill: "d", Reasons: []string{"an alert fires"}}, exitMisuse},
		{errors.New("disk full"), exitFailed},
		{nil, 0},
	} {
		var errs strings.Builder
		if code := report("drill", misuse(tc.err), &errs); code != tc.want {
			t.Errorf("%v: exit %d, want %d", tc.err, code, tc.want)
		}
	}
}
