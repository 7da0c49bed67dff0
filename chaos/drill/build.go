package drill

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"firedrill/internal/yamlfile"
)

// Defaults of optional keys.
const (
	DefaultWarmUp  = 20 * time.Second
	DefaultRecover = time.Minute
	DefaultBlind   = 10 * time.Second
)

// noProfile is the profile of a drill without load.
const noProfile = "none"

var (
	name = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
	rate = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?/[smh]$`)
)

// builder builds a drill from a document and collects what is wrong with it.
type builder struct {
	file   string
	tree   *yamlfile.Document
	faults Checker
	doc    document
	wrong  []error
}

// add adds an error about the value at a key.
func (b *builder) add(key, format string, args ...any) {
	b.wrong = append(b.wrong, b.tree.Errorf(key, format, args...))
}

func (b *builder) drill() *Drill {
	doc := &b.doc
	d := &Drill{
		Name: strings.TrimSuffix(filepath.Base(b.file), Extension), File: b.file,
		Title: b.text("title", doc.Title), Story: b.text("story", doc.Story), Hints: doc.Hints, Runbook: doc.Runbook,
		WarmUp: b.length("warmUp", doc.WarmUp, DefaultWarmUp), Lasts: b.length("lasts", doc.Lasts, 0),
	}
	if a := doc.Answer; a != nil {
		d.Answer = &Answer{b.name("answer.service", a.Service), b.name("answer.fault", a.Fault), b.text("answer.because", a.Because)}
	}
	d.Load = b.load()
	for i, p := range doc.Hypothesis {
		d.Hypothesis = append(d.Hypothesis, b.probe(fmt.Sprintf("hypothesis[%d]", i), p))
	}
	for i, f := range doc.Faults {
		d.Faults = append(d.Faults, b.fault(fmt.Sprintf("faults[%d]", i), f))
	}
	for i, g := range doc.AbortIf {
		key := fmt.Sprintf("abortIf[%d]", i)
		d.AbortIf = append(d.AbortIf, Guard{b.text(key+".name", g.Name), b.query(key, g.Ask), b.comparison(key+".is", g.Is)})
	}
	d.Takes = b.takes(doc.Takes)
	d.Expect = b.expect()
	b.whole(d)
	return d
}

// whole checks rules that involve more than one key.
func (b *builder) whole(d *Drill) {
	if len(d.Faults) == 0 {
		if d.Lasts == 0 {
			b.add("lasts", "is missing: without faults only that says how long to watch")
		}
		for key, is := range map[string]bool{
			"expect.alerts": len(d.Expect.Alerts) > 0, "expect.traces": len(d.Expect.Traces) > 0,
			"expect.logs": len(d.Expect.Logs) > 0, "expect.metrics": len(d.Expect.Metrics) > 0, "answer": d.Answer != nil,
		} {
			if is {
				b.add(key, "nothing can be expected of a drill without faults")
			}
		}
	}
	if d.Answer != nil && !slices.ContainsFunc(d.Faults, func(f Fault) bool { return f.Kind == d.Answer.Fault }) {
		b.add("answer.fault", "%q: none of the faults is of that kind", d.Answer.Fault)
	}
}

func (b *builder) load() LoadSpec {
	l := b.doc.Load
	spec := LoadSpec(l)
	if l.Rate != "" && !rate.MatchString(l.Rate) {
		b.add("load.rate", "%q is no rate: want such as 20/s or 90/m", l.Rate)
	}
	switch {
	case l.Profile == "":
		b.add("load.profile", "is missing: want a profile of the load generator, or none")
	case l.Profile == noProfile:
		spec.Profile = ""
		if l.Rate != "" {
			b.add("load.rate", "no load has no rate")
		}
	case filepath.Ext(l.Profile) != "" && !filepath.IsAbs(l.Profile):
		spec.Profile = filepath.Join(filepath.Dir(b.file), l.Profile)
	}
	return spec
}

func (b *builder) probe(key string, p probe) Probe {
	out := Probe{Name: b.text(key+".name", p.Name), Query: b.query(key, p.Ask)}
	if p.Is == "" && p.Change == "" {
		b.add(key, "says neither is nor change")
	}
	if p.Is != "" {
		out.Is = b.comparison(key+".is", p.Is)
	}
	if p.Change != "" {
		c := b.comparison(key+".change", p.Change)
		out.Change = &c
	}
	out.Needs = b.needs(key, p.Needs, NeedsOf(out.Language))
	out.Mode = Mode(b.oneOf(key+".mode", p.Mode, string(Before), string(During), string(After), string(Continuous)))
	out.NoData = NoData(b.oneOf(key+".noData", p.NoData, string(NoDataUnknown), string(NoDataFails)))
	if out.Mode == During && len(b.doc.Faults) == 0 {
		b.add(key+".mode", "without faults there is no time during them")
	}
	return out
}

// query returns the one question that is asked. None or several are an error.
func (b *builder) query(key string, a ask) Query {
	var given []Query
	for _, q := range []Query{{PromQL, a.PromQL}, {HTTP, a.HTTP}, {TraceQL, a.TraceQL}, {LogQL, a.LogQL}} {
		if q.Text != "" {
			given = append(given, q)
		}
	}
	if len(given) != 1 {
		b.add(key, "%d queries: want exactly one of promql, http, traceql and logql", len(given))
		return Query{}
	}
	q := given[0]
	if method, url, ok := strings.Cut(q.Text, " "); q.Language == HTTP && (!ok || method != strings.ToUpper(method) || url == "") {
		b.add(key+".http", "%q: want a method and a URL, such as GET ${gateway}/products", q.Text)
	}
	return q
}

func (b *builder) fault(key string, f faultDoc) Fault {
	out := Fault{At: b.length(key+".at", f.At, 0), For: b.some(key+".for", f.For), Kind: f.Kind, Target: f.Target, Params: f.Params}
	switch {
	case f.Kind == "":
		b.add(key+".kind", "is missing")
	case f.Target == "":
		b.add(key+".target", "is missing")
	default:
		if err := b.faults.Check(out); err != nil {
			b.add(key, "%v", err)
		}
	}
	return out
}

func (b *builder) expect() Expectations {
	doc := b.doc.Expect
	out := Expectations{
		Recover: b.length("expect.recoverWithin", doc.RecoverWithin, DefaultRecover),
		Blind:   b.length("expect.blindFor", doc.BlindFor, DefaultBlind),
		May:     b.patterns("expect.may", doc.May), MustNotFire: b.patterns("expect.mustNotFire", doc.MustNotFire),
	}
	for i, a := range doc.Alerts {
		out.Alerts = append(out.Alerts, b.alert(fmt.Sprintf("expect.alerts[%d]", i), a))
	}
	for i, t := range doc.Traces {
		out.Traces = append(out.Traces, b.trace(fmt.Sprintf("expect.traces[%d]", i), t))
	}
	for i, l := range doc.Logs {
		key := fmt.Sprintf("expect.logs[%d]", i)
		if l.Is == "" {
			l.Is = ">= 1"
		}
		out.Logs = append(out.Logs, LogExpectation{
			b.text(key+".name", l.Name), b.text(key+".query", l.Query), b.comparison(key+".is", l.Is), b.needs(key, l.Needs, NeedsOf(LogQL)),
		})
	}
	for i, m := range doc.Metrics {
		out.Metrics = append(out.Metrics, b.metric(fmt.Sprintf("expect.metrics[%d]", i), m))
	}
	for i, service := range doc.Healthy {
		out.Healthy = append(out.Healthy, b.name(fmt.Sprintf("expect.healthy[%d]", i), service))
	}
	return out
}

func (b *builder) patterns(key string, all []pattern) []AlertPattern {
	var out []AlertPattern
	for i, p := range all {
		out = append(out, AlertPattern{b.name(fmt.Sprintf("%s[%d].alert", key, i), p.Alert), p.Labels})
	}
	return out
}

func (b *builder) alert(key string, a alertDoc) AlertExpectation {
	out := AlertExpectation{
		AlertPattern: AlertPattern{b.name(key+".alert", a.Pattern.Alert), a.Pattern.Labels},
		FiresWithin:  b.some(key+".firesWithin", a.FiresWithin), ResolvesWithin: b.some(key+".resolvesWithin", a.ResolvesWithin),
		Notice: Notice(b.oneOf(key+".notification", a.Notification, string(NoticeRequired), string(NoticeSuppressed), string(NoticeAny))),
		Needs:  b.needs(key, a.Needs, AllNeeds()),
	}
	if a.Outage != nil {
		if out.Ratio = a.Outage.Ratio; !(out.Ratio > 0 && out.Ratio <= 1) {
			b.add(key+".outage.ratio", "%v: want a share above 0, at most 1", out.Ratio)
		}
	}
	return out
}

func (b *builder) trace(key string, t traceDoc) TraceExpectation {
	out := TraceExpectation{
		Name: b.text(key+".name", t.Name), TraceQL: b.text(key+".query", t.Query),
		Service: b.name(key+".shows.service", t.Shows.Service), Span: t.Shows.Span, Failed: t.Shows.Failed, AtLeast: max(1, t.Shows.AtLeast),
		Needs: b.needs(key, t.Needs, NeedsOf(TraceQL)),
	}
	if t.Shows.AtLeast < 0 {
		b.add(key+".shows.atLeast", "%d: want 1 or more", t.Shows.AtLeast)
	}
	return out
}

func (b *builder) metric(key string, m metricDoc) MetricExpectation {
	out := MetricExpectation{
		Name: b.text(key+".name", m.Name), PromQL: b.text(key+".promql", m.PromQL), Needs: b.needs(key, m.Needs, NeedsOf(PromQL)),
	}
	if m.During == "" && m.Change == "" {
		b.add(key, "says neither during nor change")
	}
	for _, c := range []struct {
		key, text string
		into      **Comparison
	}{{".during", m.During, &out.During}, {".change", m.Change, &out.Change}} {
		if c.text != "" {
			parsed := b.comparison(key+c.key, c.text)
			*c.into = &parsed
		}
	}
	return out
}

func (b *builder) text(key, text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		b.add(key, "is missing")
	}
	return text
}

func (b *builder) name(key, text string) string {
	if !name.MatchString(text) {
		b.add(key, "%q is no name: want letters, digits, and - _ . between them", text)
	}
	return text
}

// noNeeds is the only need of an expectation that must hold on any machine.
const noNeeds = "none"

// needs returns what an expectation needs of the machine, missing if the file does not
// say.
func (b *builder) needs(key string, words []string, missing []Need) []Need {
	if len(words) == 0 {
		return missing
	}
	if len(words) == 1 && words[0] == noNeeds {
		return nil
	}
	var out []Need
	for i, word := range words {
		if word == noNeeds {
			b.add(fmt.Sprintf("%s.needs[%d]", key, i), "none stands alone")
		}
		out = append(out, Need(b.oneOf(fmt.Sprintf("%s.needs[%d]", key, i), word, needWords()...)))
	}
	return out
}

// takes returns what the faults take from the machine.
func (b *builder) takes(words []string) []Need {
	var out []Need
	for i, word := range words {
		out = append(out, Need(b.oneOf(fmt.Sprintf("takes[%d]", i), word, needWords()...)))
	}
	return out
}

func needWords() []string {
	var words []string
	for _, n := range AllNeeds() {
		words = append(words, string(n))
	}
	return words
}

// oneOf returns text if it is one of some words, and the first word if text is "".
func (b *builder) oneOf(key, text string, words ...string) string {
	if text == "" {
		return words[0]
	}
	if !slices.Contains(words, text) {
		b.add(key, "%q: want one of %s", text, strings.Join(words, ", "))
	}
	return text
}

func (b *builder) comparison(key, text string) Comparison {
	c, err := ParseComparison(text)
	if err != nil {
		b.add(key, "%v", err)
	}
	return c
}

// some returns a length of time that must be there and greater than 0.
func (b *builder) some(key, text string) time.Duration {
	if text == "" {
		b.add(key, "is missing")
		return 0
	}
	known := len(b.wrong)
	d := b.length(key, text, 0)
	if d == 0 && len(b.wrong) == known {
		b.add(key, "%q: want longer than nothing", text)
	}
	return d
}

// length returns a length of time of 0 or more, missing if text is "".
func (b *builder) length(key, text string, missing time.Duration) time.Duration {
	if text == "" {
		return missing
	}
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err == nil && d < 0 {
		err = errors.New("it is negative")
	}
	if err != nil {
		b.add(key, "%s is no length of time: want such as 90s or 1m30s", strconv.Quote(text))
	}
	return d
}
