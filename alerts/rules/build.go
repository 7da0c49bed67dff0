package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"firedrill/alerts/slo"
)

// Options are the policy and the clock of the rules.
type Options struct {
	Policy slo.Policy
	Clock  slo.Clock
}

// LongestRaw is the longest window, in SLO time, over which rules read the counters directly.
// Longer windows sum the series recorded for the shortest window. That reads one sample per
// evaluation, however many series the counters have. It blurs the time of an error by no more than
// the shortest window.
//
// Every short window of a pair must read counters, because sums count work in progress as bad until
// it ends.
const LongestRaw = 12 * time.Hour

// longestQuick is the longest window that is evaluated together with the pages.
const longestQuick = 6 * time.Hour

// tiny replaces 0 events in a divisor. One event per period is a million times more.
const tiny = "1e-12"

// Build returns the rules of all objectives of a spec.
func Build(spec slo.Spec, o Options) (File, error) {
	var f File
	for _, s := range spec.SLOs {
		groups, err := BuildGroups(s, o)
		if err != nil {
			return File{}, fmt.Errorf("make rules of %s in %s: %w", s.ID(), spec.File, err)
		}
		f.Groups = append(f.Groups, groups...)
	}
	return f, nil
}

// BuildGroups returns the rules of one objective in two groups. The first contains short windows
// and pages, which are urgent. The second contains long windows, budgets and tickets, and is
// evaluated less often.
func BuildGroups(s slo.SLO, o Options) ([]Group, error) {
	o.Policy = o.Policy.Over(s)
	if err := o.Policy.Validate(); err != nil {
		return nil, err
	}
	if err := o.Clock.Validate(o.Policy); err != nil {
		return nil, err
	}
	if err := checkUnderWay(s, o); err != nil {
		return nil, err
	}
	b := builder{
		slo: s, Options: o,
		windows: o.Policy.Windows(), selector: s.Selector(o.Clock.Scale), labels: s.Labels(o.Clock.Scale),
	}
	return b.groups()
}

// checkUnderWay returns an error if work in progress, which looks bad until it ends, could look
// like an outage when it begins.
func checkUnderWay(s slo.SLO, o Options) error {
	if s.SLI.Kind != slo.Freshness {
		return nil
	}
	for _, p := range slices.Concat(o.Policy.Page.Pairs, o.Policy.Ticket.Pairs) {
		if p.Short > LongestRaw {
			return fmt.Errorf("a pair's short window of %s sums up rates, which take work under way for bad: want at most %s",
				slo.Format(p.Short), slo.Format(LongestRaw))
		}
		share := s.SLI.Threshold.Seconds() / o.Clock.Wall(p.Long).Seconds()
		if threshold := p.Threshold(s.Budget()); share >= threshold {
			return fmt.Errorf("work under way for up to %v is %.1f %% of the window of %s, and the alert begins at %.1f %%: want a shorter threshold, a lower objective or a smaller scale",
				s.SLI.Threshold, 100*share, slo.Format(o.Clock.Wall(p.Long)), 100*threshold)
		}
	}
	return nil
}

type builder struct {
	slo slo.SLO
	Options
	windows  []time.Duration // ascending, in SLO time
	selector string
	labels   map[string]string
}

func (b builder) groups() ([]Group, error) {
	split := len(b.windows)
	if i := slices.IndexFunc(b.windows, func(w time.Duration) bool { return w > longestQuick }); i >= 0 {
		split = i
	}
	quick, err := b.windowRules(b.windows[:split])
	if err != nil {
		return nil, err
	}
	long, err := b.windowRules(b.windows[split:])
	if err != nil {
		return nil, err
	}
	name := "slo-" + b.slo.ID()
	return []Group{
		{Name: name, Interval: b.Clock.Interval, Rules: slices.Concat(quick, b.pages())},
		{Name: name + "-long", Interval: b.Clock.LongInterval(), Rules: slices.Concat(long, b.budget(), b.tickets())},
	}, nil
}

// windowRules returns the recording rules of some windows: first the events, then the series that
// are computed from them.
func (b builder) windowRules(windows []time.Duration) ([]Rule, error) {
	var events, ratios, burns []Rule
	for _, w := range windows {
		bad, total, err := b.events(w)
		if err != nil {
			return nil, err
		}
		events = append(events, b.record(slo.SeriesBadEvents(w), bad), b.record(slo.SeriesTotalEvents(w), total))
		ratios = append(ratios, b.record(slo.SeriesErrorRatio(w), b.errorRatio(w)))
		burns = append(burns, b.record(slo.SeriesBurnRate(w), b.burnRate(w)))
	}
	return slices.Concat(events, ratios, burns), nil
}

