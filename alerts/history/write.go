package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"golang.org/x/sync/errgroup"

	"firedrill/alerts/slo"
)

// ErrNotEmpty means that the folder already contains data, and that nothing was written.
var ErrNotEmpty = errors.New("the folder holds data already")

// Summary counts what was written.
type Summary struct {
	From, To   time.Time
	Objectives int
	Series     int
	Samples    int
}

// Write generates the past of the objectives and writes it as blocks to dir. dir is the data folder
// of a Prometheus and must be empty or absent. Otherwise Write returns ErrNotEmpty. All blocks
// appear at once. After an error, none do.
func Write(ctx context.Context, dir string, slos []slo.SLO, o Options) (Summary, error) {
	if err := o.validate(); err != nil {
		return Summary{}, err
	}
	for _, s := range slos {
		if o.Policy.Over(s).Period != o.Policy.Period {
			return Summary{}, fmt.Errorf("make up the history of %s: its period is %s: want %s, as all histories are of one length",
				s.ID(), slo.Format(s.Period), slo.Format(o.Policy.Period))
		}
	}
	switch entries, err := os.ReadDir(dir); {
	case err == nil && len(entries) > 0:
		return Summary{}, fmt.Errorf("write history into %q: %w", dir, ErrNotEmpty)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return Summary{}, fmt.Errorf("write history: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return Summary{}, fmt.Errorf("write history: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "history-")
	if err != nil {
		return Summary{}, fmt.Errorf("write history: %w", err)
	}
	defer os.RemoveAll(temp)
	sum, err := writeBlocks(ctx, temp, slos, o)
	if err != nil {
		return Summary{}, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Summary{}, fmt.Errorf("write history: %w", err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return Summary{}, fmt.Errorf("write history: %w", err)
	}
	return sum, nil
}

// writeBlocks writes the whole past as one block, so that Prometheus has nothing to compact when it
// starts.
func writeBlocks(ctx context.Context, dir string, slos []slo.SLO, o Options) (Summary, error) {
	span := o.Clock.Wall(o.Policy.Period)
	begin := o.End.Add(-span).Truncate(o.Clock.Interval)
	// A block accepts samples up to half its range older than the newest; see NewHead.
	const ranges = 3
	w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, ranges*span.Milliseconds())
	if err != nil {
		return Summary{}, fmt.Errorf("write history: %w", err)
	}
	defer w.Close()
	sum := Summary{From: begin, To: begin.Add(span), Objectives: len(slos)}
	counts := make([]Summary, len(slos))
	group, live := errgroup.WithContext(ctx)
	for i, s := range slos {
		group.Go(func() error {
			app := appender{ctx: live, writer: w, begin: begin, step: o.Clock.Interval, labels: s.Labels(o.Clock.Scale)}
			err := app.past(s, o)
			counts[i] = app.sum
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return Summary{}, fmt.Errorf("write history: %w", err)
	}
	for _, c := range counts {
		sum.Series += c.Series
		sum.Samples += c.Samples
	}
	if _, err := w.Flush(ctx); err != nil {
		return Summary{}, fmt.Errorf("write history: %w", err)
	}
	return sum, nil
}

// appender appends the series of one objective.
type appender struct {
	ctx    context.Context //nolint:containedctx // of the one call that makes and uses it
	writer *tsdb.BlockWriter
	begin  time.Time
	step   time.Duration
	labels map[string]string
	sum    Summary
}

func (a *appender) past(s slo.SLO, o Options) error {
	p := makePast(s, o)
	shortest := o.Policy.Windows()[0]
	all := append(derived(s, o, p),
		series{slo.SeriesBadEvents(shortest), 1, p.bad},
		series{slo.SeriesTotalEvents(shortest), 1, p.total},
	)
	for _, one := range all {
		if err := a.append(one, len(p.total)); err != nil {
			return fmt.Errorf("append %s of %s: %w", one.name, s.ID(), err)
		}
	}
	return nil
}

// append appends a series and a staleness marker at its end, so that its last value is not taken
// for the present one.
func (a *appender) append(s series, end int) error {
	set := maps.Clone(a.labels)
	set[labels.MetricName] = s.name
	set[slo.LabelSynthetic] = "true"
	named := labels.FromMap(set)
	app := a.writer.Appender(a.ctx)
	var ref storage.SeriesRef
	var err error
	for i, v := range s.values {
		if ref, err = app.Append(ref, named, a.at(i*s.every), v); err != nil {
			return errors.Join(err, app.Rollback())
		}
	}
	if _, err = app.Append(ref, named, a.at(end), math.Float64frombits(value.StaleNaN)); err != nil {
		return errors.Join(err, app.Rollback())
	}
	a.sum.Series++
	a.sum.Samples += len(s.values)
	return app.Commit()
}

func (a *appender) at(sample int) int64 {
	return a.begin.Add(time.Duration(sample) * a.step).UnixMilli()
}
