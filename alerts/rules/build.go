package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"firedrill/alerts/slo"
)

// Options say how objectives are guarded, and by what clock.
type Options struct {
	Policy slo.Policy
	Clock  slo.Clock
}

// LongestRaw is the longest window over which the counters themselves are read, in
// the objective's time. Longer ones sum up what the shortest window recorded: that
// costs one sample an evaluation, whatever the number of series behind it, and
// smears an error over no more than the shortest window. Every short window of a pair
// must read counters: sums take work that is under way for bad until it ends.
const LongestRaw = 12 * time.Hour

// longestQuick is the longest window that is evaluated with the pages.
const longestQuick = 6 * time.Hour

// tiny stands for no events where a division needs some. One event a period is a
// million times as many.
const tiny = "1e-12"

// Build makes the rules of all objectives in a file.
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

// BuildGroups makes the rules of one objective. The first group has what must be
// quick: short windows, and the pages. The second has long windows, budgets and
// tickets, and is evaluated less often.
func BuildGroups(s slo.SLO, o Options) ([]Group, error) {
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

// checkUnderWay keeps work that is under way, and looks bad until it ends, from
// looking like an outage when it begins.
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
	windows  []time.Duration // ascending, in the objective's time
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

// windowRules records all there is of some windows: events first, then what is made of
// them.
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

// wall is a window as a range in PromQL.
func (b builder) wall(w time.Duration) string { return slo.Format(b.Clock.Wall(w)) }

func (b builder) seconds(w time.Duration) string {
	return slo.FormatNumber(b.Clock.Wall(w).Seconds())
}

// evaluations is how many samples a recorded series has in a window.
func (b builder) evaluations(w time.Duration) string {
	return slo.FormatNumber(b.Clock.Wall(w).Seconds() / b.Clock.Interval.Seconds())
}

// events are bad and total events a second over a window. Both are means over the
// whole of it, so that a ratio of two of them weighs each event alike.
func (b builder) events(w time.Duration) (bad, total string, err error) {
	if w > LongestRaw {
		return b.sum(slo.SeriesBadEvents(b.windows[0]), w), b.sum(slo.SeriesTotalEvents(b.windows[0]), w), nil
	}
	query := b.slo.SLI.BadQuery
	if w == b.windows[0] { // what longer windows sum up
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

// sum is the mean of a recorded series over a window, made-up history included.
// Where there is no sample, there were no events.
func (b builder) sum(series string, w time.Duration) string {
	return fmt.Sprintf("sum without (%s) (sum_over_time(%s[%s])) / %s",
		slo.LabelSynthetic, b.series(series), b.wall(w), b.evaluations(w))
}

// errorRatio is 0, not NaN, without events. Bad events of latency and freshness
// are differences, which rounding and work under way can make less than none.
func (b builder) errorRatio(w time.Duration) string {
	return fmt.Sprintf("clamp_min(%s, 0)\n/\nclamp_min(%s, %s)",
		b.series(slo.SeriesBadEvents(w)), b.series(slo.SeriesTotalEvents(w)), tiny)
}

// burnRate counts time of which nothing is known as free of errors: with an hour of
// data, a window of three days is 1/72 full. Else a young Prometheus would take a
// blip for three bad days.
func (b builder) burnRate(w time.Duration) string {
	return fmt.Sprintf("%s / %s\n*\nclamp_max(%s / %s, 1)",
		b.series(slo.SeriesErrorRatio(w)), slo.FormatNumber(b.slo.Budget()), b.known(w), b.evaluations(w))
}

// known is how many evaluations in a window had data. Made-up history has only
// recorded series, no counters: a window that reads counters does not know it.
func (b builder) known(w time.Duration) string {
	total := slo.SeriesTotalEvents(b.windows[0])
	if w > LongestRaw {
		return fmt.Sprintf("sum without (%s) (count_over_time(%s[%s]))", slo.LabelSynthetic, b.series(total), b.wall(w))
	}
	measured := strings.TrimSuffix(b.selector, "}") + "," + slo.LabelSynthetic + `=""}`
	return fmt.Sprintf("count_over_time(%s%s[%s])", total, measured, b.wall(w))
}

// timeToExhaustion is in seconds on the wall, at the burn rate of the first page's
// long window: period · remaining / burn, and a period where that is longer.
func (b builder) timeToExhaustion() string {
	period := b.seconds(b.Policy.Period)
	return fmt.Sprintf("clamp_max(\n  clamp_min(%s, 0) * %s\n  /\n  clamp_min(%s, %s),\n  %s\n)",
		b.series(slo.SeriesBudgetRemaining), period, b.series(slo.SeriesBurnRate(b.recent())), tiny, period)
}

// recent is the window of "now": the shortest that is the long one of a pair.
func (b builder) recent() time.Duration {
	all := slices.Concat(b.Policy.Page.Pairs, b.Policy.Ticket.Pairs)
	return slices.MinFunc(all, func(a, b slo.Pair) int { return int(a.Long - b.Long) }).Long
}
