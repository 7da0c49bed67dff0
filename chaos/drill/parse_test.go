package drill_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"firedrill/chaos/drill"
)

const valid = `title: Payments fail
story: Customers cannot pay.
hints: [Look at the money.]
answer: {service: payments, fault: errors, because: Its spans fail.}
runbook: docs/runbooks/PaymentsAvailabilityBurn.md
load: {profile: steady, rate: 20/s}
warmUp: 30s
lasts: 2m
hypothesis:
  - name: the shop sells
    promql: sum(rate(shop_orders_total[10s]))
    is: "> 0.5"
  - name: pages load
    http: GET ${gateway}/products
    is: == 200
    mode: continuous
    noData: fail
faults:
  - {at: 5s, for: 1m, kind: errors, target: payments, params: {ratio: 0.5}}
expect:
  alerts:
    - alert: PaymentsAvailabilityBurn
      labels: {severity: page}
      firesWithin: 20s
      resolvesWithin: 1m30s
      outage: {ratio: 0.5}
    - {alert: OrdersCheckoutAvailabilityBurn, firesWithin: 30s, resolvesWithin: 90s, notification: suppressed}
  may:
    - {alert: GatewayAvailabilityBurn, labels: {severity: ticket}}
  traces:
    - {name: payments fails, query: "{ status = error }", shows: {service: payments, span: POST /charges, failed: true}}
  logs:
    - {name: payments says so, query: '{service_name="payments"} |= "error"'}
  metrics:
    - {name: charges fail, promql: charges, during: "> 0.1", change: ">= 2"}
  healthy: [catalog]
  recoverWithin: 45s
abortIf:
  - {name: nothing works, promql: up, is: "< 1"}
`

// checker accepts only one kind of fault.
type checker struct{}

func (checker) Check(f drill.Fault) error {
	if f.Kind != "errors" {
		return fmt.Errorf("kind %q: there is errors", f.Kind)
	}
	if _, isNumber := f.Params["ratio"].(float64); f.Params["ratio"] != nil && !isNumber {
		return errors.New(`parameter "ratio": not a number`)
	}
	return nil
}

func TestParse(t *testing.T) {
	d, err := drill.Parse("drills/payments-fail.yaml", []byte(valid), checker{})
	if err != nil {
		t.Fatal(err)
	}
	half := 0.5
	all := []drill.Need{drill.NeedProcessor, drill.NeedScrapes, drill.NeedRules, drill.NeedLoad}
	want := &drill.Drill{
		Name: "payments-fail", File: "drills/payments-fail.yaml", Title: "Payments fail", Story: "Customers cannot pay.",
		Hints: []string{"Look at the money."}, Answer: &drill.Answer{Service: "payments", Fault: "errors", Because: "Its spans fail."},
		Runbook: "docs/runbooks/PaymentsAvailabilityBurn.md", Load: drill.LoadSpec{Profile: "steady", Rate: "20/s"},
		WarmUp: 30 * time.Second, Lasts: 2 * time.Minute,
		Hypothesis: []drill.Probe{
			{Name: "the shop sells", Query: drill.Query{Language: drill.PromQL, Text: "sum(rate(shop_orders_total[10s]))"}, Is: drill.Comparison{Op: ">", Bound: half}, Mode: drill.Before, NoData: drill.NoDataUnknown, Needs: []drill.Need{drill.NeedProcessor, drill.NeedScrapes, drill.NeedLoad}},
			{Name: "pages load", Query: drill.Query{Language: drill.HTTP, Text: "GET ${gateway}/products"}, Is: drill.Comparison{Op: "==", Bound: 200}, Mode: drill.Continuous, NoData: drill.NoDataFails, Needs: []drill.Need{drill.NeedProcessor}},
		},
		Faults: []drill.Fault{{At: 5 * time.Second, For: time.Minute, Kind: "errors", Target: "payments", Params: map[string]any{"ratio": half}}},
		Expect: drill.Expectations{
			Alerts: []drill.AlertExpectation{
				{AlertPattern: drill.AlertPattern{Alert: "PaymentsAvailabilityBurn", Labels: map[string]string{"severity": "page"}}, FiresWithin: 20 * time.Second, ResolvesWithin: 90 * time.Second, Notice: drill.NoticeRequired, Ratio: half, Needs: all},
				{AlertPattern: drill.AlertPattern{Alert: "OrdersCheckoutAvailabilityBurn"}, FiresWithin: 30 * time.Second, ResolvesWithin: 90 * time.Second, Notice: drill.NoticeSuppressed, Needs: all},
			},
			May:     []drill.AlertPattern{{Alert: "GatewayAvailabilityBurn", Labels: map[string]string{"severity": "ticket"}}},
			Traces:  []drill.TraceExpectation{{Name: "payments fails", TraceQL: "{ status = error }", Service: "payments", Span: "POST /charges", Failed: true, AtLeast: 1, Needs: []drill.Need{drill.NeedProcessor, drill.NeedLoad}}},
			Logs:    []drill.LogExpectation{{Name: "payments says so", LogQL: `{service_name="payments"} |= "error"`, Is: drill.Comparison{Op: ">=", Bound: 1}, Needs: []drill.Need{drill.NeedProcessor, drill.NeedLoad}}},
			Metrics: []drill.MetricExpectation{{Name: "charges fail", PromQL: "charges", During: &drill.Comparison{Op: ">", Bound: 0.1}, Change: &drill.Comparison{Op: ">=", Bound: 2}, Needs: []drill.Need{drill.NeedProcessor, drill.NeedScrapes, drill.NeedLoad}}},
			Healthy: []string{"catalog"}, Recover: 45 * time.Second, Blind: drill.DefaultBlind,
		},
		AbortIf: []drill.Guard{{Name: "nothing works", Query: drill.Query{Language: drill.PromQL, Text: "up"}, Is: drill.Comparison{Op: "<", Bound: 1}}},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got\n%+v\nwant\n%+v", d, want)
	}
}

