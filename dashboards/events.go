package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// document is a dashboard with our own annotations instead of the SDK's.
type document struct {
	dashboard.Dashboard
	Annotations annotations `json:"annotations"`
}

type annotations struct {
	List []event `json:"list"`
}

// event is an annotation, which marks times in all graphs of a dashboard. The SDK lacks the fields
// that form an annotation's title and text from labels. Without them the annotation is empty.
type event struct {
	dashboard.AnnotationQuery
	TitleFormat string `json:"titleFormat"`
	TextFormat  string `json:"textFormat"`
	TagKeys     string `json:"tagKeys"` // labels whose values become tags, separated by commas
}

// marks returns an annotation that shades the times in which a query's series are above zero.
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

// told returns an annotation that marks each log line that a query selects.
func told(name, colour, expr string) event {
	ref := lokiBackend.ref()
	return event{
		AnnotationQuery: dashboard.AnnotationQuery{
			Name: name, Enable: true, IconColor: colour, Datasource: &ref, Expr: &expr,
		},
		TitleFormat: "{{service_name}}", TagKeys: "service_name",
	}
}

// Metrics and log lines of drills. activeFaults exists while a fault is active. A mystery drill has
// no such metric, and its log lines appear when it is over.
const (
	activeFaults = `max by (drill, kind, target) (drill_fault_active)`
	drillEvents  = `{service_name="drill"}`
)

func faultTimes() event {
	return marks("Faults", vermillion, activeFaults, "{{kind}} on {{target}}", "Drill {{drill}}", "drill,kind,target")
}

// drillSteps returns the annotation of the steps of drills, from their log lines.
func drillSteps() event {
	return told("Drill events", purple, drillEvents+
		` | json kind="kind", state="state", message="msg" | kind=~"phase|load|fault|verdict" | line_format "{{.kind}} {{.state}}: {{.message}}"`)
}

// loadTimes returns the annotation of load tests. It omits the background load, which always runs.
func loadTimes() event {
	return marks("Load tests", sky, `max by (profile) (loadgen_run_info{profile!="trickle"})`, "Load test {{profile}}", "", "profile")
}

func alertTimes(matchers string) event {
	return marks("Alerts", orange, `max by (alertname, severity, service, slo) (ALERTS{alertstate="firing",severity!="none"`+matchers+`})`,
		"{{alertname}}", "{{severity}}: {{service}} {{slo}}", "severity,service,slo")
}

// timeline returns the annotations of dashboards on which users look for a cause.
func timeline() []event {
	return []event{faultTimes(), alertTimes(""), loadTimes(), drillSteps()}
}
