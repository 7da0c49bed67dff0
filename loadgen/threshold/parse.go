package threshold

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// SyntaxError is an error in an expression, with its position.
type SyntaxError struct {
	Text    string // the whole expression
	Column  int    // in characters, from 1
	Message string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("threshold %q, column %d: %s", e.Text, e.Column, e.Message)
}

// Parse parses an expression; see the package for the syntax. The error is a *SyntaxError.
func Parse(text string) (Threshold, error) {
	p := parser{text: text}
	t, err := p.expression()
	if err != nil {
		return Threshold{}, err
	}
	t.text = text
	return t, nil
}

// parser parses text; at is the current position in bytes.
type parser struct {
	text string
	at   int
}

func (p *parser) errorAt(at int, format string, args ...any) error {
	return &SyntaxError{Text: p.text, Column: p.column(at), Message: fmt.Sprintf(format, args...)}
}

func (p *parser) column(at int) int { return utf8.RuneCountInString(p.text[:at]) + 1 }

func (p *parser) expression() (Threshold, error) {
	var t Threshold
	p.space()
	for {
		begin := p.at
		word := p.word()
		selector, isSelector := map[string]*name{
			"scenario": &t.scenario, "journey": &t.journey, "step": &t.step, "stage": &t.stage,
		}[word]
		var err error
		switch {
		case isSelector && selector.column > 0:
			err = p.errorAt(begin, "%s comes twice", word)
		case isSelector:
			err = p.selector(word, selector)
		case word == "response" || word == "service" || word == "lag":
			if t.latency != "" {
				err = p.errorAt(begin, "a latency comes twice")
			} else if t.latency = word; !p.accept(".") {
				err = p.errorAt(p.at, `"." and a metric must follow %s, as in %s.p99`, word, word)
			}
		default:
			return p.comparison(t, word, begin)
		}
		if err != nil {
			return t, err
		}
	}
}

// selector parses ".name." into n.
func (p *parser) selector(kind string, n *name) error {
	if !p.accept(".") {
		return p.errorAt(p.at, `"." and a name must follow %s, as in %s.NAME.p99`, kind, kind)
	}
	n.column = p.column(p.at)
	begin := p.at
	if strings.HasPrefix(p.text[p.at:], `"`) {
		quoted, err := strconv.QuotedPrefix(p.text[p.at:])
		if err != nil {
			return p.errorAt(begin, "the quoted name does not end")
		}
		n.text, _ = strconv.Unquote(quoted) // cannot fail for a quoted prefix
		p.at += len(quoted)
	} else {
		n.text = p.word()
	}
	if n.text == "" {
		return p.errorAt(begin, "the name of a %s is missing", kind)
	}
	if !p.accept(".") {
		return p.errorAt(p.at, `"." and a metric must follow the name of a %s`, kind)
	}
	return nil
}

// comparison parses everything after the name of the metric.
func (p *parser) comparison(t Threshold, word string, begin int) (Threshold, error) {
	if err := p.metric(&t, word, begin); err != nil {
		return t, err
	}
	if err := p.agree(t, begin); err != nil {
		return t, err
	}
	p.space()
	for _, op := range []string{"<=", ">=", "<", ">"} {
		if t.op == "" && p.accept(op) {
			t.op = op
		}
	}
	if t.op == "" {
		return t, p.errorAt(p.at, "one of < <= > >= must follow the metric")
	}
	p.space()
	return t, p.limit(&t)
}

const metrics = "p50, p99.9 and the like, min, mean, max, errors, rate, count"

func (p *parser) metric(t *Threshold, word string, begin int) error {
	switch word {
	case "":
		return p.errorAt(begin, "a metric is missing: %s", metrics)
	case "min", "mean", "max", "errors", "rate", "count":
		t.metric = word
		return nil
	}
	digits, isQuantile := strings.CutPrefix(word, "p")
	if isQuantile && p.accept(".") {
		digits += "." + p.word()
	}
	quantile, err := strconv.ParseFloat(digits, 64)
	if !isQuantile || err != nil || strings.Trim(digits, "0123456789.") != "" || quantile > 100 {
		return p.errorAt(begin, "unknown metric %q; there is %s", p.text[begin:p.at], metrics)
	}
	t.metric, t.quantile = "quantile", quantile
	return nil
}

// agree returns an error for combinations without a meaning.
func (p *parser) agree(t Threshold, at int) error {
	isLatency := t.metric != "errors" && t.metric != "rate" && t.metric != "count"
	switch {
	case !isLatency && t.latency != "":
		return p.errorAt(at, "%s is not a metric of a latency", t.metric)
	case t.journey.column > 0 && (t.scenario.column > 0 || t.step.column > 0):
		return p.errorAt(at, "a journey is measured whole; say scenario for its requests")
	case t.journey.column > 0 && t.latency != "" && t.latency != "response":
		return p.errorAt(at, "a journey has no %s, only response", t.latency)
	}
	return nil
}

// limit parses the rest of the text as a value in the unit of the metric.
func (p *parser) limit(t *Threshold) error {
	begin := p.at
	text := strings.TrimRight(p.text[begin:], " \t")
	if text == "" {
		return p.errorAt(begin, "a value is missing, as %s", unitExample(t.metric))
	}
	number, scale := text, 1.0
	switch t.metric {
	case "errors":
		if bare, percent := strings.CutSuffix(text, "%"); percent {
			number, scale = bare, 0.01
		}
	case "rate":
		number = strings.TrimSuffix(text, "/s")
	case "count":
	default:
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return p.errorAt(begin, "%q is not a duration, as 300ms or 1.5s", text)
		}
		t.limit = float64(d)
		return nil
	}
	number = strings.TrimRight(number, " \t")
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "0123456789.eE+-") != "" || value < 0 {
		return p.errorAt(begin, "%q is not a value of %s, as %s", text, t.metric, unitExample(t.metric))
	}
	if t.limit = value * scale; t.metric == "errors" && t.limit > 1 {
		return p.errorAt(begin, "%q is more than all; did you mean %s%%?", text, number)
	}
	return nil
}

func unitExample(metric string) string {
	switch metric {
	case "errors":
		return "0.1%"
	case "rate":
		return "200/s"
	case "count":
		return "1000"
	}
	return "300ms"
}

func (p *parser) space() {
	for p.accept(" ") || p.accept("\t") {
	}
}

func (p *parser) accept(token string) bool {
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

// word parses letters, digits, "_" and "-".
func (p *parser) word() string {
	begin := p.at
	for p.at < len(p.text) && isWord(p.text[p.at]) {
		p.at++
	}
	return p.text[begin:p.at]
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
