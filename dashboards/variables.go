package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// backend is Grafana's type of a data source. It is also the name of the variable that selects the
// data source of a dashboard.
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

// sources returns the variables that select the data sources of an imported dashboard. The data
// sources in the folder provisioning need no selection.
func sources() []pick {
	var all []pick
	for _, b := range []backend{prometheusBackend, lokiBackend, tempoBackend} {
		all = append(all, dashboard.NewDatasourceVariableBuilder(string(b)).
			Label(map[backend]string{prometheusBackend: "Metrics", lokiBackend: "Logs", tempoBackend: "Traces"}[b]).
			Type(string(b)))
	}
	return all
}

// choose returns a variable whose values are those of a label, on the series that selector matches.
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

// several allows a variable to have several values. Initially all are selected.
func several(v *dashboard.QueryVariableBuilder) *dashboard.QueryVariableBuilder {
	return v.Multi(true).IncludeAll(true).AllValue(".*").Current(option("All", "$__all"))
}

// oneOf returns a variable with fixed values. The first one is selected.
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

// typed returns a variable with a text field.
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
