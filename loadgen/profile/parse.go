package profile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"firedrill/internal/yamlfile"
	"firedrill/loadgen/journey"
	"firedrill/loadgen/schedule"
)

// builder builds a profile from a document.
type builder struct {
	positions
	options Options
	doc     document
	out     *Profile
}

// Parse parses a profile in YAML. File is the name in errors; relative paths in the profile
// start at its folder. Errors in the profile are of type *Error.
func Parse(file string, data []byte, o Options) (*Profile, error) {
	b := &builder{options: o, out: &Profile{}}
	doc, err := yamlfile.Decode(file, data, &b.doc)
	if err != nil {
		return nil, decodeError(err)
	}
	b.positions = positions{file, doc}
	if err := b.build(b.scenarios); err != nil {
		return nil, err
	}
	return b.out, nil
}

// build builds the profile part by part. The caller passes the function that adds the
// scenarios.
func (b *builder) build(scenarios func() error) error {
	b.out.Name, b.out.Teaches = b.doc.Name, b.doc.Teaches
	if b.out.Name == "" {
		b.out.Name = strings.TrimSuffix(filepath.Base(b.file), filepath.Ext(b.file))
	}
	if b.out.Scale = cmp.Or(b.options.Scale, 1); !(b.out.Scale > 0) || math.IsInf(b.out.Scale, 1) {
		return &Error{File: b.file, Err: fmt.Errorf("rates times %g: want a number above 0", b.out.Scale)}
	}
	if err := b.steady(); err != nil {
		return err
	}
	b.out.Seed = DefaultSeed
	if b.doc.Seed != nil {
		b.out.Seed = *b.doc.Seed
	}
	if b.options.Seed != nil {
		b.out.Seed = *b.options.Seed
	}
	for _, part := range []func() error{b.target, b.stages, scenarios, b.limits, b.trace} {
		if err := part(); err != nil {
			return err
		}
	}
	for i, expression := range b.doc.Thresholds {
		where := Error{File: b.file, Line: b.line(index("thresholds", i)), Key: index("thresholds", i)}
		b.out.Thresholds = append(b.out.Thresholds, Threshold{expression, where.Where()})
	}
	b.out.Fingerprint = b.doc.fingerprint(b.out.Limits.Workers, b.out.Scale)
	return nil
}

// steady replaces the stages by a single endless one if Options.Steady is set.
func (b *builder) steady() error {
	rate := b.options.Steady
	if rate == "" {
		return nil
	}
	if n, err := ParseRate(rate); err != nil {
		return &Error{File: b.file, Err: fmt.Errorf("a steady rate: %w", err)}
	} else if n == 0 {
		return &Error{File: b.file, Err: fmt.Errorf("a steady rate: %q: must be greater than 0", rate)}
	}
	b.doc.Stages = []stage{{Name: "steady", Arrivals: "poisson", Constant: &constant{Rate: rate, For: "forever"}}}
	b.doc.Thresholds = nil
	return nil
}

func (b *builder) target() error {
	target := b.doc.Target
	if b.options.Target != "" {
		target = b.options.Target
	}
	if target == Shop {
		target = b.options.Shop
	}
	target, err := b.expandEnv(target)
	if err != nil {
		return b.at("target", "%w", err)
	}
	if target == "" {
		return nil // without a target, every request needs a full URL
	}
	if _, err := parseAddress(target); err != nil {
		return b.at("target", "%w", err)
	}
	b.out.Target = strings.TrimSuffix(target, "/")
	return nil
}

// host records the name of a host, "" for none, and where it is.
func (b *builder) host(name, key string) {
	if name == "" {
		return
	}
	for _, known := range b.out.Hosts {
		if known.Name == name {
			return
		}
	}
	where := Error{File: b.file, Line: b.line(key), Key: key}
	b.out.Hosts = append(b.out.Hosts, Host{name, where.Where()})
}

type urlError struct{ url, why string }

func (e *urlError) Error() string { return strconv.Quote(e.url) + " is no URL to send to: " + e.why }

