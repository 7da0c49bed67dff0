package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"firedrill/alerts/slo"
	"firedrill/internal/backend"
)

// Snapshot is the state of the stack at one moment.
type Snapshot struct {
	At       time.Time `json:"at"`
	Nodes    []Node    `json:"nodes"`
	Edges    []Edge    `json:"edges"`
	Alerts   []Alert   `json:"alerts"`
	Budgets  []Budget  `json:"budgets"`
	Faults   []Fault   `json:"faults"`
	Load     []Load    `json:"load"`
	Problems []string  `json:"problems"` // why parts are missing
}

// Flow is what flows through a node or along an edge. A nil figure is unknown: it is not 0.
type Flow struct {
	Rate   *float64 `json:"rate"`   // requests per second
	Errors *float64 `json:"errors"` // share of requests that fail, from 0 to 1; nil without requests
	P95    *float64 `json:"p95"`    // seconds; nil without requests
}

// Node is a service, or something that services use.
type Node struct {
	Name string `json:"name"`
	Kind string `json:"kind"`         // "service", "database" or "outside"
	Up   *bool  `json:"up,omitempty"` // nil: it is not scraped
	Flow
	Alerts int `json:"alerts"` // number of firing alerts about it
}

// Edge is calls from one node to another.
type Edge struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Async bool   `json:"async"` // through a queue
	Flow
}

// Alert is a pending or firing alert.
type Alert struct {
	Name     string            `json:"name"`
	Severity string            `json:"severity"`
	Service  string            `json:"service"`
	State    string            `json:"state"` // "pending", "firing", "inhibited" or "silenced"
	Since    time.Time         `json:"since"`
	Labels   map[string]string `json:"labels"`
	Summary  string            `json:"summary,omitempty"`
	Runbook  string            `json:"runbook,omitempty"`
}

// Budget is the error budget of an objective.
type Budget struct {
	Service   string   `json:"service"`
	SLO       string   `json:"slo"`
	Objective float64  `json:"objective"` // 0.999 for 99.9 %
	Left      *float64 `json:"left"`      // share of the budget that is left; below 0 it is overspent
	Burn      *float64 `json:"burn"`      // burn rate over the shortest long window
	Spent     *float64 `json:"spent_in"`  // seconds until it is spent at this rate
}

// Load is a load test that runs, or the background load.
type Load struct {
	Tier     string   `json:"tier"`
	Intended *float64 `json:"intended"` // arrivals per second
	Achieved *float64 `json:"achieved"`
}

// window is the range over which the map's figures are computed.
const window = "15s"

// The queries of the map. Services that have metrics of their own answer for themselves; what only its callers know is
// taken from the service graph.
const (
	queryUp        = `min by (job) (up{tier!~"load|background|drill"})`
	queryRate      = `sum by (job) (rate(http_server_request_duration_seconds_count[` + window + `]))`
	queryErrors    = `sum by (job) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[` + window + `]))`
	queryP95       = `histogram_quantile(0.95, sum by (job) (rate(http_server_request_duration_seconds[` + window + `])))`
	queryEdges     = `sum by (client, server, connection_type) (rate(traces_service_graph_request_total[30s]))`
	queryEdgeFails = `sum by (client, server, connection_type) (rate(traces_service_graph_request_failed_total[30s]))`
	queryEdgeP95   = `histogram_quantile(0.95, sum by (client, server, connection_type, le) (rate(traces_service_graph_request_server_seconds_bucket[30s])))`
	// Calls as their clients see them: a provider outside tells nothing of itself.
	queryCalls     = `sum by (job, peer) (rate(http_client_request_duration_seconds_count[` + window + `]))`
	queryCallFails = `sum by (job, peer) (rate(http_client_request_duration_seconds_count{error_type!="",http_response_status_code!~"4.."}[` + window + `]))`
	queryCallP95   = `histogram_quantile(0.95, sum by (job, peer) (rate(http_client_request_duration_seconds[` + window + `])))`
	queryPending   = `ALERTS{alertstate="pending",severity!="none"}`
	queryIntended  = `sum by (tier) (loadgen_intended_arrivals_per_second)`
	queryAchieved  = `sum by (tier) (rate(loadgen_arrivals_total[5s]))`
)

