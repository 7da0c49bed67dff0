package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"firedrill/alerts/rules"
	"firedrill/alerts/slo"
	"firedrill/deploy/config"
	"firedrill/internal/prerequisite"
)

// sloCommand runs firedrill in this process, on the repository and an empty data folder.
func sloCommand(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"FIREDRILL_ROOT": root, "FIREDRILL_DATA": t.TempDir()}
	var out, errs bytes.Buffer
	code = run(t.Context(), args, func(key string) string { return env[key] }, &out, &errs)
	return code, out.String(), errs.String()
}

func writeTemp(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const mySpec = `version: prometheus/v1
service: mine
slos:
  - name: ok
    objective: 99
    sli:
      events:
        error_query: sum(rate(bad_total[{{.window}}]))
        total_query: sum(rate(all_total[{{.window}}]))
`

func TestSLOCommands(t *testing.T) {
	spec := writeTemp(t, "mine.yaml", mySpec)
	bad := writeTemp(t, "bad.yaml", strings.Replace(mySpec, "99\n", "100\n", 1))
	openSLO := writeTemp(t, "o.yaml", "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec: {service: s, budgetingMethod: Timeslices}\n")
	for _, tc := range []struct {
		name           string
		args           string
		code           int
		stdout, stderr string // parts of the output
	}{
		{"no command", "slo", 2, "", "explain"},
		{"help", "slo help", 0, "backfill", ""},
		{"unknown", "slo nope", 2, "", `unknown command: "nope"`},
		{"Firedrill's rules are current", "slo generate --check", 0, "are current", ""},
		{"rules of a spec", "slo generate " + spec, 0, `sum(rate(all_total[5m]))`, ""},
		{"rules at a scale", "slo generate --scale 60 --scrape 1s " + spec, 0, `sum(rate(all_total[5s]))`, ""},
		{"the workbook's windows", "slo generate --policy workbook " + spec, 0, `sum(rate(all_total[6h]))`, ""},
		{"a policy for Firedrill's own", "slo generate --policy workbook", 2, "", "one policy"},
		{"a policy that is none", "slo generate --policy mine " + spec, 2, "", `no policy "mine": want default or workbook`},
		{"explain the workbook", "slo explain --policy workbook " + spec, 0, "14.4x", ""},
		{"a scale too large", "slo generate --scale 60 " + spec, 2, "", "it must hold 2 scrapes"},
		{"a scale for Firedrill's own", "slo generate --scale 10", 2, "", "fixed scales"},
		{"a bad spec", "slo generate " + bad, 2, "", "bad.yaml:5: slos[0].objective: 100 leaves no budget"},
		{"no spec", "slo generate nowhere.yaml", 2, "", "nowhere.yaml"},
		{"explain Firedrill", "slo explain", 0, "charged-once of payments: 99.99 % over 12h (scale 60", ""},
		{"explain a spec", "slo explain " + spec, 0, "ok of mine: 99 % over 30d\n", ""},
		{"explain a bad spec", "slo explain " + bad, 2, "", "bad.yaml:5"},
		{"import", "slo import " + openSLO, 1, "", "cannot be expressed: SLO \"a\": budgeting method"},
		{"import nothing", "slo import", 2, "", "missing argument: FILE"},
		{"import no OpenSLO", "slo import " + spec, 2, "", "apiVersion"},
		{"an object for the operator", "slo generate --format prometheusrule " + spec, 0, "kind: PrometheusRule", ""},
		{"Firedrill's objects", "slo generate --format prometheusrule --check", 0, "5 files in", ""},
		{"a format that is none", "slo generate --format yaml " + spec, 2, "", `format "yaml": want file or prometheusrule`},
		{"backfill", "slo backfill", 0, "", "Made up 12h of history of 7 objectives"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := sloCommand(t, strings.Fields(tc.args)...)
			if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("firedrill %s: exit %d, want %d\n%s\n%s", tc.args, code, tc.code, stdout, stderr)
			}
		})
	}
}

func TestGenerateKeepsAFolderCurrent(t *testing.T) {
	spec, dir := writeTemp(t, "mine.yaml", mySpec), t.TempDir()
	if code, _, stderr := sloCommand(t, "slo", "generate", "--check", "--out", dir, spec); code != 1 || !strings.Contains(stderr, "not current") {
		t.Errorf("check of an empty folder: exit %d, %s", code, stderr)
	}
	if code, stdout, _ := sloCommand(t, "slo", "generate", "--out", dir, spec); code != 0 || !strings.Contains(stdout, "Wrote mine.yaml") {
		t.Errorf("generate: exit %d, %s", code, stdout)
	}
	if code, _, stderr := sloCommand(t, "slo", "generate", "--check", "--out", dir, spec); code != 0 {
		t.Errorf("check: exit %d, %s", code, stderr)
	}
}

