package slo

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"firedrill/internal/yamlfile"
)

// defaultMinBadEvents is the default low-traffic guard. Fewer failures may be chance.
const defaultMinBadEvents = 5

// Load reads a file with one document of objectives. The error joins one SpecError for each problem in the file.
func Load(file string) (Spec, error) {
	text, err := yamlfile.ReadText(file)
	if err != nil {
		return Spec{}, fmt.Errorf("read objectives: %w", err)
	}
	return Parse(file, text)
}

// LoadFile reads the documents of a file; see ParseAll.
func LoadFile(file string) ([]Spec, error) {
	text, err := yamlfile.ReadText(file)
	if err != nil {
		return nil, fmt.Errorf("read objectives: %w", err)
	}
	return ParseAll(file, text)
}

// LoadAll reads every *.yaml file of a folder, in the order of the file names.
func LoadAll(dir string) ([]Spec, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list objectives in %q: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("list objectives: no *.yaml in %q", dir)
	}
	var all []Spec
	var errs []error
	for _, file := range files {
		spec, err := Load(file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, spec)
	}
	return all, errors.Join(errs...)
}

// Parse reads the text of one document of objectives. file is the file's name for error messages.
func Parse(file string, text []byte) (Spec, error) {
	r, err := decode(file, text)
	if err != nil {
		return Spec{}, err
	}
	spec := r.spec()
	return spec, r.Err()
}

// resolver converts a document to a Spec and collects the problems in it.
type resolver struct {
	*Problems
	file   string
	doc    document
	rename func(key string) string // returns the key in the file's own words; nil: they are those of document
}

// Add records a problem with the value at a key.
func (r *resolver) Add(key, format string, args ...any) {
	if r.rename != nil {
		key = r.rename(key)
	}
	r.Problems.Add(key, format, args...)
}

// name matches valid names of services and objectives.
var name = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)

// pluginsAreCode is why plugins are refused.
const pluginsAreCode = "plugins are Go code that Sloth runs to change its rules: leave them out, or use Sloth for this file"

func (r *resolver) spec() Spec {
	spec := Spec{File: r.file, Service: r.doc.Service, Scale: 1}
	if r.doc.Version != version {
		r.Add("version", "%q: want %q", r.doc.Version, version)
	}
	if !name.MatchString(r.doc.Service) {
		r.Add("service", "%q is no name: want letters, digits, and - _ . between them", r.doc.Service)
	}
	if r.doc.Scale != nil {
		spec.Scale = *r.doc.Scale
		if spec.Scale <= 0 {
			r.Add("scale", "%v: want above 0", spec.Scale)
		}
	}
	r.labels("labels", r.doc.Labels)
	if r.doc.Plugins != nil {
		r.Add("slo_plugins", pluginsAreCode)
	}
	if len(r.doc.SLOs) == 0 {
		r.Add("slos", "there is none")
	}
	seen := map[string]bool{}
	for i, d := range r.doc.SLOs {
		path := fmt.Sprintf("slos[%d]", i)
		if seen[d.Name] {
			r.Add(path+".name", "%q is there twice", d.Name)
		}
		seen[d.Name] = true
		spec.SLOs = append(spec.SLOs, r.slo(path, d))
	}
	return spec
}

func (r *resolver) slo(path string, d docSLO) SLO {
	if !name.MatchString(d.Name) {
		r.Add(path+".name", "%q is no name: want letters, digits, and - _ . between them", d.Name)
	}
	switch {
	case d.Objective <= 100 && (SLO{Objective: d.Objective}).Budget() == 0:
		r.Add(path+".objective", "%v leaves no budget that could burn: want less", d.Objective)
	case d.Objective <= 0 || d.Objective > 100:
		r.Add(path+".objective", "%v: want percent, above 0 and below 100", d.Objective)
	}
	r.labels(path+".labels", d.Labels)
	if d.Plugins != nil {
		r.Add(path+".plugins", pluginsAreCode)
	}
	s := SLO{
		Service: r.doc.Service, Name: d.Name, Description: strings.TrimSpace(d.Description), Objective: d.Objective,
		SLI:   r.sli(path+".sli", d.SLI),
		Owner: first(d.Owner, r.doc.Owner, d.Labels["owner"], r.doc.Labels["owner"]), Runbook: d.Runbook,
		Dashboard:    first(d.Dashboard, fmt.Sprintf("/d/slo?var-service=%s&var-slo=%s", r.doc.Service, d.Name)),
		Traces:       d.Traces,
		MinBadEvents: defaultMinBadEvents,
	}
	if d.LowTraffic != nil {
		s.MinBadEvents = d.LowTraffic.MinBadEvents
		if s.MinBadEvents < 0 {
			r.Add(path+".low_traffic.min_bad_events", "%v: want 0 (no guard) or more", s.MinBadEvents)
		}
	}
	s.Period = r.period(path, d.Period)
	s.Alerting = r.alerting(path+".alerting", d, s)
	if s.Runbook == "" {
		s.Runbook = first(d.Alerting.Annotations["runbook"], "docs/runbooks/"+s.Alerting.Name+".md")
	}
	return s
}