// wrong are changes that make the valid drill invalid, with the expected errors.
var wrong = []struct {
	from, to string
	want     string // the error begins with the line and the key
	schema   bool   // whether the schema refuses it too
}{
	{"story: Customers cannot pay.", "storey: x", "d.yaml:2: storey: unknown key; did you mean story?", true},
	{"story: Customers cannot pay.\n", "", "d.yaml:1: story: is missing", true},
	{"    mode: continuous", "    mood: continuous", "d.yaml:16: hypothesis[1].mood: unknown key; did you mean mode?", true},
	{"hints: [Look at the money.]", "hints: {a: b}", "d.yaml:3: hints: want a list, have a mapping of keys to values", true},
	{"span: POST /charges, failed: true}", "span: POST /charges, atLeast: many}", "d.yaml:31: expect.traces[0].shows.atLeast: want a whole number, have text", true},
	{"warmUp: 30s", "warmUp: soon", `d.yaml:7: warmUp: "soon" is no length of time: want such as 90s or 1m30s`, true},
	{"warmUp: 30s", "warmUp: -30s", `d.yaml:7: warmUp: "-30s" is no length of time`, true},
	{"rate: 20/s", "rate: fast", `d.yaml:6: load.rate: "fast" is no rate: want such as 20/s or 90/m`, false},
	{"profile: steady, rate: 20/s", "profile: none, rate: 20/s", "d.yaml:6: load.rate: no load has no rate", false},
	{"profile: steady, ", "", "d.yaml:6: load.profile: is missing", true},
	{`is: "> 0.5"`, `is: about 5`, `d.yaml:12: hypothesis[0].is: "about 5" is no comparison: want one of >= <= == != > < and a number`, true},
	{`is: "> 0.5"`, `is: "> NaN"`, `d.yaml:12: hypothesis[0].is: "> NaN" is no comparison`, true},
	{"http: GET ${gateway}/products", "http: ${gateway}/products", `d.yaml:14: hypothesis[1].http: "${gateway}/products": want a method and a URL`, false},
	{"http: GET ${gateway}/products", "http: GET /\n    promql: up", "d.yaml:13: hypothesis[1]: 2 queries: want exactly one of promql, http, traceql and logql", true},
	{"    promql: sum(rate(shop_orders_total[10s]))\n", "", "d.yaml:10: hypothesis[0]: 0 queries", true},
	{"mode: continuous", "mode: always", `d.yaml:16: hypothesis[1].mode: "always": want one of before, during, after, continuous`, true},
	{"noData: fail", "noData: pass", `d.yaml:17: hypothesis[1].noData: "pass": want one of inconclusive, fail`, true},
	{"for: 1m, ", "", "d.yaml:19: faults[0].for: is missing", true},
	{"for: 1m", "for: 0s", `d.yaml:19: faults[0].for: "0s": want longer than nothing`, false},
	{"kind: errors", "kind: gremlins", `d.yaml:19: faults[0]: kind "gremlins": there is errors`, true},
	{"ratio: 0.5}}", "ratio: half}}", `d.yaml:19: faults[0]: parameter "ratio": not a number`, true},
	{"target: payments, ", "", "d.yaml:19: faults[0].target: is missing", true},
	{"fault: errors,", "fault: latency,", `d.yaml:4: answer.fault: "latency": none of the faults is of that kind`, false},
	{"firesWithin: 20s\n      ", "", "d.yaml:22: expect.alerts[0].firesWithin: is missing", true},
	{"resolvesWithin: 1m30s", "resolvesWithin: never", `d.yaml:25: expect.alerts[0].resolvesWithin: "never" is no length of time`, true},
	{"alert: PaymentsAvailabilityBurn", "alert: Payments Availability", `d.yaml:22: expect.alerts[0].alert: "Payments Availability" is no name`, true},
	{"outage: {ratio: 0.5}", "outage: {ratio: 50}", "d.yaml:26: expect.alerts[0].outage.ratio: 50: want a share above 0, at most 1", false},
	{"notification: suppressed", "notification: never", `d.yaml:27: expect.alerts[1].notification: "never": want one of required, suppressed, any`, true},
	{"shows: {service: payments, span: POST /charges, failed: true}", "shows: {span: POST /charges}", `d.yaml:31: expect.traces[0].shows.service: "" is no name`, true},
	{`during: "> 0.1", change: ">= 2"`, "", "d.yaml:35: expect.metrics[0]: says neither during nor change", false},
	{"healthy: [catalog]", "healthy: [the catalog]", `d.yaml:36: expect.healthy[0]: "the catalog" is no name`, true},
	{"abortIf:\n", "abortIf:\n  - {promql: up, is: \"< 1\"}\n", "d.yaml:39: abortIf[0].name: is missing", true},
	{"title: Payments fail", "title: [", "d.yaml:11: ", true},
	{"abortIf:", "---\nabortIf:", "d.yaml:38: 2 YAML documents: want one", true},
}