func TestExplainAsJSON(t *testing.T) {
	code, stdout, _ := sloCommand(t, "slo", "explain", "-o", "json", writeTemp(t, "mine.yaml", mySpec))
	var raw []map[string]any
	if err := json.Unmarshal([]byte(stdout), &raw); err != nil || code != 0 || len(raw) != 1 {
		t.Fatalf("exit %d, %v: %s", code, err, stdout)
	}
	if raw[0]["period_seconds"] != 2592000.0 || raw[0]["total_outage_spends_budget_after_seconds"] != 25920.0 {
		t.Errorf("period %v, exhaustion %v", raw[0]["period_seconds"], raw[0]["total_outage_spends_budget_after_seconds"])
	}
}

func TestImportNeverOverwrites(t *testing.T) {
	file := writeTemp(t, "o.yaml", `apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: s
  budgetingMethod: Occurrences
  indicator: {spec: {ratioMetric: {counter: true, bad: {metricSource: {spec: {query: bad_total}}}, total: {metricSource: {spec: {query: all_total}}}}}}
  objectives: [{target: 0.999}]
`)
	dir := t.TempDir()
	if code, stdout, stderr := sloCommand(t, "slo", "import", "--out", dir, file); code != 0 || !strings.Contains(stdout, "s.yaml") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	if _, err := slo.Load(filepath.Join(dir, "s.yaml")); err != nil {
		t.Error(err)
	}
	if code, _, stderr := sloCommand(t, "slo", "import", "--out", dir, file); code != 1 || !strings.Contains(stderr, "exists") {
		t.Errorf("a second import: exit %d, %s", code, stderr)
	}
}

// alertmanagerSettings returns the path of the native stack's Alertmanager configuration.
func alertmanagerSettings(t *testing.T) string {
	t.Helper()
	at := config.Endpoint{Listen: "127.0.0.1", Host: "127.0.0.1", Port: 9094}
	text, err := config.Render("alertmanager.yaml", config.Values{Notifications: at, Alertmanager: at, Prometheus: at})
	if err != nil {
		t.Fatal(err)
	}
	return writeTemp(t, "alertmanager.yaml", string(text))
}

// amtool runs the amtool of the pinned Alertmanager. The test is skipped if it is not built, but never in CI.
func amtool(t *testing.T, args ...string) string {
	t.Helper()
	bin := cmp.Or(os.Getenv("FIREDRILL_STACK_BIN"), "../../.bin/stack")
	found, err := filepath.Glob(filepath.Join(bin, "amtool-*", "amtool"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		prerequisite.Missing(t, "amtool is not built; \"make build-stack\" builds it")
	}
	out, err := exec.Command(found[len(found)-1], args...).CombinedOutput()
	if err != nil {
		t.Fatalf("amtool %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestAlertmanagerRoutes(t *testing.T) {
	file := alertmanagerSettings(t)
	amtool(t, "check-config", file)
	for _, tc := range []struct{ labels, receiver string }{
		{"severity=page service=orders slo=checkout-availability", "notifications"},
		{"severity=ticket job=loki", "notifications"},
		{"severity=page service=orders slo=checkout-availability drill=bank-down", "drills"},
	} {
		args := append([]string{"config", "routes", "test", "--config.file", file}, strings.Fields(tc.labels)...)
		if got := amtool(t, args...); got != tc.receiver {
			t.Errorf("%s goes to %s, want %s", tc.labels, got, tc.receiver)
		}
	}
}

// alertLabels returns the labels of all alerts of the repository's SLOs.
func alertLabels(t *testing.T) []map[string]string {
	t.Helper()
	specs, err := slo.LoadAll("../../alerts/specs")
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, spec := range specs {
		f, err := rules.Build(spec, rules.Options{Policy: slo.Default(), Clock: slo.Workshop()})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range f.Groups {
			for _, r := range g.Rules {
				if r.Alert != "" {
					r.Labels["alertname"] = r.Alert
					all = append(all, r.Labels)
				}
			}
		}
	}
	return append(all, stackAlertLabels(t)...)
}

// stackAlertLabels returns the labels of the alerts in alerts/stack, as the rules set them.
func stackAlertLabels(t *testing.T) []map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "alerts", "stack", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules of the stack: %v", err)
	}
	var all []map[string]string
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Groups []struct {
				Rules []struct {
					Alert  string
					Labels map[string]string
				}
			}
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for _, group := range file.Groups {
			for _, r := range group.Rules {
				if r.Alert != "" {
					r.Labels["alertname"] = r.Alert
					all = append(all, r.Labels)
				}
			}
		}
	}
	return all
}

// matcher matches a matcher of Alertmanager: name, operator, value.
var matcher = regexp.MustCompile(`^(\w+)(=~|!=|=)"(.*)"$`)