func (b builder) budget() []Rule {
	return []Rule{
		b.record(slo.SeriesObjective, fmt.Sprintf("vector(%s)", slo.FormatNumber(1-b.slo.Budget()))),
		b.record(slo.SeriesBudgetRemaining, fmt.Sprintf("1 - %s", b.series(slo.SeriesBurnRate(b.Policy.Period)))),
		b.record(slo.SeriesTimeToExhaustion, b.timeToExhaustion()),
	}
}

func (b builder) record(name, expr string) Rule {
	return Rule{Record: name, Expr: expr, Labels: b.labels}
}

func (b builder) series(name string) string { return name + b.selector }

// wall returns a window as a PromQL range in wall-clock time.
func (b builder) wall(w time.Duration) string { return slo.Format(b.Clock.Wall(w)) }

func (b builder) seconds(w time.Duration) string {
	return slo.FormatNumber(b.Clock.Wall(w).Seconds())
}

// evaluations returns how many samples a recorded series has in a window.
func (b builder) evaluations(w time.Duration) string {
	return slo.FormatNumber(b.Clock.Wall(w).Seconds() / b.Clock.Interval.Seconds())
}

// events returns the expressions of bad and of all events per second over a window. Both are means
// over the whole window, so that every event has the same weight in their ratio.
func (b builder) events(w time.Duration) (bad, total string, err error) {
	if w > LongestRaw {
		return b.sum(slo.SeriesBadEvents(b.windows[0]), w), b.sum(slo.SeriesTotalEvents(b.windows[0]), w), nil
	}
	query := b.slo.SLI.BadQuery
	if w == b.windows[0] { // longer windows sum this series
		query = b.slo.SLI.BadSumQuery
	}
	if bad, err = query(b.Clock.Wall(w)); err != nil {
		return "", "", err
	}
	if total, err = b.slo.SLI.TotalQuery(b.Clock.Wall(w)); err != nil {
		return "", "", err
	}
	return bad, total, nil
}

// sum returns the expression of the mean of a recorded series over a window, including synthetic
// history. Missing samples count as 0 events.
func (b builder) sum(series string, w time.Duration) string {
	return fmt.Sprintf("sum without (%s) (sum_over_time(%s[%s])) / %s",
		slo.LabelSynthetic, b.series(series), b.wall(w), b.evaluations(w))
}

// errorRatio returns the expression of the error ratio over a window. It is 0, not NaN, if there
// are no events. Bad events of latency and freshness are differences, which may be negative because
// of rounding and work in progress.
func (b builder) errorRatio(w time.Duration) string {
	return fmt.Sprintf("clamp_min(%s, 0)\n/\nclamp_min(%s, %s)",
		b.series(slo.SeriesBadEvents(w)), b.series(slo.SeriesTotalEvents(w)), tiny)
}

// burnRate returns the expression of the burn rate over a window. Missing history counts as
// error-free: with an hour of data, a window of three days is 1/72 full. Otherwise a new Prometheus
// would mistake a blip for three bad days.
func (b builder) burnRate(w time.Duration) string {
	return fmt.Sprintf("%s / %s\n*\nclamp_max(%s / %s, 1)",
		b.series(slo.SeriesErrorRatio(w)), slo.FormatNumber(b.slo.Budget()), b.known(w), b.evaluations(w))
}

// known returns the expression of how many evaluations in a window had data. Synthetic history has
// recorded series but no counters, so it does not count for windows that read counters.
func (b builder) known(w time.Duration) string {
	total := slo.SeriesTotalEvents(b.windows[0])
	if w > LongestRaw {
		return fmt.Sprintf("sum without (%s) (count_over_time(%s[%s]))", slo.LabelSynthetic, b.series(total), b.wall(w))
	}
	measured := strings.TrimSuffix(b.selector, "}") + "," + slo.LabelSynthetic + `=""}`
	return fmt.Sprintf("count_over_time(%s%s[%s])", total, measured, b.wall(w))
}

// timeToExhaustion returns the expression period · remaining / burn, at most one period, in seconds
// of wall-clock time. The burn rate is measured over the window that recent returns.
func (b builder) timeToExhaustion() string {
	period := b.seconds(b.Policy.Period)
	return fmt.Sprintf("clamp_max(\n  clamp_min(%s, 0) * %s\n  /\n  clamp_min(%s, %s),\n  %s\n)",
		b.series(slo.SeriesBudgetRemaining), period, b.series(slo.SeriesBurnRate(b.recent())), tiny, period)
}

// recent returns the shortest long window of all pairs. It is the window of the current burn rate.
func (b builder) recent() time.Duration {
	all := slices.Concat(b.Policy.Page.Pairs, b.Policy.Ticket.Pairs)
	return slices.MinFunc(all, func(a, b slo.Pair) int { return int(a.Long - b.Long) }).Long
}
