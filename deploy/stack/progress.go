package stack

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"firedrill/internal/term"
)

// progress shows how far a build is: one line that is redrawn on a terminal, plain lines elsewhere.
type progress struct {
	display *term.Display
	total   int // number of tools
	cores   int
	begin   time.Time
	stop    chan struct{}
	stopped sync.WaitGroup

	mu      sync.Mutex
	running []string
	done    int
	cost    int // estimated CPU seconds of all tools
}

func newProgress(out io.Writer, tools []Tool, cores int) *progress {
	p := &progress{display: term.New(out, os.Getenv), cores: cores, total: len(tools), begin: time.Now(), stop: make(chan struct{})}
	for _, t := range tools {
		p.cost += t.Cost
	}
	fmt.Fprintf(out, "Building %d upstream programs from their Go modules (once for each version), about %s on %d cores.\n",
		p.total, round(p.expected()), cores)
	period := 30 * time.Second
	if p.display.InPlace() {
		period = time.Second
	}
	p.stopped.Go(func() { p.repeat(period) })
	return p
}

// expected returns the estimated duration of the whole build. On average two thirds of the cores are busy,
// because linking and waiting for packages use one core.
func (p *progress) expected() time.Duration {
	return time.Duration(p.cost) * time.Second * 3 / 2 / time.Duration(p.cores)
}

func (p *progress) repeat(period time.Duration) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.mu.Lock()
			p.show(strings.Join(p.running, " and "))
			p.mu.Unlock()
		}
	}
}

func (p *progress) started(t Tool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, t.Name)
	p.show(strings.Join(p.running, " and "))
}

func (p *progress) finished(t Tool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, name := range p.running {
		if name == t.Name {
			p.running = append(p.running[:i:i], p.running[i+1:]...)
			break
		}
	}
	p.done++
	p.show(t.Name + " done")
}

// show writes one line. The caller must hold the lock.
func (p *progress) show(what string) {
	line := fmt.Sprintf("  %d of %d built, %s elapsed of %s expected: %s",
		p.done, p.total, round(time.Since(p.begin)), round(p.expected()), what)
	_ = p.display.Line(line) // a build continues without a terminal
}

func (p *progress) close() {
	close(p.stop)
	p.stopped.Wait()
	_ = p.display.End()
}

func round(d time.Duration) time.Duration { return d.Round(time.Second) }