func matches(t *testing.T, matchers []string, labels map[string]string) bool {
	t.Helper()
	for _, m := range matchers {
		part := matcher.FindStringSubmatch(m)
		if part == nil {
			t.Fatalf("matcher %s is none that this test reads", m)
		}
		value, ok := labels[part[1]], false
		switch part[2] {
		case "=":
			ok = value == part[3]
		case "!=":
			ok = value != part[3]
		case "=~":
			ok = regexp.MustCompile("^(?:" + part[3] + ")$").MatchString(value)
		}
		if !ok {
			return false
		}
	}
	return true
}

// The inhibition rules refer to alerts that exist, and silence the right alerts.
func TestAlertmanagerInhibits(t *testing.T) {
	text, err := os.ReadFile(alertmanagerSettings(t))
	if err != nil {
		t.Fatal(err)
	}
	var settings struct {
		Inhibit []struct {
			Name   string   `yaml:"name"`
			Source []string `yaml:"source_matchers"`
			Target []string `yaml:"target_matchers"`
			Equal  []string `yaml:"equal"`
		} `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal(text, &settings); err != nil {
		t.Fatal(err)
	}
	silenced := map[string]bool{} // "source > target", each as service/slo/alertname/severity
	key := func(l map[string]string) string {
		return l["service"] + "/" + l["slo"] + "/" + l["alertname"] + "/" + l["severity"]
	}
	for _, rule := range settings.Inhibit {
		used := false
		for _, source := range alertLabels(t) {
			for _, target := range alertLabels(t) {
				equal := true
				for _, label := range rule.Equal {
					equal = equal && source[label] == target[label]
				}
				if equal && matches(t, rule.Source, source) && matches(t, rule.Target, target) {
					used = true
					silenced[key(source)+" > "+key(target)] = true
				}
			}
		}
		if !used {
			t.Errorf("the rule %q is about no alert", rule.Name)
		}
	}
	for pair, want := range map[string]bool{
		"//ScrapesLate/ticket > //TargetDown/ticket":                                                                                            true,
		"//ScrapesLate/ticket > gateway/availability/SLIAbsent/page":                                                                            true,
		"//ScrapesLate/ticket > shipping/freshness/SLIAbsent/page":                                                                              true,
		"//ScrapesLate/ticket > gateway/availability/GatewayAvailabilityBurn/page":                                                              false,
		"//ScrapesLate/ticket > //ScrapesLate/ticket":                                                                                           false,
		"//ScrapesLate/ticket > //TelemetryBlind/page":                                                                                          false,
		"//TargetDown/ticket > gateway/availability/SLIAbsent/page":                                                                             false,
		"gateway/availability/GatewayAvailabilityBurn/page > gateway/availability/GatewayAvailabilityBurn/ticket":                               true,
		"gateway/availability/GatewayAvailabilityBurn/page > gateway/availability/ErrorBudgetSpent/ticket":                                      true,
		"gateway/availability/GatewayAvailabilityBurn/page > catalog/browsing-latency/CatalogBrowsingLatencyBurn/ticket":                        false,
		"payments/availability/PaymentsAvailabilityBurn/page > orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page":                true,
		"payments/availability/PaymentsAvailabilityBurn/page > orders/checkout-latency/OrdersCheckoutLatencyBurn/page":                          true,
		"payments/availability/PaymentsAvailabilityBurn/page > gateway/availability/GatewayAvailabilityBurn/page":                               true,
		"payments/availability/PaymentsAvailabilityBurn/page > payments/availability/PaymentsAvailabilityBurn/page":                             false,
		"payments/availability/PaymentsAvailabilityBurn/ticket > orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page":              false,
		"payments/availability/SLIAbsent/page > orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page":                               false,
		"payments/charged-once/PaymentsChargedOnceBurn/page > orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page":                 false,
		"orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page > gateway/availability/GatewayAvailabilityBurn/page":                  true,
		"orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page > gateway/availability/SLIAbsent/page":                                false,
		"gateway/availability/GatewayAvailabilityBurn/page > orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page":                  false,
		"orders/checkout-latency/OrdersCheckoutLatencyBurn/page > gateway/availability/GatewayAvailabilityBurn/page":                            false,
		"orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page > payments/availability/PaymentsAvailabilityBurn/page":                false,
		"orders/checkout-availability/OrdersCheckoutAvailabilityBurn/ticket > gateway/availability/GatewayAvailabilityBurn/page":                false,
		"payments/availability/PaymentsAvailabilityBurn/page > shipping/freshness/ShippingFreshnessBurn/page":                                   false,
		"payments/availability/PaymentsAvailabilityBurn/page > catalog/browsing-latency/CatalogBrowsingLatencyBurn/page":                        false,
		"orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page > orders/checkout-availability/OrdersCheckoutAvailabilityBurn/ticket": true,
		"orders/checkout-availability/OrdersCheckoutAvailabilityBurn/page > orders/checkout-latency/OrdersCheckoutLatencyBurn/ticket":           false,
	} {
		if silenced[pair] != want {
			t.Errorf("%s: silenced %v, want %v", pair, silenced[pair], want)
		}
	}
}
