package dashboards_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"firedrill/dashboards"
)

// environment returns the variables that Grafana is started with by deploy/stack/grafana.go,
// compose and Kubernetes.
func environment() map[string]string {
	return map[string]string{
		"PROMETHEUS_URL": "http://prometheus", "LOKI_URL": "http://loki", "TEMPO_URL": "http://tempo",
		"ALERTMANAGER_URL": "http://alertmanager", "DASHBOARDS_PATH": "/dashboards",
	}
}

type dataSource struct {
	Name, UID, Type, URL string
	JSON                 map[string]any `yaml:"jsonData"`
}

// provisioned reads a file as Grafana does. It replaces variables of the environment in values, and
// $$ by $.
func provisioned(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\$\$|\$\{?\w+\}?`)
	expanded := variable.ReplaceAllStringFunc(withoutComments(string(text)), func(v string) string {
		if v == "$$" {
			return "$"
		}
		name := strings.Trim(v, "${}")
		value, ok := environment()[name]
		if !ok {
			t.Errorf("%s wants %s, which nobody sets", file, v)
		}
		return value
	})
	if err := yaml.Unmarshal([]byte(expanded), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func withoutComments(text string) string {
	return regexp.MustCompile(`(?m)#.*$`).ReplaceAllString(text, "")
}

func dataSources(t *testing.T) map[string]dataSource {
	t.Helper()
	var f struct{ Datasources []dataSource }
	provisioned(t, "provisioning/datasources/firedrill.yaml", &f)
	byUID := map[string]dataSource{}
	for _, d := range f.Datasources {
		byUID[d.UID] = d
	}
	return byUID
}

func TestDataSourcesAreThoseThatDashboardsAsk(t *testing.T) {
	got := dataSources(t)
	kinds := map[string]bool{}
	for uid, d := range got {
		kinds[d.Type] = true
		if want := environment()[strings.ToUpper(d.Type)+"_URL"]; d.URL != want {
			t.Errorf("data source %s is at %q, want %q", uid, d.URL, want)
		}
	}
	for _, b := range dashboards.All() {
		for _, a := range asks(t, b) {
			if !kinds[a.Backend] {
				t.Errorf("%s, %s asks %s, which is not provisioned", b.UID, a.From, a.Backend)
			}
		}
	}
}

// Each signal links to the others, and the data sources in these links exist.
func TestSignalsLeadToEachOther(t *testing.T) {
	all := dataSources(t)
	link := func(uid string, path ...string) string {
		var at any = all[uid].JSON
		for _, key := range path {
			switch v := at.(type) {
			case map[string]any:
				at = v[key]
			case []any:
				at = v[0].(map[string]any)[key]
			}
		}
		to, _ := at.(string)
		return to
	}
	for what, c := range map[string]struct{ got, want string }{
		"exemplar → trace":             {link("prometheus", "exemplarTraceIdDestinations", "datasourceUid"), "tempo"},
		"exemplar's label":             {link("prometheus", "exemplarTraceIdDestinations", "name"), "trace_id"},
		"line → trace":                 {link("loki", "derivedFields", "datasourceUid"), "tempo"},
		"line's field":                 {link("loki", "derivedFields", "matcherRegex"), "trace_id"},
		"line's value":                 {link("loki", "derivedFields", "url"), "${__value.raw}"},
		"trace → lines":                {link("tempo", "tracesToLogsV2", "datasourceUid"), "loki"},
		"query for lines":              {link("tempo", "tracesToLogsV2", "query"), `{${__tags}} | trace_id="${__trace.traceId}"`},
		"trace → metrics":              {link("tempo", "tracesToMetrics", "datasourceUid"), "prometheus"},
		"service graph":                {link("tempo", "serviceMap", "datasourceUid"), "prometheus"},
		"alerts of Prometheus's rules": {link("prometheus", "alertmanagerUid"), "alertmanager"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", what, c.got, c.want)
		}
	}
}

// The metrics to which a span links are in a contract.
func TestTracesLeadToMetricsThatAreThere(t *testing.T) {
	tags := map[string]string{"__tags": `job="x"`, "__rate_interval": "1m"}
	queries, _ := dataSources(t)["tempo"].JSON["tracesToMetrics"].(map[string]any)["queries"].([]any)
	if len(queries) == 0 {
		t.Error("no metrics")
	}
	for _, q := range queries {
		text, err := dashboards.Ask{Text: q.(map[string]any)["query"].(string)}.With(tags)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readable(text, contracts(t)); err != nil {
			t.Errorf("%v: %v", q, err)
		}
	}
}

func TestDashboardsAreProvisioned(t *testing.T) {
	var f struct {
		Providers []struct {
			Type    string
			Options map[string]any
		}
	}
	provisioned(t, "provisioning/dashboards/firedrill.yaml", &f)
	if len(f.Providers) != 1 || f.Providers[0].Type != "file" || f.Providers[0].Options["path"] != "/dashboards/generated" {
		t.Errorf("providers %+v, want one of files in /dashboards/generated", f.Providers)
	}
	if got := slices.Sorted(maps.Keys(dataSources(t))); !slices.Equal(got, []string{"alertmanager", "loki", "prometheus", "tempo"}) {
		t.Errorf("data sources %v", got)
	}
}
