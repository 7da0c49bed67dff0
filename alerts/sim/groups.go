package sim

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// Proof is the result of comparing Prometheus's rule groups with the range queries.
type Proof struct {
	Evaluations int      `json:"evaluations"` // evaluations of groups
	Samples     int      `json:"samples"`     // recorded samples, compared bit by bit
	States      int      `json:"states"`      // states of alerts that were compared
	Differences []string `json:"differences"` // empty if all results agree
}

// margin is how many evaluations before and after a change are compared.
const margin = 3

// prove evaluates a set's rule groups with Prometheus's rule manager, and compares the recorded
// samples and the alerts with the results of the range queries. The groups read what the range
// queries recorded. They are evaluated only around the times at which conditions or alerts begin
// and end. Between those times no condition changes, so the state of every alert stays the same.
func (r *ranger) prove(ctx context.Context, set RuleSet, all []*rule, known outcome) (*Proof, error) {
	check := &checker{outcome: known, proof: &Proof{}, length: r.length}
	manager := promrules.NewManager(&promrules.ManagerOptions{
		Context: ctx, Logger: slog.New(slog.DiscardHandler), GroupLoader: loader{set.Text},
		QueryFunc: promrules.EngineQueryFunc(r.engine, known.known), Queryable: known.known, Appendable: check,
		NotifyFunc: func(context.Context, string, ...*promrules.Alert) {},
	})
	loaded, errs := manager.LoadGroups(Resolution, labels.EmptyLabels(), "", nil, false, set.Name)
	if len(errs) > 0 {
		return nil, fmt.Errorf("load rules: %w", errs[0])
	}
	file, err := set.parse()
	if err != nil {
		return nil, err
	}
	changes := known.changes()
	for _, text := range file.Groups {
		group := loaded[promrules.GroupKey(set.Name, text.Name)]
		if err := check.group(ctx, group, all[:len(text.Rules)], changes); err != nil {
			return nil, err
		}
		all = all[len(text.Rules):]
	}
	return check.proof, nil
}

// changes returns the times at which conditions and alerts begin or end, in ascending order.
func (o outcome) changes() []time.Duration {
	var all []time.Duration
	for _, of := range []map[*rule][]Span{o.fires, o.held} {
		for _, spans := range of {
			for _, s := range spans {
				all = append(all, s.From, s.To)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// loader provides Prometheus with the text of a rules file.
type loader struct{ text []byte }

// Load implements promrules.GroupLoader.
func (l loader) Load(string, bool) (*rulefmt.RuleGroups, []error) {
	return rulefmt.Parse(l.text, false)
}

// Parse implements promrules.GroupLoader.
func (loader) Parse(query string) (parser.Expr, error) { return parser.ParseExpr(query) }

// checker compares the results of rule groups with the known ones. It is the storage to which the
// groups write.
type checker struct {
	outcome
	proof  *Proof
	length time.Duration
}

// group evaluates one group around every change and compares the alerts.
func (c *checker) group(ctx context.Context, g *promrules.Group, mine []*rule, changes []time.Duration) error {
	for _, now := range instants(g.Interval(), changes, c.length) {
		g.Eval(ctx, epoch().Add(now))
		if err := ctx.Err(); err != nil {
			return err
		}
		c.proof.Evaluations++
		for i, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				return fmt.Errorf("evaluate %s at %v: %w", r.Name(), now, err)
			}
			alert, ok := r.(*promrules.AlertingRule)
			if !ok || !mine[i].needed() {
				continue
			}
			c.proof.States++
			if got, want := alert.State() == promrules.StateFiring, covers(c.fires[mine[i]], now); got != want {
				c.differ("%s at %v: the group fires %v, the range query %v", r.Name(), now, got, want)
			}
		}
	}
	return nil
}

// instants returns the times of the evaluations around changes.
func instants(every time.Duration, changes []time.Duration, until time.Duration) []time.Duration {
	var all []time.Duration
	for _, change := range changes {
		first := ceil(change, every) - margin*every
		for now := max(0, first); now <= first+2*margin*every && now < until; now += every {
			all = append(all, now)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (c *checker) differ(format string, args ...any) {
	const enough = 20
	if len(c.proof.Differences) < enough {
		c.proof.Differences = append(c.proof.Differences, fmt.Sprintf(format, args...))
	}
}

// Appender implements storage.Appendable.
func (c *checker) Appender(context.Context) storage.Appender { return c }

// Append compares a sample that a group records with the sample of the range query.
func (c *checker) Append(_ storage.SeriesRef, l labels.Labels, t int64, v float64) (storage.SeriesRef, error) {
	known := c.known.find(l)
	if known == nil {
		return 0, nil // no judged alert depends on it
	}
	c.proof.Samples++
	want := math.Float64bits(known.values[known.index(t)])
	if got := math.Float64bits(v); got != want {
		c.differ("%s at %v: the group records %v, the range query %v", l, time.UnixMilli(t).Sub(epoch()), v, math.Float64frombits(want))
	}
	return 0, nil
}

// Commit implements storage.Appender. It stores nothing.
func (*checker) Commit() error { return nil }

// Rollback implements storage.Appender.
func (*checker) Rollback() error { return nil }

// SetOptions implements storage.Appender.
func (*checker) SetOptions(*storage.AppendOptions) {}

// The rest of storage.Appender is not used by these rules.

// AppendExemplar implements storage.Appender.
func (*checker) AppendExemplar(storage.SeriesRef, labels.Labels, exemplar.Exemplar) (storage.SeriesRef, error) {
	return 0, nil
}

// AppendHistogram implements storage.Appender.
func (*checker) AppendHistogram(storage.SeriesRef, labels.Labels, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, nil
}

// AppendHistogramCTZeroSample implements storage.Appender.
func (*checker) AppendHistogramCTZeroSample(storage.SeriesRef, labels.Labels, int64, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, nil
}

// AppendCTZeroSample implements storage.Appender.
func (*checker) AppendCTZeroSample(storage.SeriesRef, labels.Labels, int64, int64) (storage.SeriesRef, error) {
	return 0, nil
}

// UpdateMetadata implements storage.Appender.
func (*checker) UpdateMetadata(storage.SeriesRef, labels.Labels, metadata.Metadata) (storage.SeriesRef, error) {
	return 0, nil
}
