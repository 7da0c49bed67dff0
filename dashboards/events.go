package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// document is a dashboard with annotations of our own, in the place of the SDK's.
type document struct {
	dashboard.Dashboard
	Annotations annotations `json:"annotations"`
}

type annotations struct {
	List []event `json:"list"`
}

// event marks times in all graphs of a dashboard. The SDK lacks how its title and
// text are made of labels and fields, without which it says nothing.
type event struct {
	dashboard.AnnotationQuery
	TitleFormat string `json:"titleFormat"`
	TextFormat  string `json:"textFormat"`
	TagKeys     string `json:"tagKeys"` // labels whose values become tags, separated by commas
}

// marks shades the time in which a query's series are above zero.
func marks(name, colour, expr, title, text, tags string) event {
	ref := prometheusBackend.ref()
	legend, letter, exact := title, "Anno", true
	return event{
		AnnotationQuery: dashboard.AnnotationQuery{
			Name: name, Enable: true, IconColor: colour, Datasource: &ref,
			Target: prometheus.Dataquery{Expr: expr, RefId: &letter, LegendFormat: &legend, Range: &exact},
		},
		TitleFormat: title, TextFormat: text, TagKeys: tags,
	}
}

// told marks each line that a log query selects.
func told(name, colour, expr string) event {
	ref := lokiBackend.ref()
	return event{
		AnnotationQuery: dashboard.AnnotationQuery{
			Name: name, Enable: true, IconColor: colour, Datasource: &ref, Expr: &expr,
		},
		TitleFormat: "{{service_name}}", TagKeys: "service_name",
	}
}

// What a drill breaks, and when: as metrics while it does, and as lines. Of a mystery
// only the lines tell, when it is over.
const (
	activeFaults = `max by (drill, kind, target) (drill_fault_active)`
	drillEvents  = `{service_name="drill"}`
)

func faultTimes() event {
	return marks("Faults", vermillion, activeFaults, "{{kind}} on {{target}}", "Drill {{drill}}", "drill,kind,target")
}

// drillSteps marks the steps of drills, as they told them.
func drillSteps() event {
	return told("Drill events", purple, drillEvents+
		` | json kind="kind", state="state", message="msg" | kind=~"phase|load|fault|verdict" | line_format "{{.kind}} {{.state}}: {{.message}}"`)
}

// loadTimes marks the load tests that somebody started; the background load always runs.
func loadTimes() event {
	return marks("Load tests", sky, `max by (profile) (loadgen_run_info{profile!="trickle"})`, "Load test {{profile}}", "", "profile")
}

func alertTimes(matchers string) event {
	return marks("Alerts", orange, `max by (alertname, severity, service, slo) (ALERTS{alertstate="firing",severity!="none"`+matchers+`})`,
		"{{alertname}}", "{{severity}}: {{service}} {{slo}}", "severity,service,slo")
}

// timeline is what happened, for dashboards on which one looks for a cause.
func timeline() []event {
	return []event{faultTimes(), alertTimes(""), loadTimes(), drillSteps()}
}