// Bounds of a period. A shorter one has no room for the windows of tickets, and a longer one exceeds what Prometheus keeps.
const (
	shortestPeriod = 3 * 24 * time.Hour
	longestPeriod  = 366 * 24 * time.Hour
)

// IsPeriod reports whether an objective may have this period.
func IsPeriod(d time.Duration) bool { return d >= shortestPeriod && d <= longestPeriod }

// period returns the period of an objective, or 0 for that of the policy.
func (r *resolver) period(path, text string) time.Duration {
	key := path + ".period"
	if text == "" {
		key, text = "period", r.doc.Period
	}
	if text == "" {
		return 0
	}
	d, err := model.ParseDuration(text)
	switch period := time.Duration(d); {
	case err != nil:
		r.Add(key, "%q: want a length such as 28d or 4w; a month has no fixed length", text)
	case !IsPeriod(period):
		r.Add(key, "%q: want %s to %s", text, Format(shortestPeriod), Format(longestPeriod))
	default:
		return period
	}
	return 0
}

func (r *resolver) alerting(path string, d docSLO, s SLO) Alerting {
	a := d.Alerting
	out := Alerting{
		Name:        first(a.Name, camel(s.Service)+camel(s.Name)+"Burn"),
		Labels:      merge(r.doc.Labels, d.Labels, a.Labels),
		Annotations: a.Annotations,
		Page:        AlertMeta(a.PageAlert),
		Ticket:      AlertMeta(a.TicketAlert),
	}
	if !model.LabelValue(out.Name).IsValid() || strings.ContainsAny(out.Name, " \n") {
		r.Add(path+".name", "%q is no name of an alert: want one word", out.Name)
	}
	r.labels(path+".labels", a.Labels)
	r.labels(path+".page_alert.labels", a.PageAlert.Labels)
	r.labels(path+".ticket_alert.labels", a.TicketAlert.Labels)
	return out
}

// labels checks that every label has a valid name and a constant value, and is not one of the
// labels that the rules set.
func (r *resolver) labels(path string, labels map[string]string) {
	own := []string{LabelService, LabelSLO, LabelScale, LabelSynthetic, model.AlertNameLabel}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		switch at := path + "." + key; {
		case !model.LegacyValidation.IsValidLabelName(key):
			r.Add(path, "%q is no name of a label: want letters, digits and _, no digit first", key)
		case slices.Contains(own, key):
			r.Add(at, "the label is set by the rules")
		case strings.Contains(labels[key], "{{"):
			r.Add(at, "a label that a template fills has any number of values, and each is an alert of its own: put the template into an annotation")
		}
	}
}

// longestThreshold is the highest accepted threshold. A higher one is probably a typing error.
const longestThreshold = 30 * day

func (r *resolver) threshold(path string, d time.Duration) {
	if d <= 0 || d > longestThreshold {
		r.Add(path+".threshold", "%v: want above 0 and at most %v, like 250ms", d, longestThreshold)
	}
}

// camel converts checkout-latency to CheckoutLatency.
func camel(s string) string {
	var out strings.Builder
	for part := range strings.FieldsFuncSeq(s, func(c rune) bool { return strings.ContainsRune("-_.", c) }) {
		out.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return out.String()
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// merge returns the labels of all maps. Later maps take precedence.
func merge(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, labels := range all {
		maps.Copy(out, labels)
	}
	return out
}