// mapper makes snapshots.
type mapper struct {
	cfg        Config
	prometheus *backend.Prometheus   // nil: there is none
	alerts     *backend.Alertmanager // nil: there is none
}

func newMapper(cfg Config) (*mapper, error) {
	m := &mapper{cfg: cfg}
	var err error
	if cfg.Prometheus != "" {
		if m.prometheus, err = backend.NewPrometheus(cfg.Prometheus, cfg.Client); err != nil {
			return nil, err
		}
	}
	if cfg.Alertmanager != "" {
		if m.alerts, err = backend.NewAlertmanager(cfg.Alertmanager, cfg.Client); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// asked is the answers to the queries of the map.
type asked struct {
	mu       sync.Mutex
	vectors  map[string]model.Vector
	alerts   []backend.Alert
	faults   []Fault
	problems []string
}

// snapshot asks the backends. It always returns: what is not known is missing in the snapshot, which says why.
func (m *mapper) snapshot(ctx context.Context) Snapshot {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	got := m.askAll(ctx)
	s := Snapshot{At: time.Now().Truncate(time.Millisecond), Faults: got.faults, Problems: got.problems}
	s.Alerts = alertsOf(got)
	s.Budgets = budgetsOf(got)
	s.Load = loadOf(got)
	s.Edges = edgesOf(got, m.cfg.Graph)
	s.Nodes = nodesOf(got, m.cfg.Graph, s.Edges, s.Alerts)
	return s
}

func (m *mapper) askAll(ctx context.Context) *asked {
	got := &asked{vectors: map[string]model.Vector{}, problems: []string{}, faults: []Fault{}}
	var all sync.WaitGroup
	note := func(err error) {
		got.mu.Lock()
		defer got.mu.Unlock()
		if text := err.Error(); !slices.Contains(got.problems, text) {
			got.problems = append(got.problems, text)
		}
	}
	if m.prometheus == nil {
		note(errors.New("the console was started without a URL of Prometheus"))
	} else {
		for _, q := range mapQueries() {
			all.Go(func() {
				v, err := m.prometheus.Query(ctx, q, time.Time{})
				if err != nil {
					note(fmt.Errorf("no answer of Prometheus: %w", plain(err)))
					return
				}
				got.mu.Lock()
				defer got.mu.Unlock()
				got.vectors[q] = v
			})
		}
	}
	if m.alerts != nil {
		all.Go(func() {
			alerts, err := m.alerts.Alerts(ctx)
			if err != nil {
				note(fmt.Errorf("no answer of Alertmanager: %w", plain(err)))
			}
			got.alerts = alerts
		})
	}
	if m.cfg.Faults != nil {
		all.Go(func() {
			faults, err := m.cfg.Faults.InForce(ctx)
			if err != nil {
				note(fmt.Errorf("faults are unknown: %w", err))
			}
			if faults != nil {
				got.faults = faults
			}
		})
	}
	all.Wait()
	slices.Sort(got.problems)
	return got
}

// plain returns the cause of a backend's error, without the query.
func plain(err error) error {
	var e *backend.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

func mapQueries() []string {
	return []string{
		queryUp, queryRate, queryErrors, queryP95, queryEdges, queryEdgeFails, queryEdgeP95, queryCalls, queryCallFails, queryCallP95, queryPending, queryIntended, queryAchieved,
		slo.SeriesObjective, slo.SeriesBudgetRemaining, slo.SeriesTimeToExhaustion, queryBurn(),
	}
}

func queryBurn() string { return slo.SeriesBurnRate(slo.Default().Page.Pairs[0].Long) }

// by returns the values of an answer by the values of some labels. There are none if the query has no answer.
func (a *asked) by(query string, labels ...model.LabelName) map[string]float64 {
	values := map[string]float64{}
	for _, s := range a.vectors[query] {
		if f := float64(s.Value); !math.IsNaN(f) && !math.IsInf(f, 0) {
			values[key(s.Metric, labels...)] = f
		}
	}
	return values
}

func key(m model.Metric, labels ...model.LabelName) string {
	text := ""
	for i, l := range labels {
		if i > 0 {
			text += "\x00"
		}
		text += string(m[l])
	}
	return text
}

// flowOf returns the figures of a key. Errors are 0 only if there are requests.
func flowOf(k string, rate, failed, p95 map[string]float64) Flow {
	var f Flow
	if r, ok := rate[k]; ok {
		f.Rate = &r
		if r > 0 {
			share := min(1, failed[k]/r) // a series of failures begins with the first failure
			f.Errors = &share
		}
	}
	if v, ok := p95[k]; ok {
		f.P95 = &v
	}
	return f
}

// edgesOf returns the edges of the service graph. Where the caller has metrics of its own, their figures stand: the service
// graph takes every client span with an error for a failure, and an answer like "card declined" is one.
func edgesOf(got *asked, g Graph) []Edge {
	byPair := map[[2]string]Edge{}
	for _, c := range g.Calls {
		byPair[c] = Edge{From: c[0], To: c[1]}
	}
	got.addEdges(byPair, "client", "server", queryEdges, queryEdgeFails, queryEdgeP95)
	got.addEdges(byPair, "job", "peer", queryCalls, queryCallFails, queryCallP95)
	all := slices.AppendSeq([]Edge{}, maps.Values(byPair))
	slices.SortFunc(all, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return all
}

// connectionType is the label of the service graph that tells how a call is made.
const connectionType = "connection_type"

// addEdges adds the edges in the answers to three queries, whose labels from and to name caller and called.
func (a *asked) addEdges(all map[[2]string]Edge, from, to model.LabelName, rates, fails, p95s string) {
	labels := []model.LabelName{from, to, connectionType}
	rate := a.by(rates, labels...)
	failed := a.by(fails, labels...)
	p95 := a.by(p95s, labels...)
	for _, s := range a.vectors[rates] {
		pair := [2]string{string(s.Metric[from]), string(s.Metric[to])}
		// Tempo names the caller of a request without a caller "user".
		if pair[0] == "" || pair[1] == "" || pair[0] == pair[1] || pair[0] == "user" {
			continue
		}
		e := all[pair]
		e.From, e.To, e.Async = pair[0], pair[1], e.Async || s.Metric[connectionType] == "messaging_system"
		e.Flow = flowOf(key(s.Metric, labels...), rate, failed, p95)
		all[pair] = e
	}
}

func nodesOf(got *asked, g Graph, edges []Edge, alerts []Alert) []Node {
	up := got.by(queryUp, "job")
	rate := got.by(queryRate, "job")
	failed := got.by(queryErrors, "job")
	p95 := got.by(queryP95, "job")
	names := map[string]bool{}
	for _, s := range g.Services {
		names[s] = true
	}
	for _, e := range edges {
		names[e.From], names[e.To] = true, true
	}
	for name, r := range rate {
		if r > 0 {
			names[name] = true
		}
	}
	all := []Node{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		n := Node{Name: name, Kind: kindOf(name, rate, g), Flow: flowOf(name, rate, failed, p95)}
		if v, ok := up[name]; ok {
			is := v > 0
			n.Up = &is
		}
		if n.Rate == nil || *n.Rate == 0 { // such as a service that only consumes messages
			if f := fromCallers(name, edges); f.Rate != nil {
				n.Flow = f
			}
		}
		for _, a := range alerts {
			if a.Service == name && a.State == "firing" {
				n.Alerts++
			}
		}
		all = append(all, n)
	}
	return all
}

// fromCallers returns what the callers of a node see of it.
func fromCallers(name string, edges []Edge) Flow {
	var f Flow
	rate, failed, slowest := 0.0, 0.0, 0.0
	for _, e := range edges {
		if e.To != name || e.Rate == nil {
			continue
		}
		rate += *e.Rate
		if e.Errors != nil {
			failed += *e.Errors * *e.Rate
		}
		if e.P95 != nil {
			slowest = max(slowest, *e.P95)
			f.P95 = &slowest
		}
		f.Rate = &rate
	}
	if rate > 0 {
		share := failed / rate
		f.Errors = &share
	}
	return f
}

func kindOf(name string, rate map[string]float64, g Graph) string {
	if _, ok := rate[name]; ok || slices.Contains(g.Services, name) {
		return "service"
	}
	// Tempo marks everything that has no spans of its own alike, so a database is known by its name only.
	if databaseName.MatchString(name) {
		return "database"
	}
	return "outside"
}

var databaseName = regexp.MustCompile(`(?i)(^|[-_.])(db|database|postgres|postgresql|mysql|mariadb|sqlite|redis)([-_.]|$)`)

func alertsOf(got *asked) []Alert {
	all := []Alert{}
	for _, a := range got.alerts {
		if a.Labels["severity"] == "none" {
			continue
		}
		all = append(all, Alert{
			Name: a.Labels["alertname"], Severity: a.Labels["severity"], Service: serviceOf(a.Labels), State: stateOf(a),
			Since: a.StartsAt, Labels: a.Labels, Summary: a.Annotations["summary"], Runbook: a.Annotations["runbook"],
		})
	}
	for _, s := range got.vectors[queryPending] {
		labels := map[string]string{}
		for k, v := range s.Metric {
			if k != model.MetricNameLabel && k != "alertstate" {
				labels[string(k)] = string(v)
			}
		}
		all = append(all, Alert{Name: labels["alertname"], Severity: labels["severity"], Service: serviceOf(labels), State: "pending", Labels: labels})
	}
	slices.SortFunc(all, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Severity, b.Severity))
	})
	return all
}

func serviceOf(labels map[string]string) string {
	return cmp.Or(labels[slo.LabelService], labels["job"])
}

func budgetsOf(got *asked) []Budget {
	labels := []model.LabelName{slo.LabelService, slo.LabelSLO}
	left := got.by(slo.SeriesBudgetRemaining, labels...)
	burn := got.by(queryBurn(), labels...)
	spent := got.by(slo.SeriesTimeToExhaustion, labels...)
	at := func(values map[string]float64, k string) *float64 {
		v, ok := values[k]
		if !ok {
			return nil
		}
		return &v
	}
	byName := map[string]Budget{}
	for _, s := range got.vectors[slo.SeriesObjective] {
		k := key(s.Metric, labels...)
		byName[k] = Budget{
			Service: string(s.Metric[slo.LabelService]), SLO: string(s.Metric[slo.LabelSLO]), Objective: float64(s.Value),
			Left: at(left, k), Burn: at(burn, k), Spent: at(spent, k),
		}
	}
	all := slices.AppendSeq([]Budget{}, maps.Values(byName))
	leftOf := func(b Budget) float64 {
		if b.Left == nil {
			return math.Inf(-1) // what nobody knows comes first
		}
		return *b.Left
	}
	slices.SortFunc(all, func(a, b Budget) int {
		return cmp.Or(cmp.Compare(leftOf(a), leftOf(b)), cmp.Compare(a.Service, b.Service), cmp.Compare(a.SLO, b.SLO))
	})
	return all
}

func loadOf(got *asked) []Load {
	intended := got.by(queryIntended, "tier")
	achieved := got.by(queryAchieved, "tier")
	all := []Load{}
	for _, tier := range slices.Sorted(maps.Keys(intended)) {
		want := intended[tier]
		l := Load{Tier: tier, Intended: &want}
		if is, ok := achieved[tier]; ok {
			l.Achieved = &is
		}
		all = append(all, l)
	}
	return all
}

// stateOf returns "firing", "inhibited" or "silenced".
func stateOf(a backend.Alert) string {
	switch {
	case len(a.Status.SilencedBy) > 0:
		return "silenced"
	case len(a.Status.InhibitedBy) > 0:
		return "inhibited"
	}
	return "firing"
}
