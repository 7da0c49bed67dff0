package profile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"firedrill/loadgen/journey"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// AdHoc is a load test without a file: one rate, and either one request or a list of
// targets.
type AdHoc struct {
	Rate    string
	Length  time.Duration // 0: until stopped
	Poisson bool

	// A single request. URL, headers and body are templates.
	Method  string // "": GET
	URL     string
	Headers []string // "Name: value"
	Body    string

	// Or targets in a format of vegeta, sent in turn. Headers and Body apply to each of
	// them.
	Targets []byte
	Format  string // "http" (default) or "json"
	File    string // name of the file of Targets, for errors
	// NewTraces replaces the traceparent that a target has. Otherwise the target's own is sent.
	NewTraces bool
}

// adHoc is the name of a profile without a file.
const adHoc = "ad hoc"

// Profile returns the profile. Errors name the flag that is wrong.
func (a AdHoc) Profile(o Options) (*Profile, error) {
	b := &builder{options: o, out: &Profile{}, doc: document{
		Name:   adHoc,
		Stages: []stage{{Constant: &constant{Rate: a.Rate, For: "forever"}}},
	}}
	if a.Length != 0 {
		b.doc.Stages[0].Constant.For = a.Length.String()
	}
	if a.Poisson {
		b.doc.Stages[0].Arrivals = "poisson"
	}
	headers, err := a.headers()
	if err != nil {
		return nil, err
	}
	fill := func() error { return a.targets(b, headers) }
	if a.Targets == nil {
		fill = func() error { return a.request(b, headers) }
	}
	if err := b.build(fill); err != nil {
		return nil, a.asFlag(err)
	}
	for i := range b.out.Hosts {
		if a.Targets == nil {
			b.out.Hosts[i].Where = "URL"
		}
	}
	return b.out, nil
}

// headers parses Headers.
func (a AdHoc) headers() (map[string]string, error) {
	all := map[string]string{}
	for _, text := range a.Headers {
		name, value, ok := strings.Cut(text, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok {
			return nil, fmt.Errorf("--header %q: want \"Name: value\"", text)
		}
		if err := checkHeader(name, value); err != nil {
			return nil, fmt.Errorf("--header %q: %w", text, err)
		}
		all[name] = value
	}
	return all, nil
}

// request adds a scenario that consists of the single request.
func (a AdHoc) request(b *builder, headers map[string]string) error {
	method := a.Method
	if method == "" {
		method = http.MethodGet
	}
	if !slices.Contains(methods(), method) {
		return fmt.Errorf("--method %q: want one of %s", method, strings.Join(methods(), ", "))
	}
	if _, err := templateAddress(a.URL); err != nil { // without the method, which the message of a request has
		return fmt.Errorf("URL: %w", err)
	}
	b.out.Target = a.URL
	b.doc.Scenarios = []scenario{{
		Name: strings.ToLower(method), Request: method + " " + a.URL, Headers: headers, Body: a.Body,
	}}
	return b.scenarios()
}

// targets adds a scenario in which each arrival sends the next target of the list.
func (a AdHoc) targets(b *builder, headers map[string]string) error {
	own := http.Header{}
	for name, value := range headers {
		own.Set(name, value)
	}
	var read vegeta.Targeter
	switch a.Format {
	case vegeta.HTTPTargetFormat, "":
		read = vegeta.NewHTTPTargeter(bytes.NewReader(a.Targets), []byte(a.Body), own)
	case vegeta.JSONTargetFormat:
		read = vegeta.NewJSONTargeter(bytes.NewReader(a.Targets), []byte(a.Body), own)
	default:
		return fmt.Errorf("--format %q: want http or json", a.Format)
	}
	sc := journey.Scenario{Name: "targets", Weight: 1, Kind: journey.Cycle}
	for {
		var t vegeta.Target
		err := read(&t)
		if errors.Is(err, vegeta.ErrNoTargets) {
			break
		}
		key := fmt.Sprintf("target %d", len(sc.Steps)+1)
		var to address
		if err == nil {
			to, err = parseAddress(t.URL)
		}
		if err == nil {
			err = checkTarget(&t)
		}
		if err != nil {
			return &Error{File: a.File, Key: key, Err: err}
		}
		b.host(to.Host, key)
		st := stepOf(&t)
		st.URL, st.Header = journey.Literal([]byte(to.URL)), withDefaults(st.Header, to.Header)
		st.KeepTrace = !a.NewTraces
		sc.Steps = append(sc.Steps, st)
	}
	if len(sc.Steps) == 0 {
		return &Error{File: a.File, Err: vegeta.ErrNoTargets}
	}
	b.out.Target = a.File
	b.out.Plan.Scenarios, b.out.Plan.Seed = []journey.Scenario{sc}, b.out.Seed
	sum := sha256.Sum256(a.Targets)
	b.doc.Scenarios = []scenario{{Name: hex.EncodeToString(sum[:])}} // makes the fingerprint depend on the targets
	return nil
}

// token matches the names of methods (RFC 9110, section 9.1).
var token = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// checkTarget returns an error for a target that cannot be sent as it is.
func checkTarget(t *vegeta.Target) error {
	if !token.MatchString(t.Method) {
		return fmt.Errorf("%q is no method", t.Method)
	}
	// A length that is right says nothing new.
	if length := t.Header.Get("Content-Length"); length == strconv.Itoa(len(t.Body)) && len(t.Header.Values("Content-Length")) == 1 {
		t.Header.Del("Content-Length")
	}
	once := map[string]int{}
	for name, values := range t.Header {
		switch key := textproto.CanonicalMIMEHeaderKey(name); key {
		case "Host", "User-Agent", "Content-Length":
			if once[key] += len(values); once[key] > 1 {
				return fmt.Errorf("the header %s comes %d times: a request has one", key, once[key])
			}
			if key != "Content-Length" && values[0] == "" {
				return fmt.Errorf("the header %s is empty", key)
			}
		}
		for _, value := range values {
			if err := checkSyntax(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func stepOf(t *vegeta.Target) journey.Step {
	st := journey.Step{Method: t.Method, URL: journey.Literal([]byte(t.URL)), Body: journey.Literal(t.Body)}
	for name, values := range t.Header {
		for _, v := range values {
			st.Header = append(st.Header, journey.Header{Name: name, Value: journey.Literal([]byte(v))})
		}
	}
	slices.SortStableFunc(st.Header, func(x, y journey.Header) int { return strings.Compare(x.Name, y.Name) })
	return st
}

// asFlag replaces the key in an error by the flag that the value came from.
func (a AdHoc) asFlag(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.File != "" {
		return err
	}
	for key, flag := range map[string]string{
		"stages[0].constant.rate": "--rate", "stages[0].constant.for": "--duration", "stages": "--rate",
		"scenarios[0].request": "URL", "scenarios[0].body": "--body", "limits.workers": "--workers",
		"limits.timeout": "--timeout", "trace.share": "--trace-share",
	} {
		if e.Key == key {
			return fmt.Errorf("%s: %w", flag, e.Err)
		}
	}
	if name, ok := strings.CutPrefix(e.Key, "scenarios[0].headers."); ok {
		return fmt.Errorf("--header %s: %w", name, e.Err)
	}
	return err
}
