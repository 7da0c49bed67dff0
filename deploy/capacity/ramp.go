package capacity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"firedrill/internal/wait"
)

// Drive is a load on one program. Its rate is in the program's units per second.
type Drive interface {
	// Set changes the rate.
	Set(ctx context.Context, rate float64) error
	// Sent returns how many units were sent so far.
	Sent() float64
	// Close removes the load.
	Close() error
}

// Ramp increases the load on one program of the stack step by step.
type Ramp struct {
	Program string
	Unit    string
	Client  *http.Client
	Metrics string   // URL of the program's own metrics
	Count   []string // names of its counter of units; the first that exists is used
	Bytes   string   // its counter of bytes; "" for none
	Rates   []float64
	Settle  time.Duration // wait after each change of the rate
	Watch   time.Duration // measurement after Settle
	Drive   Drive
	Told    func(Step) // called after each step
}

// ErrBusy means that other work kept the machine so busy that the program could not be loaded at all.
var ErrBusy = errors.New("the load itself was late: the machine is too busy")

// Run increases the rate until the program or the load itself does not keep up, and then removes the load.
func (r Ramp) Run(ctx context.Context) (l Limit, err error) {
	defer func() { err = errors.Join(err, r.Drive.Close()) }()
	l = Limit{Program: r.Program, Unit: r.Unit, Machine: machine(), Measured: time.Now(), End: "held the last rate of the ramp"}
	for _, rate := range append([]float64{0}, r.Rates...) {
		s, err := r.step(ctx, rate)
		if err != nil {
			return l, fmt.Errorf("load %s with %.0f %s: %w", r.Program, rate, r.Unit, err)
		}
		r.Told(s)
		if s.Sent < kept*s.Intended {
			l.End = fmt.Sprintf("the load could send no more than %.0f %s", s.Sent, r.Unit)
			break
		}
		l.Steps = append(l.Steps, s)
		if taken := s.Achieved - l.Steps[0].Achieved; taken < kept*s.Intended {
			l.End = fmt.Sprintf("of %.0f %s it took %.0f", s.Intended, r.Unit, taken)
			break
		}
	}
	if len(l.held()) == 0 {
		return l, fmt.Errorf("load %s: %s: %w", r.Program, l.End, ErrBusy)
	}
	return l, nil
}

func (r Ramp) step(ctx context.Context, rate float64) (Step, error) {
	if err := r.Drive.Set(ctx, rate); err != nil {
		return Step{}, err
	}
	if !wait.Sleep(ctx, r.Settle) {
		return Step{}, context.Cause(ctx)
	}
	sent := r.Drive.Sent()
	before, began, err := r.read(ctx)
	if err != nil {
		return Step{}, err
	}
	if !wait.Sleep(ctx, r.Watch) {
		return Step{}, context.Cause(ctx)
	}
	sent = r.Drive.Sent() - sent
	after, ended, err := r.read(ctx)
	if err != nil {
		return Step{}, err
	}
	seconds := ended.Sub(began).Seconds()
	return Step{
		Intended: rate, Sent: sent / seconds, Achieved: (after.units - before.units) / seconds, Bytes: (after.bytes - before.bytes) / seconds,
		Cores: (after.cpu - before.cpu) / seconds, RSS: after.rss,
	}, nil
}

// state holds a program's own metrics.
type state struct{ units, bytes, cpu, rss float64 }

// read returns the program's metrics and the time of the request.
func (r Ramp) read(ctx context.Context) (state, time.Time, error) {
	at := time.Now()
	families, err := scrape(ctx, r.Client, r.Metrics)
	if err != nil {
		return state{}, at, err
	}
	s := state{cpu: sum(families["process_cpu_seconds_total"]), rss: sum(families["process_resident_memory_bytes"])}
	for _, name := range r.Count {
		if families[name] != nil {
			s.units = sum(families[name])
			break
		}
	}
	if r.Bytes != "" {
		s.bytes = sum(families[r.Bytes])
	}
	return s, at, nil
}

func scrape(ctx context.Context, client *http.Client, url string) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("read metrics of %s: %w", url, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read metrics of %s: %w", url, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, resp.Body)
		return nil, fmt.Errorf("read metrics of %s: %s", url, resp.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read metrics of %s: %w", url, err)
	}
	return families, nil
}

// sum returns the sum of the values of a counter or gauge.
func sum(f *dto.MetricFamily) float64 {
	total := 0.0
	for _, m := range f.GetMetric() {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
	}
	return total
}
