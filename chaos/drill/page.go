package drill

import (
	_ "embed" // for the template of the page
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"time"

	"firedrill/apps/fault/kinds"
)

//go:embed page.md.tmpl
var pageTemplate string

// WritePage writes the documentation of drills with these kinds of faults, in
// Markdown. Keys and kinds come from where they are defined.
func WritePage(w io.Writer, kinds []kinds.Kind) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"keys":    keysTable,
		"default": defaultOf,
		"values":  rangeOf,
		"join":    strings.Join,
	}).Parse(pageTemplate)
	if err == nil {
		err = t.Execute(w, map[string]any{"Kinds": kinds})
	}
	if err != nil {
		return fmt.Errorf("write the page of drills: %w", err)
	}
	return nil
}

// sections returns the types that the page has tables for, by their names in the
// template.
func sections() map[string]reflect.Type {
	return map[string]reflect.Type{
		"drill": reflect.TypeFor[document](), "answer": reflect.TypeFor[answer](), "load": reflect.TypeFor[load](),
		"probe": reflect.TypeFor[probe](), "fault": reflect.TypeFor[faultDoc](), "expect": reflect.TypeFor[expect](),
		"alert": reflect.TypeFor[alertDoc](), "outage": reflect.TypeFor[outage](), "trace": reflect.TypeFor[traceDoc](),
		"culprit": reflect.TypeFor[culprit](), "log": reflect.TypeFor[logDoc](), "metric": reflect.TypeFor[metricDoc](),
	}
}

// keysTable returns a table of the keys of a section.
func keysTable(part string) (string, error) {
	t, known := sections()[part]
	if !known {
		return "", fmt.Errorf("a drill has no part %q", part)
	}
	var b strings.Builder
	b.WriteString("| key | | meaning |\n| --- | --- | --- |")
	for _, k := range keysOf(t) {
		what := k.tag.Get("form")
		if words := k.tag.Get("one"); words != "" {
			what = "`" + strings.Join(strings.Fields(words), "` `") + "`"
		}
		if k.needed() {
			what = strings.TrimSpace("needed " + what)
		}
		fmt.Fprintf(&b, "\n| `%s` | %s | %s |", k.name, what, strings.ReplaceAll(k.tag.Get("doc"), "|", `\|`))
	}
	return b.String(), nil
}

func defaultOf(p kinds.Param) string {
	switch p.Default {
	case nil:
		return "needed"
	case "":
		return ""
	}
	return "`" + plain(p.Default) + "`"
}

// plain returns a value without an exponent.
func plain(v any) string {
	if number, ok := v.(float64); ok {
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// rangeOf returns in words what values a parameter takes.
func rangeOf(p kinds.Param) string {
	switch {
	case p.OneOf != nil:
		var words []string
		for _, v := range p.OneOf {
			words = append(words, "`"+plain(v)+"`")
		}
		return strings.Join(words, " ")
	case p.Type == kinds.Number || p.Type == kinds.Integer:
		return strings.TrimSpace(fmt.Sprintf("%s to %s %s", plain(p.Min), plain(p.Max), p.Unit))
	case p.Type == kinds.Duration:
		return fmt.Sprintf("%s to %s", lengthOf(p.Min), lengthOf(p.Max))
	}
	return "text"
}

// lengthOf returns a length of time, given in seconds, in tenths of a second.
func lengthOf(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond)
}
