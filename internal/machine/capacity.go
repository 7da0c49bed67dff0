package machine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"firedrill/internal/private"
)

// ReferenceCores and referenceRounds describe the reference machine, on which all figures in the documentation
// were measured.
const (
	ReferenceCores = 2
	// referenceRounds is how many rounds of work one of its cores does per second while the other core works
	// too.
	referenceRounds = 6000.0
)

// mostPatience is the largest factor by which Patience stretches a time. What takes longer is not slow but
// stuck.
const mostPatience = 8

// Capacity is how much work a machine can do.
type Capacity struct {
	// Cores is the number of processors that this process may use.
	Cores int `json:"cores"`
	// Speed is the speed of one core while all cores work, as a multiple of a core of the reference machine.
	Speed float64 `json:"speed"`
	// Measured is the time of the measurement.
	Measured time.Time `json:"measured"`
}

// Power returns the capacity as a multiple of the reference machine. 1 is two cores of its speed; 0.33 is a
// machine with a third of the speed or a third of the cores.
func (c Capacity) Power() float64 { return float64(c.Cores) * c.Speed / ReferenceCores }

// Patience returns how long to wait on this machine for something that takes at most d on the reference
// machine. It never returns less than d. If the capacity is unknown, it returns d.
func (c Capacity) Patience(d time.Duration) time.Duration {
	power := c.Power()
	if !(power > 0) { // unknown
		return d
	}
	return time.Duration(float64(d) * min(max(1, 1/power), mostPatience))
}

// String describes the capacity for people: "2 cores, 0.9 times the reference machine".
func (c Capacity) String() string {
	cores := "cores"
	if c.Cores == 1 {
		cores = "core"
	}
	return fmt.Sprintf("%d %s, %.2g times the reference machine", c.Cores, cores, c.Power())
}

// A calibration measures several times and uses the best result. A short burst of other work then does not make
// the machine look slow.
const (
	calibrations      = 3
	calibrationLength = 80 * time.Millisecond
)

// Calibrate measures the machine with a fixed piece of work on all cores at the same time. It takes a quarter
// of a second. It returns an error only if ctx ends.
func Calibrate(ctx context.Context) (Capacity, error) {
	cores := runtime.GOMAXPROCS(0)
	best := 0.0
	for range calibrations {
		rates := make([]float64, cores)
		var all sync.WaitGroup
		for i := range cores {
			all.Go(func() { rates[i] = rate(ctx, calibrationLength) })
		}
		all.Wait()
		if err := ctx.Err(); err != nil {
			return Capacity{}, fmt.Errorf("calibrate the machine: %w", err)
		}
		sum := 0.0
		for _, r := range rates {
			sum += r
		}
		best = max(best, sum/float64(cores))
	}
	return Capacity{Cores: cores, Speed: best / referenceRounds, Measured: time.Now()}, nil
}

// rate works for the given length and returns the rounds of work per second.
func rate(ctx context.Context, length time.Duration) float64 {
	began, rounds := time.Now(), 0
	for ctx.Err() == nil && time.Since(began) < length {
		work(rounds)
		rounds++
	}
	return float64(rounds) / time.Since(began).Seconds()
}

// work is a mixture like the work of the stack: it hashes, encodes, decodes, sorts, and creates garbage.
func work(seed int) {
	type sample struct {
		Labels map[string]string
		Values []float64
	}
	s := sample{Labels: map[string]string{}}
	for i := range 64 {
		s.Labels[fmt.Sprintf("label_%d", i)] = fmt.Sprintf("value_%d", seed+i)
		s.Values = append(s.Values, float64((i*7919+seed)%1000))
	}
	text, err := json.Marshal(s)
	if err != nil {
		return
	}
	var back sample
	if json.Unmarshal(text, &back) != nil {
		return
	}
	slices.Sort(back.Values)
	sum := sha256.Sum256(text)
	runtime.KeepAlive(sum)
}

// capacityFile is the name of the file with the capacity in a data folder.
const capacityFile = "machine.json"

// Known returns the capacity that Keep stored in a folder. ok is false if there is none, or if the number of
// cores has changed since. It returns an error if the file cannot be read.
func Known(dir string) (c Capacity, ok bool, err error) {
	path := filepath.Join(dir, capacityFile)
	text, err := private.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Capacity{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return Capacity{}, false, fmt.Errorf("read the machine's capacity %q: %w", path, err)
	}
	return c, c.Cores == runtime.GOMAXPROCS(0) && c.Speed > 0, nil
}

// Keep stores the capacity in a folder, which must exist.
func (c Capacity) Keep(dir string) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("keep the machine's capacity: %w", err)
	}
	if err := private.WriteFile(filepath.Join(dir, capacityFile), text, 0o600); err != nil {
		return fmt.Errorf("keep the machine's capacity: %w", err)
	}
	return nil
}

// believed is how long a measured capacity stays valid.
const believed = 24 * time.Hour

// Current reports whether the capacity was measured within the last day.
func (c Capacity) Current() bool {
	age := time.Since(c.Measured)
	return c.Power() > 0 && age >= 0 && age < believed
}

// Measure calibrates the machine and stores the result in a folder, which must exist. If the folder has a better
// result of the last day with the same number of cores, Measure stores and returns nothing worse: other work on
// the machine can make a calibration too low, but nothing makes it too high.
//
// What is measured afterwards must not run yet, or its own load makes the machine look slow.
func Measure(ctx context.Context, dir string, calibrate func(context.Context) (Capacity, error)) (Capacity, error) {
	c, err := calibrate(ctx)
	if err != nil {
		return Capacity{}, err
	}
	// A file that cannot be read is replaced.
	if known, ok, err := Known(dir); err == nil && ok && known.Current() && known.Power() > c.Power() {
		return known, nil
	}
	return c, c.Keep(dir)
}

// Of returns the capacity that is stored in a folder. If there is none, or if it is older than a day, Of
// measures it.
func Of(ctx context.Context, dir string) (Capacity, error) {
	if c, ok, err := Known(dir); err == nil && ok && c.Current() {
		return c, nil
	}
	return Measure(ctx, dir, Calibrate)
}
