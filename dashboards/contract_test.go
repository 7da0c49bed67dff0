package dashboards_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"firedrill/alerts/slo"
	"firedrill/dashboards"
	"firedrill/internal/contract"
)

// Every Prometheus query reads metrics of a contract: those of services, load tests, drills and the
// stack, or recorded series.
func TestDashboardsReadWhatIsTold(t *testing.T) {
	all := contracts(t)
	selectors := 0
	for _, b := range dashboards.All() {
		for _, a := range asks(t, b) {
			if a.Backend != "prometheus" || a.Language == dashboards.ServiceMap {
				continue
			}
			text, err := a.With(stand(t, b))
			if err != nil {
				t.Errorf("%s: %v", b.UID, err)
				continue
			}
			n, err := readable(text, all)
			if err != nil {
				t.Errorf("%s, %s: %v\n%s", b.UID, a.From, err, text)
			}
			selectors += n
		}
	}
	if selectors < 200 {
		t.Errorf("only %d selectors were found", selectors)
	}
	for _, wrong := range []string{`no_such_total`, `up{no_such_label=""}`, `slo:burn_rate:rate7m`, `sum(`} {
		if _, err := readable(wrong, all); err == nil {
			t.Errorf("the contracts let %s pass", wrong)
		}
	}
}

// Dashboards read every metric in the stack's contracts.
func TestContractsHoldWhatDashboardsRead(t *testing.T) {
	read := map[string]bool{}
	for _, b := range dashboards.All() {
		for _, a := range asks(t, b) {
			for _, name := range regexp.MustCompile(`[a-zA-Z_:][\w:]*`).FindAllString(a.Text, -1) {
				read[name] = true
				for _, suffix := range []string{"_bucket", "_sum", "_count"} {
					read[strings.TrimSuffix(name, suffix)] = true
				}
			}
		}
	}
	own, err := contract.ReadFiles(ownContracts(t)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range own.Metrics {
		if !read[m.Name] {
			t.Errorf("no dashboard reads %s", m.Name)
		}
	}
}

// Legends use only labels that the query keeps, and every series has a legend.
func TestLegendsNameWhatQueriesLeave(t *testing.T) {
	label := regexp.MustCompile(`\{\{([\w.]+)\}\}`)
	group := regexp.MustCompile(`by \(([^)]*)\)`)
	for _, b := range dashboards.All() {
		for _, a := range asks(t, b) {
			left := ""
			for _, g := range group.FindAllStringSubmatch(a.Text, -1) {
				left += "," + g[1]
			}
			for _, m := range label.FindAllStringSubmatch(a.Legend, -1) {
				if !strings.Contains(strings.ReplaceAll(left, " ", "")+",", ","+m[1]+",") {
					t.Errorf("%s, %s: the legend %q wants %s, which the query does not leave:\n%s", b.UID, a.From, a.Legend, m[1], a.Text)
				}
			}
		}
	}
}

// Loki queries select streams only by labels that streams have.
func TestLogQueriesUseLabelsOfStreams(t *testing.T) {
	selector := regexp.MustCompile(`\{([^{}]*)\}`)
	matcher := regexp.MustCompile(`(\w+)\s*(=~|!=|!~|=)`)
	found := 0
	for _, b := range dashboards.All() {
		for _, a := range asks(t, b) {
			if a.Language != dashboards.LogQL {
				continue
			}
			m := selector.FindStringSubmatch(a.Text)
			if m == nil {
				t.Errorf("%s, %s: no selector of streams in %s", b.UID, a.From, a.Text)
				continue
			}
			for _, name := range matcher.FindAllStringSubmatch(m[1], -1) {
				found++
				if name[1] != "service_name" && name[1] != "level" {
					t.Errorf("%s, %s: streams have no label %q: %s", b.UID, a.From, name[1], a.Text)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d matchers were found", found)
	}
}

func asks(t *testing.T, b dashboards.Board) []dashboards.Ask {
	t.Helper()
	all, err := b.Asks()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// stand returns example values of a dashboard's variables.
func stand(t *testing.T, b dashboards.Board) map[string]string {
	t.Helper()
	values := map[string]string{"__rate_interval": "1m", "__range": "15m", "__auto": "15s"}
	variables, err := b.Variables()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables {
		values[v.Name] = "x"
	}
	return values
}

func ownContracts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("contracts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("contracts: %v (%v)", files, err)
	}
	return files
}

func contracts(t *testing.T) contract.Contract {
	t.Helper()
	all, err := contract.ReadFiles(append(ownContracts(t), "../telemetry/metrics.json", "../apps/metrics.json", "../loadgen/metrics.json")...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// readable returns the number of series selectors in a query or in label_values. It returns an
// error if one of them reads a series or a label that does not exist.
func readable(text string, all contract.Contract) (int, error) {
	label := ""
	if inner, ok := strings.CutPrefix(text, "label_values("); ok {
		cut := strings.LastIndex(inner, ",")
		text, label = inner[:cut], strings.Trim(inner[cut:], ", )")
	}
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return 0, err
	}
	var errs []error
	found := parser.ExtractSelectors(expr)
	for _, matchers := range found {
		errs = append(errs, checkSelector(matchers, label, all))
	}
	if len(found) == 0 {
		return 0, fmt.Errorf("selects nothing")
	}
	return len(found), errors.Join(errs...)
}

func checkSelector(matchers []*labels.Matcher, label string, all contract.Contract) error {
	var name string
	var names []string
	for _, m := range matchers {
		if m.Name == labels.MetricName {
			name = m.Value
			continue
		}
		names = append(names, m.Name)
	}
	if label != "" {
		names = append(names, label)
	}
	if !recorded(name) {
		return all.Check(name, names...)
	}
	for _, n := range names {
		if n != slo.LabelService && n != slo.LabelSLO && n != slo.LabelScale {
			return fmt.Errorf("series that rules record have no label %q", n)
		}
	}
	return nil
}

// recorded reports whether the rules of objectives record a series.
func recorded(name string) bool {
	for _, w := range slo.Default().Windows() {
		switch name {
		case slo.SeriesBadEvents(w), slo.SeriesTotalEvents(w), slo.SeriesErrorRatio(w), slo.SeriesBurnRate(w):
			return true
		}
	}
	return name == slo.SeriesObjective || name == slo.SeriesBudgetRemaining || name == slo.SeriesTimeToExhaustion
}
