package report

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"firedrill/internal/term"
	"firedrill/loadgen/result"
)

const (
	recent     = 5 * time.Second // window of the current values in the live view
	plainEvery = 5 * time.Second // interval between lines when the output is not a terminal
	sparkSlots = 30
)

// Live shows a run while it goes on. On a terminal it redraws a block in place; otherwise it writes a line every few
// seconds. It is not safe for concurrent use.
type Live struct {
	display *term.Display
	next    time.Duration
}

// Budget says how much of the failures that a threshold allows is left.
type Budget struct {
	Threshold string
	Left      float64 // share of 1; negative if more failed than allowed
}

// NewLive returns a live view on w. It redraws in place if w is a terminal.
func NewLive(w io.Writer) *Live { return &Live{display: term.New(w, os.Getenv)} }

// Show shows the state r of the run. Call it once a second.
func (l *Live) Show(r *result.Result, budgets []Budget) error {
	v := newView(r, budgets)
	if !l.display.InPlace() {
		if r.Elapsed < l.next {
			return nil
		}
		l.next = r.Elapsed.Truncate(plainEvery) + plainEvery
		return l.display.Line(v.line())
	}
	return l.display.Block(v.block(l.display.Width()))
}

// Close leaves the last block on the screen, so that later output follows below it.
func (l *Live) Close() error { return l.display.End() }

// view has the values of the live view.
type view struct {
	r              *result.Result
	total          result.Group
	stage          string
	now            result.Slot // sum of the last complete slots
	rate, intended float64     // rates of now
	latencies      []float64   // p99 of the last slots, in seconds
	budgets        []Budget
}

func newView(r *result.Result, budgets []Budget) view {
	v := view{r: r, total: r.Total(nil), budgets: budgets}
	for i, s := range r.Meta.Stages {
		if r.Elapsed >= s.Begin {
			v.stage = fmt.Sprintf("stage %d/%d %s", i+1, len(r.Meta.Stages), cmp.Or(s.Name, s.Shape))
		}
	}
	width := r.Timeline.Width
	over := int(r.Elapsed / width) // complete slots
	first := max(0, over-sparkSlots)
	window := max(1, int(recent/width))
	var intended uint64
	for k, slot := range r.SlotsFrom(first) {
		if i := first + k; i >= over-window && i < over {
			v.now.Merge(&slot)
			if i < len(r.Timeline.Intended) {
				intended += r.Timeline.Intended[i]
			}
		}
		v.latencies = append(v.latencies, slot.Response.Quantile(0.99).Seconds())
	}
	length := time.Duration(min(window, over)) * width
	v.rate, v.intended = perSecond(v.now.Arrived, length), perSecond(intended, length)
	return v
}

func (v view) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%6s", Elapsed(v.r.Elapsed))
	if v.stage != "" {
		b.WriteString("  " + v.stage)
	}
	fmt.Fprintf(&b, "  %s  lag p99 %s  failed %s  p50 %s  p95 %s  p99 %s", v.rateText(), Latency(v.r.OwnLag.Quantile(0.99)),
		Share(v.now.Failed, v.now.Due), Latency(v.now.Response.Quantile(0.5)), Latency(v.now.Response.Quantile(0.95)),
		Latency(v.now.Response.Quantile(0.99)))
	for _, budget := range v.budgets {
		fmt.Fprintf(&b, "  budget of %s %s", budget.Threshold, budget.left())
	}
	return b.String()
}

func (v view) rateText() string {
	if v.r.Intended == 0 {
		return Rate(v.rate)
	}
	return Rate(v.rate) + " of " + Rate(v.intended)
}

// block returns the view as lines of at most width characters.
func (v view) block(width int) []string {
	h := &v.now.Response
	lines := []string{
		v.progress(width),
		fmt.Sprintf("  rate      %s intended   sent %s", v.rateText(), Count(v.total.Arrivals)),
		fmt.Sprintf("  lag       p99 %s, bound %s   longest now %s", Latency(v.r.OwnLag.Quantile(0.99)), Latency(v.r.Meta.Bounds.LagP99), Latency(v.now.LagMax)),
		fmt.Sprintf("  failed    now %s   in all %s (%s)", Share(v.now.Failed, v.now.Due), Share(v.total.Failed, v.total.Requests), Count(v.total.Failed)),
		fmt.Sprintf("  response  now    p50 %-8s p95 %-8s p99 %-8s max %s", Latency(h.Quantile(0.5)), Latency(h.Quantile(0.95)), Latency(h.Quantile(0.99)), Latency(h.Max())),
	}
	h = &v.total.Response
	lines = append(lines,
		fmt.Sprintf("            in all p50 %-8s p95 %-8s p99 %-8s max %s", Latency(h.Quantile(0.5)), Latency(h.Quantile(0.95)), Latency(h.Quantile(0.99)), Latency(h.Max())),
		fmt.Sprintf("  p99       %s  (log scale)", spark(v.latencies)))
	if v.r.Intended == 0 {
		lines[1] = fmt.Sprintf("  rate      %s   sent %s", Rate(v.rate), Count(v.total.Requests))
	}
	for _, budget := range v.budgets {
		lines = append(lines, fmt.Sprintf("  budget    %s of %s", budget.left(), budget.Threshold))
	}
	for i := range lines {
		lines[i] = cut(lines[i], width-1)
	}
	return lines
}

func (v view) progress(width int) string {
	line := fmt.Sprintf("%s  %s  %s", cmp.Or(v.r.Meta.Profile, v.r.Meta.Target), v.stage, Elapsed(v.r.Elapsed))
	length := v.r.Meta.Length
	if length <= 0 {
		return line
	}
	line += " of " + Elapsed(length) + "  "
	if room := min(30, width-1-len([]rune(line))); room > 5 {
		done := int(float64(room) * min(1, float64(v.r.Elapsed)/float64(length)))
		line += strings.Repeat("━", done) + strings.Repeat("─", room-done)
	}
	return line
}

func (b Budget) left() string {
	if b.Left < 0 {
		return fmt.Sprintf("spent %.1f times", 1-b.Left)
	}
	return fmt.Sprintf("%.0f %% left", b.Left*100)
}

// cut shortens a line for a terminal. A line that wraps would shift the block.
func cut(line string, width int) string {
	letters := []rune(line)
	return string(letters[:max(0, min(len(letters), width))])
}
