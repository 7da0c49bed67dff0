// Package verify proves that the telemetry of a running shop arrives and leads
// from one signal to the next. It drives real logins, orders and failures
// through the gateway and then asks Prometheus, Loki, Tempo and Alertmanager
// until each cell of its table holds or the time is up.
//
// It believes only what it caused: ids that it chose itself, counters that grew
// by what it sent. No data is never a pass. It knows the shop from outside, as a
// user and as a reader of its telemetry; how anything is deployed or built it
// must not know.
package verify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"firedrill/internal/backend"
	"firedrill/internal/machine"
)

// Config says where the deployment answers. All URLs are needed.
type Config struct {
	Gateway, Prometheus, Loki, Tempo, Alertmanager string

	User, Password       string // who orders
	Other, OtherPassword string // who must not see that order
	// Timeout bounds everything: half of it the requests, all of it the answers.
	// Default 60 s.
	Timeout time.Duration
	Client  *http.Client // default http.DefaultClient
	Witness Witness      // nil: nobody watches the machine
}

// Witness tells whether the machine keeps up. A *machine.Witness is one.
type Witness interface {
	StrainedShare(from time.Time) float64
	Worst(from time.Time) machine.Reading
}

// Defaults of Config. The users are two of the shop's demo users.
const (
	DefaultTimeout = time.Minute
	DefaultUser    = "user-0999"
	DefaultOther   = "user-1000"

	pause    = 500 * time.Millisecond // between two rounds of questions
	patience = 5 * time.Second        // for one answer
	atOnce   = 16                     // questions under way: a backend that hangs must not hold up those about others
)

// Observer is told what goes on: what is being done, and all cells so far. It is
// called from one goroutine at a time and must not keep the slice.
type Observer func(stage string, cells []Cell)

// Validate reports every setting that Run would not accept.
func (c Config) Validate() error {
	_, err := connect(c)
	if c.Timeout < 0 {
		err = errors.Join(err, fmt.Errorf("timeout %v: want more than 0", c.Timeout))
	}
	return err
}

// Run verifies the deployment. The error is about the configuration only;
// whatever else goes wrong is a missing cell. When ctx ends, what is not yet
// shown counts as missing.
func Run(ctx context.Context, cfg Config, observe Observer) (Report, error) {
	if err := cfg.Validate(); err != nil {
		return Report{}, err
	}
	r, err := newRun(cfg, observe)
	if err != nil {
		return Report{}, err
	}
	within, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()

	r.board.show("reading the counters before the first request")
	r.before = r.readBefore(within)
	r.drive(within)
	r.board.show("asking the backends")
	r.asking = time.Now()
	r.ask(within, arrivals())

	// What must be absent is asked for last, when all else has arrived, and also
	// when the time is up: it needs one answer only.
	last, cancel := context.WithTimeout(ctx, min(patience, r.cfg.Timeout))
	defer cancel()
	r.ask(last, absences())
	return r.report(), nil
}

// run is one verification under way.
type run struct {
	cfg    Config
	on     backends
	id     string // appears in the user agent of every request
	began  time.Time
	asking time.Time // since when backends are asked
	before before
	sent   []sent // in order
	board  *board

	shopper *shopper // who sent them
	rounds  int      // of questions so far
}

func newRun(cfg Config, observe Observer) (*run, error) {
	setDefault(&cfg.Timeout, DefaultTimeout)
	setDefault(&cfg.Client, http.DefaultClient)
	setDefault(&cfg.User, DefaultUser)
	setDefault(&cfg.Other, DefaultOther)
	setDefault(&cfg.Password, demoPassword+cfg.User)
	setDefault(&cfg.OtherPassword, demoPassword+cfg.Other)
	cfg.Gateway = strings.TrimSuffix(cfg.Gateway, "/")
	on, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	if observe == nil {
		observe = func(string, []Cell) {}
	}
	return &run{
		cfg: cfg, on: on, id: randomHex(4), began: time.Now(),
		board: newBoard(append(arrivals(), absences()...), observe),
	}, nil
}

// demoPassword and the name make the password of a demo user.
const demoPassword = "demo-"

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// backends are those that hold the telemetry.
type backends struct {
	prometheus   *backend.Prometheus
	loki         *backend.Loki
	tempo        *backend.Tempo
	alertmanager *backend.Alertmanager
}

func connect(cfg Config) (on backends, err error) {
	var errs [5]error
	on.prometheus, errs[0] = backend.NewPrometheus(cfg.Prometheus, cfg.Client)
	on.loki, errs[1] = backend.NewLoki(cfg.Loki, cfg.Client)
	on.tempo, errs[2] = backend.NewTempo(cfg.Tempo, cfg.Client)
	on.alertmanager, errs[3] = backend.NewAlertmanager(cfg.Alertmanager, cfg.Client)
	if u, err := url.Parse(cfg.Gateway); err != nil || u.Host == "" {
		errs[4] = fmt.Errorf("URL of gateway %q: want http://host:port or https://host:port", cfg.Gateway)
	}
	return on, errors.Join(errs[:]...)
}

// span bounds the time that the run's telemetry can carry. Ids are unique, so it
// may be generous; it bears with clocks that disagree a little.
func (r *run) span() (start, end time.Time) {
	const skew = time.Minute
	return r.began.Add(-skew), time.Now().Add(skew)
}

// randomHex returns n random bytes as hex digits. They must differ between runs,
// so no seed is wanted here.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, says its documentation
	return hex.EncodeToString(b)
}

// sleep returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
