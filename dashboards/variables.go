package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// backend is a kind of data source, as Grafana calls it, and the variable that
// holds which one a dashboard asks.
type backend string

const (
	prometheusBackend backend = "prometheus"
	lokiBackend       backend = "loki"
	tempoBackend      backend = "tempo"
)

func (b backend) ref() common.DataSourceRef {
	kind, uid := string(b), "${"+string(b)+"}"
	return common.DataSourceRef{Type: &kind, Uid: &uid}
}

// sources let a person who imports a dashboard choose the data sources. With those
// of provisioning/ nothing needs to be chosen.
func sources() []pick {
	var all []pick
	for _, b := range []backend{prometheusBackend, lokiBackend, tempoBackend} {
		all = append(all, dashboard.NewDatasourceVariableBuilder(string(b)).
			Label(map[backend]string{prometheusBackend: "Metrics", lokiBackend: "Logs", tempoBackend: "Traces"}[b]).
			Type(string(b)))
	}
	return all
}

// choose is a variable with the values of a label: label is one of the series that
// selector picks.
func choose(name, title string, from backend, selector, label string) *dashboard.QueryVariableBuilder {
	query := "label_values(" + selector + ", " + label + ")"
	if selector == "" {
		query = "label_values(" + label + ")"
	}
	return dashboard.NewQueryVariableBuilder(name).
		Label(title).
		Datasource(from.ref()).
		Query(dashboard.StringOrMap{String: &query}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalAsc)
}

// several lets one choose several values, and begins with all.
func several(v *dashboard.QueryVariableBuilder) *dashboard.QueryVariableBuilder {
	return v.Multi(true).IncludeAll(true).AllValue(".*").Current(option("All", "$__all"))
}

// oneOf is a variable with fixed values, the first of which is chosen.
func oneOf(name, title string, values ...string) *dashboard.CustomVariableBuilder {
	list := ""
	for i, v := range values {
		if i > 0 {
			list += ","
		}
		list += v
	}
	return dashboard.NewCustomVariableBuilder(name).
		Label(title).
		Values(dashboard.StringOrMap{String: &list}).
		Current(option(values[0], values[0]))
}

// typed is a variable that a person writes.
func typed(name, title string) *dashboard.TextBoxVariableBuilder {
	empty := ""
	return dashboard.NewTextBoxVariableBuilder(name).Label(title).DefaultValue(dashboard.StringOrMap{String: &empty})
}

func option(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Text:  dashboard.StringOrArrayOfString{String: &text},
		Value: dashboard.StringOrArrayOfString{String: &value},
	}
}