func (b *builder) limits() error {
	l := b.doc.Limits
	out := Limits{DefaultWorkers, DefaultTimeout, DefaultOverrun, DefaultLagP99, DefaultRateError}
	if l.Workers != 0 {
		out.Workers = l.Workers
	}
	if b.options.Workers != 0 {
		out.Workers = b.options.Workers
	}
	if out.Workers < 1 || out.Workers > 100_000 {
		return b.at("limits.workers", "%d workers: want 1 to 100000", out.Workers)
	}
	for _, d := range []struct {
		key, text string
		into      *time.Duration
	}{{"timeout", l.Timeout, &out.Timeout}, {"overrun", l.Overrun, &out.Overrun}, {"lag_p99", l.LagP99, &out.LagP99}} {
		if d.text == "" {
			continue
		}
		v, err := parseLength(d.text)
		if err != nil {
			return b.at("limits."+d.key, "%w", err)
		}
		*d.into = v
	}
	if b.options.Timeout > 0 {
		out.Timeout = b.options.Timeout
	}
	if l.RateError != nil {
		out.RateError = *l.RateError
	}
	if !(out.RateError > 0 && out.RateError <= 1) {
		return b.at("limits.rate_error", "%g: want a share above 0, at most 1, such as 0.01", out.RateError)
	}
	b.out.Limits = out
	return nil
}

func (b *builder) trace() error {
	share := DefaultShare
	if b.doc.Trace.Share != nil {
		share = *b.doc.Trace.Share
	}
	if b.options.Share != nil {
		share = *b.options.Share
	}
	if !(share >= 0 && share <= 1) {
		return b.at("trace.share", "%g: want a share, 0 to 1", share)
	}
	if u := b.doc.Trace.URL; u != "" && !strings.Contains(u, "{trace_id}") {
		return b.at("trace.url", "%q has no {trace_id} in it", u)
	}
	b.out.Plan.Sampled, b.out.TraceURL = share, b.doc.Trace.URL
	return nil
}

// ParseRate parses a rate and returns it in requests a second. It accepts "200/s", "30/m",
// "5/h", a length of time after the slash as in "50/1s" or "1/500ms", or a number a second.
func ParseRate(text string) (float64, error) {
	number, unit, _ := strings.Cut(strings.TrimSpace(text), "/")
	per := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	if d, err := time.ParseDuration(strings.TrimSpace(unit)); err == nil { // vegeta writes 50/1s
		per = d.Seconds()
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(per > 0) || math.IsNaN(v) {
		return 0, &valueError{text, "is no rate: want such as 200/s, 30/m or 5/h"}
	}
	if rate := v / per; rate >= 0 && rate <= schedule.MostRate {
		return rate, nil
	}
	return 0, &valueError{text, "is an impossible rate: want 0/s to 1000000/s"}
}

// parseLength parses a length of time greater than 0.
func parseLength(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	switch {
	case err != nil:
		return 0, &valueError{text, "is no length of time: want such as 90s or 1h30m"}
	case d <= 0:
		return 0, &valueError{text, "is not longer than nothing"}
	}
	return d, nil
}

type valueError struct{ text, why string }

func (e *valueError) Error() string { return strconv.Quote(e.text) + " " + e.why }

var envName = regexp.MustCompile(`\$\{env\.([^}]*)\}`)

// expandEnv replaces ${env.NAME} by values of the environment. A missing one is an error.
func (b *builder) expandEnv(text string) (string, error) {
	var missing error
	out := envName.ReplaceAllStringFunc(text, func(match string) string {
		name := envName.FindStringSubmatch(match)[1]
		value := ""
		if b.options.Getenv != nil {
			value = b.options.Getenv(name)
		}
		if value == "" {
			missing = &valueError{name, "is not set in the environment"}
		}
		return value
	})
	return out, missing
}

// template compiles a template after it has expanded the environment in it.
func (b *builder) template(text string, names journey.Names) (journey.Template, error) {
	text, err := b.expandEnv(text)
	if err != nil {
		return journey.Template{}, err
	}
	return journey.Compile(text, names)
}

// fingerprint returns a digest of everything that shapes the load: the document, the number of workers, and the factor on all
// rates.
func (d document) fingerprint(workers int, scale float64) string {
	shape := document{Data: d.Data, Stages: d.Stages, Scenarios: d.Scenarios, Limits: limits{Workers: workers}}
	text, err := json.Marshal(shape)
	if err != nil {
		panic(err) // cannot happen: structs of text and numbers always have a JSON form
	}
	if scale != 1 {
		text = fmt.Appendf(text, "times %g", scale)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