func TestParseRefuses(t *testing.T) {
	for _, c := range wrong {
		t.Run(c.want, func(t *testing.T) {
			text := strings.Replace(valid, c.from, c.to, 1)
			if text == valid {
				t.Fatal("nothing was changed")
			}
			_, err := drill.Parse("d.yaml", []byte(text), checker{})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Fatalf("%v\nwant %s", err, c.want)
			}
			var format *drill.FormatError
			if !errors.As(err, &format) {
				t.Errorf("%T is no FormatError", err)
			}
			if strings.Contains(err.Error(), "Go ") || strings.Contains(err.Error(), "struct") {
				t.Errorf("it speaks of Go: %v", err)
			}
		})
	}
}

// TestParseTellsAll checks that all errors are reported at once.
func TestParseTellsAll(t *testing.T) {
	text := strings.NewReplacer("warmUp: 30s", "warmUp: soon", "kind: errors", "kind: gremlins", "rate: 20/s", "rate: fast").Replace(valid)
	_, err := drill.Parse("d.yaml", []byte(text), checker{})
	for _, want := range []string{"d.yaml:6: load.rate", "d.yaml:7: warmUp", "d.yaml:19: faults[0]", "d.yaml:4: answer.fault"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s too", err, want)
		}
	}
}

func TestParseControl(t *testing.T) {
	const control = "title: t\nstory: s\nload: {profile: none}\nlasts: 1m\n"
	d, err := drill.Parse("control.yaml", []byte(control), checker{})
	if err != nil || d.Load.Profile != "" || d.WarmUp != drill.DefaultWarmUp || d.Expect.Recover != drill.DefaultRecover || d.FaultsEnd() != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	for change, want := range map[string]string{
		strings.Replace(control, "lasts: 1m\n", "", 1):                               "control.yaml:1: lasts: is missing",
		control + "expect: {logs: [{name: n, query: q}]}\n":                          "expect.logs: nothing can be expected of a drill without faults",
		control + "answer: {service: a, fault: b, because: c}\n":                     "answer: nothing can be expected",
		control + "hypothesis: [{name: n, promql: up, is: \"> 0\", mode: during}]\n": "hypothesis[0].mode: without faults there is no time during them",
	} {
		if _, err := drill.Parse("control.yaml", []byte(change), checker{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

func TestLoadAll(t *testing.T) {
	dir := t.TempDir()
	if _, err := drill.LoadAll(dir, checker{}); err == nil {
		t.Error("no error of an empty folder")
	}
	for name, text := range map[string]string{"b.yaml": valid, "a.yaml": strings.Replace(valid, "profile: steady", "profile: own/load.yaml", 1), "README.md": "no drill"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := drill.LoadAll(dir, checker{})
	if err != nil || len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" {
		t.Fatalf("%v, %v", all, err)
	}
	if got, want := all[0].Load.Profile, filepath.Join(dir, "own/load.yaml"); got != want {
		t.Errorf("profile %q, want %q", got, want)
	}
}

func TestComparison(t *testing.T) {
	for _, c := range []struct {
		text  string
		value float64
		want  bool
	}{
		{">= 0.99", 0.99, true}, {">=0.99", 0.98, false}, {"> 1", 1, false}, {"< 1", 0, true}, {"<= -1", -1, true},
		{"== 200", 200, true}, {"!= 0", 0, false}, {"> 1e3", 1001, true},
	} {
		parsed, err := drill.ParseComparison(c.text)
		if err != nil || parsed.Holds(c.value) != c.want {
			t.Errorf("%s: %v of %v, %v", c.text, !c.want, c.value, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(valid)
	f.Add("title: t\nstory: s\nload: {profile: none}\nlasts: 1m\n")
	f.Add("---\n---\n")
	f.Add("abortIf: ! ")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := drill.Parse("d.yaml", []byte(text), checker{})
		if err == nil && (d.Title == "" || d.Lasts == 0 && len(d.Faults) == 0) {
			t.Errorf("accepted: %+v", d)
		}
	})
}
