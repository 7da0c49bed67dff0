// Package verify checks that the telemetry of a running shop arrives and that each signal leads to the next. It
// sends real logins, orders and failures through the gateway. Then it queries Prometheus, Loki, Tempo and
// Alertmanager until each cell of its table holds or the time is up.
//
// It accepts only evidence of its own requests: ids that it chose, and counters that grew by what it sent.
// Missing data never passes. It sees the shop from outside, as a user and as a reader of its telemetry. It must
// not know how anything is deployed or built.
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

// Config holds the addresses of the deployment. All URLs are required.
type Config struct {
	Gateway, Prometheus, Loki, Tempo, Alertmanager string

	User, Password       string // of the user who orders
	Other, OtherPassword string // of a user who must not see that order
	// Timeout is the longest duration of the run; the requests may use half of it. The default is 60 s.
	Timeout time.Duration
	Client  *http.Client // default http.DefaultClient
	Witness Witness      // nil if the machine is not watched
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

	pause    = 500 * time.Millisecond // between two rounds of queries
	patience = 5 * time.Second        // for one answer
	atOnce   = 16                     // concurrent queries: a backend that hangs must not delay the queries of others
)

// Observer is called on each change with the current stage and all cells. It is called from one goroutine at a
// time and must not keep the slice.
type Observer func(stage string, cells []Cell)

// Validate returns an error that names every setting that Run would not accept.
func (c Config) Validate() error {
	_, err := connect(c)
	if c.Timeout < 0 {
		err = errors.Join(err, fmt.Errorf("timeout %v: want more than 0", c.Timeout))
	}
	return err
}

// Run verifies the deployment. It returns an error only for a bad configuration; every other failure is a
// missing cell. When ctx ends, cells that are not decided count as missing.
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

	// Absences are checked last, when everything else has arrived. They are also checked after the timeout:
	// each needs only one answer.
	last, cancel := context.WithTimeout(ctx, min(patience, r.cfg.Timeout))
	defer cancel()
	r.ask(last, absences())
	return r.report(), nil
}

// run is one verification in progress.
type run struct {
	cfg    Config
	on     backends
	id     string // part of the user agent of every request
	began  time.Time
	asking time.Time // when the queries of the backends began
	before before
	sent   []sent // in order
	board  *board

	shopper *shopper // sends the requests
	rounds  int      // of queries so far
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

// demoPassword followed by the user name is the password of a demo user.
const demoPassword = "demo-"

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// backends are the clients of the programs that store the telemetry.
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

// span returns the time range of the run's telemetry. It is generous, to allow for clocks that differ a little:
// the ids are unique, so telemetry of others does not match.
func (r *run) span() (start, end time.Time) {
	const skew = time.Minute
	return r.began.Add(-skew), time.Now().Add(skew)
}

// randomHex returns n random bytes as hex digits. They must differ between runs, so there is no seed.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // documented never to fail
	return hex.EncodeToString(b)
}
