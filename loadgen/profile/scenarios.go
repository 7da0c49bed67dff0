package profile

import (
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"firedrill/internal/userfile"
	"firedrill/loadgen/journey"
)

// label matches names that become values of metric labels.
var label = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$`)

// variable matches the names of template variables.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)

// longestLines is the maximum size of a file of data, in bytes.
const longestLines = 64 << 20

func (b *builder) scenarios() error {
	if n := len(b.doc.Scenarios); n == 0 || n > mostScenarios {
		return b.at("scenarios", "%d scenarios: want 1 to %d", n, mostScenarios)
	}
	names, err := b.data()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	b.out.Plan.Variables = len(names)
	for i := range b.doc.Scenarios {
		sc := &b.doc.Scenarios[i]
		key := index("scenarios", i)
		if !label.MatchString(sc.Name) || seen[sc.Name] {
			return b.at(key+".name", "%q: want a name of its own, of letters, digits, dots, dashes and underscores", sc.Name)
		}
		seen[sc.Name] = true
		out, variables, err := b.scenario(sc, key, maps.Clone(names))
		if err != nil {
			return err
		}
		b.out.Plan.Scenarios = append(b.out.Plan.Scenarios, out)
		b.out.Plan.Variables = max(b.out.Plan.Variables, variables)
	}
	b.out.Plan.Seed = b.out.Seed
	if _, err := journey.NewPlan(b.out.Plan); err != nil {
		return b.at("scenarios", "%w", err)
	}
	return nil
}

// data reads the data sources. It gives each a place, in the order of their names.
func (b *builder) data() (journey.Names, error) {
	names := journey.Names{}
	for _, name := range slices.Sorted(maps.Keys(b.doc.Data)) {
		key := "data." + name
		if err := checkVariable(name, names); err != nil {
			return nil, b.at(key, "%w", err)
		}
		source, err := b.source(b.doc.Data[name], key)
		if err != nil {
			return nil, err
		}
		names[name] = len(b.out.Plan.Data)
		b.out.Plan.Data = append(b.out.Plan.Data, source)
	}
	return names, nil
}

func checkVariable(name string, taken journey.Names) error {
	builtin := name == journey.VarSeq || name == journey.VarRun || name == journey.VarUUID
	switch _, known := taken[name]; {
	case !variable.MatchString(name):
		return fmt.Errorf("%q cannot be a variable: want letters, digits and underscores", name)
	case builtin:
		return fmt.Errorf("${%s} is there already", name)
	case known:
		return fmt.Errorf("${%s} is data already", name)
	}
	return nil
}

func (b *builder) source(s source, key string) (journey.Source, error) {
	given := 0
	for _, is := range []bool{len(s.Numbers) > 0, len(s.Choice) > 0, s.Lines != ""} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, b.at(key, "data is one of numbers, choice and lines")
	case s.Format != "" && len(s.Numbers) == 0:
		return nil, b.at(key+".format", "only numbers have a format")
	case s.Lines != "":
		return b.lines(s.Lines, key+".lines")
	case len(s.Choice) > 0:
		return journey.Choice(s.Choice), nil
	}
	if len(s.Numbers) != 2 || s.Numbers[0] > s.Numbers[1] {
		return nil, b.at(key+".numbers", "%v: want [from, to]", s.Numbers)
	}
	if text := fmt.Sprintf(s.Format, s.Numbers[0]); s.Format != "" && strings.Contains(text, "%!") {
		return nil, b.at(key+".format", "%q: want one number in it, such as user-%%04d", s.Format)
	}
	return journey.Numbers{From: s.Numbers[0], To: s.Numbers[1], Format: s.Format}, nil
}

// lines reads a file with one value a line. It skips empty lines.
func (b *builder) lines(path, key string) (journey.Source, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(b.file), path)
	}
	text, err := userfile.Read(path, longestLines)
	if err != nil {
		return nil, b.at(key, "%w", err)
	}
	var values journey.Choice
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			values = append(values, line)
		}
	}
	if len(values) == 0 {
		return nil, b.at(key, "%s has no line with a value", path)
	}
	return values, nil
}

func (b *builder) scenario(sc *scenario, key string, names journey.Names) (journey.Scenario, int, error) {
	out := journey.Scenario{Name: sc.Name, Weight: 1}
	if sc.Weight != nil {
		out.Weight = *sc.Weight
	}
	if !(out.Weight >= 0) {
		return out, 0, b.at(key+".weight", "%g: want 0 or more", out.Weight)
	}
	if (sc.Request == "") == (len(sc.Steps) == 0) {
		return out, 0, b.at(key, "a scenario is either a request or steps")
	}
	if sc.Request != "" {
		st, err := b.step(&step{Request: sc.Request, Headers: sc.Headers, Body: sc.Body, Expect: sc.Expect}, key, names)
		out.Steps = []journey.Step{st}
		return out, len(names), err
	}
	if sc.Headers != nil || sc.Body != "" || sc.Expect.given() {
		return out, 0, b.at(key, "headers, body and expect belong to the steps")
	}
	out.Kind = journey.Journey
	if len(sc.Steps) > mostSteps {
		return out, 0, b.at(key+".steps", "%d steps: want at most %d", len(sc.Steps), mostSteps)
	}
	for i := range sc.Steps {
		st, err := b.journeyStep(sc, i, index(key+".steps", i), names)
		if err != nil {
			return out, 0, err
		}
		out.Steps = append(out.Steps, st)
	}
	return out, len(names), nil
}

func (e expect) given() bool {
	return e.Status != nil || e.Ends != nil || e.Contains != "" || e.JSON != nil
}

// journeyStep reads a step. It adds the variables that the step takes to names.
func (b *builder) journeyStep(sc *scenario, i int, key string, names journey.Names) (journey.Step, error) {
	st := &sc.Steps[i]
	same := func(other step) bool { return other.Name == st.Name }
	if !label.MatchString(st.Name) || slices.ContainsFunc(sc.Steps[:i], same) {
		return journey.Step{}, b.at(key+".name", "%q: want a name of its own, of letters, digits, dots, dashes and underscores", st.Name)
	}
	out, err := b.step(st, key, names)
	if err != nil {
		return out, err
	}
	if st.Think != "" {
		if i == 0 {
			return out, b.at(key+".think", "the first step is due when the journey is")
		}
		if out.Think, err = parseLength(st.Think); err != nil {
			return out, b.at(key+".think", "%w", err)
		}
	}
	if out.Poll, err = b.poll(st.Poll, key+".poll"); err != nil {
		return out, err
	}
	data := len(b.out.Plan.Data)
	for _, name := range slices.Sorted(maps.Keys(st.Take)) {
		place, again := names[name]
		if !again {
			if err := checkVariable(name, names); err != nil {
				return out, b.at(key+".take."+name, "%w", err)
			}
			place = len(names)
			names[name] = place
		}
		if place < data {
			return out, b.at(key+".take."+name, "${%s} is data already", name)
		}
		out.Take = append(out.Take, journey.Take{Path: st.Take[name], Place: place})
	}
	return out, nil
}

func (b *builder) poll(p *poll, key string) (out journey.Poll, err error) {
	if p == nil {
		return out, nil
	}
	r := reader{b: b, key: key}
	out = journey.Poll{
		Every: r.length("every", p.Every), For: r.length("for", p.For),
		Until: matches(p.Until), Unless: matches(p.Unless),
	}
	if len(p.Until) == 0 {
		r.fail("until", "is missing")
	}
	return out, r.err
}

func (b *builder) step(st *step, key string, names journey.Names) (journey.Step, error) {
	out := journey.Step{Name: st.Name, Expect: journey.Expect{
		Status: st.Expect.Status, Ends: st.Expect.Ends, Contains: st.Expect.Contains, JSON: matches(st.Expect.JSON),
	}}
	for _, status := range slices.Concat(st.Expect.Status, st.Expect.Ends) {
		if status < 100 || status > 599 {
			return out, b.at(key+".expect", "%d is no HTTP status", status)
		}
	}
	method, address, ok := strings.Cut(strings.TrimSpace(st.Request), " ")
	address = strings.TrimSpace(address)
	if !ok || address == "" || !slices.Contains(methods(), method) {
		return out, b.at(key+".request", "%q: want a method and a path, such as GET /products", st.Request)
	}
	out.Method = method
	where := key + ".request"
	if strings.HasPrefix(address, "/") {
		where = "target"
		if b.out.Target == "" {
			return out, b.at("target", "is missing, and the request %q does not say where to", st.Request)
		}
		address = b.out.Target + address
	}
	address, err := b.expandEnv(address)
	if err != nil {
		return out, b.at(key+".request", "%w", err)
	}
	to, err := templateAddress(address)
	if err != nil {
		return out, b.at(key+".request", "%w", err)
	}
	b.host(to.Host, where)
	if out.URL, err = journey.Compile(to.URL, names); err != nil {
		return out, b.at(key+".request", "%w", err)
	}
	if out.Body, err = b.template(st.Body, names); err != nil {
		return out, b.at(key+".body", "%w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(st.Headers)) {
		text, err := b.expandEnv(st.Headers[name])
		if err == nil {
			err = checkHeader(name, text)
		}
		if err != nil {
			return out, b.at(key+".headers."+name, "%w", err)
		}
		value, err := journey.Compile(text, names)
		if err != nil {
			return out, b.at(key+".headers."+name, "%w", err)
		}
		out.Header = append(out.Header, journey.Header{Name: name, Value: value})
	}
	out.Header = withDefaults(out.Header, to.Header)
	return withContentType(out, st.Body), nil
}

// withDefaults returns the headers and those of the defaults that they do not have.
func withDefaults(headers, defaults []journey.Header) []journey.Header {
	for _, d := range defaults {
		if !slices.ContainsFunc(headers, func(h journey.Header) bool { return strings.EqualFold(h.Name, d.Name) }) {
			headers = append(headers, d)
		}
	}
	return headers
}

func methods() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
}

// checkHeader refuses a header that is not valid HTTP, or that the generator sets itself.
func checkHeader(name, value string) error {
	if err := checkSyntax(name, value); err != nil {
		return err
	}
	if textproto.CanonicalMIMEHeaderKey(name) == "Traceparent" {
		return fmt.Errorf("every request carries a trace of its own; see trace.share")
	}
	return nil
}

// checkSyntax refuses a header that is not valid HTTP (RFC 9110, section 5), and those that say how a message is framed,
// because a wrong one makes the server wait for a body or take a part of it for the next request.
func checkSyntax(name, value string) error {
	if !token.MatchString(name) {
		return fmt.Errorf("%q is no name of a header", name)
	}
	if strings.ContainsAny(value, "\r\n\x00") {
		return fmt.Errorf("the value of the header %q has a line break or NUL", name)
	}
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding":
		return fmt.Errorf("leave out %s: it follows from the body", name)
	case "Connection":
		if !strings.EqualFold(value, "close") {
			return fmt.Errorf("the header %s can only be \"close\"", name)
		}
	case "Upgrade", "Trailer", "Te", "Expect", "Keep-Alive", "Proxy-Connection":
		return fmt.Errorf("the header %s is the transport's: it cannot be set", name)
	}
	return nil
}

// withContentType adds the header "Content-Type: application/json" if the body looks like
// JSON and the step has no Content-Type.
func withContentType(st journey.Step, body string) journey.Step {
	body = strings.TrimSpace(body)
	if !strings.HasPrefix(body, "{") && !strings.HasPrefix(body, "[") {
		return st
	}
	named := func(h journey.Header) bool { return strings.EqualFold(h.Name, "Content-Type") }
	if !slices.ContainsFunc(st.Header, named) {
		st.Header = append(st.Header, journey.Header{Name: "Content-Type", Value: journey.Literal([]byte("application/json"))})
	}
	return st
}

// matches returns the matches sorted by path, so that the order does not depend on the map.
func matches(m map[string]string) (all []journey.Match) {
	for _, path := range slices.Sorted(maps.Keys(m)) {
		all = append(all, journey.Match{Path: path, Want: m[path]})
	}
	return all
}
