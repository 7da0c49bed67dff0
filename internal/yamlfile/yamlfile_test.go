package yamlfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type fault struct {
	Kind   string         `yaml:"kind"`
	For    int            `yaml:"for"`
	Params map[string]any `yaml:"params"`
}

type ask struct {
	PromQL string `yaml:"promql"`
}

type drill struct {
	Title  string           `yaml:"title"`
	Story  string           `yaml:"story"`
	Seed   uint64           `yaml:"seed"`
	Small  int8             `yaml:"small"`
	Ratio  *float64         `yaml:"ratio"`
	On     bool             `yaml:"on"`
	Hints  []string         `yaml:"hints"`
	Faults []fault          `yaml:"faults"`
	Named  map[string]fault `yaml:"named"`
	Ask    ask              `yaml:",inline"`
	Any    any              `yaml:"any"`
}

const stray = `this cannot stand here: want "key: value", indented like its neighbours`

func TestDecodeRefuses(t *testing.T) {
	bomb := "any:\n - &a [x,x,x,x,x,x,x,x,x,x]\n"
	for _, name := range []string{"b", "c", "d", "e", "f", "g"} {
		before := string(name[0] - 1)
		bomb += " - &" + name + " [" + strings.Repeat("*"+before+",", 9) + "*" + before + "]\n"
	}
	for text, want := range map[string]string{
		"title: x\nstorey: y":           "d.yaml:2: storey: unknown key; did you mean story?",
		"zzz: 1":                        "d.yaml:1: zzz: unknown key",
		"1: x":                          "d.yaml:1: 1: unknown key",
		"null: x":                       "d.yaml:1: null: unknown key",
		"promqll: x":                    "d.yaml:1: promqll: unknown key; did you mean promql?",
		"faults:\n- {kimd: x}":          "d.yaml:2: faults[0].kimd: unknown key; did you mean kind?",
		"named: {a: {fr: 1}}":           "d.yaml:1: named.a.fr: unknown key; did you mean for?",
		"? a\n: b":                      "d.yaml:1: a: unknown key",
		"hello":                         "d.yaml:1: want a mapping of keys to values, have text",
		"- a":                           "d.yaml:1: want a mapping of keys to values, have a list",
		"seed: x":                       "d.yaml:1: seed: want a whole number, have text",
		"seed: 1.5":                     "d.yaml:1: seed: want a whole number, have 1.5",
		"seed: .inf":                    "d.yaml:1: seed: want a whole number, have .inf",
		"faults: [{for: 2.5}]":          "d.yaml:1: faults[0].for: want a whole number, have 2.5",
		"seed: -1":                      "d.yaml:1: seed: -1 is out of range",
		"seed: true":                    "d.yaml:1: seed: want a whole number, have true or false",
		"seed: [1]":                     "d.yaml:1: seed: want a whole number, have a list",
		"seed: {a: 1}":                  "d.yaml:1: seed: want a whole number, have a mapping of keys to values",
		"small: 300":                    "d.yaml:1: small: 300 is out of range",
		"ratio: x":                      "d.yaml:1: ratio: want a number, have text",
		"on: maybe":                     "d.yaml:1: on: want true or false, have text",
		"on: 1":                         "d.yaml:1: on: want true or false, have a whole number",
		"hints: x":                      "d.yaml:1: hints: want a list, have text",
		"hints: {a: b}":                 "d.yaml:1: hints: want a list, have a mapping of keys to values",
		"hints:\n- [a]":                 "d.yaml:2: hints[0]: want text, have a list",
		"title: {a: b}":                 "d.yaml:1: title: want text, have a mapping of keys to values",
		"faults: [x]":                   "d.yaml:1: faults[0]: want a mapping of keys to values, have text",
		"<<: x":                         "d.yaml:1: <<: want a mapping of keys to values, have text",
		"title: x\ntitle: y":            `d.yaml:2: the key "title" is there twice, first on line 1`,
		"title: [":                      "d.yaml:1: a list that begins with [ has no ]",
		"title: ]":                      "d.yaml:1: there is nothing that this ] closes",
		"title: {":                      "d.yaml:1: a mapping that begins with { has no }",
		"title: 'x":                     "d.yaml:1: a quotation mark is not closed",
		"title: \"x":                    "d.yaml:1: a quotation mark is not closed",
		"\ttitle: x":                    "d.yaml:1: a tab: indent with spaces",
		"title: x\n\tseed: 1":           "d.yaml:2: a tab: indent with spaces",
		"title: a: b":                   "d.yaml:1: " + stray,
		"title: 'a' b":                  "d.yaml:1: " + stray,
		"faults:\n - kind: a\n  for: 1": "d.yaml:3: " + stray,
		"- a\nb: c":                     "d.yaml:2: " + stray,
		"title: @x":                     "d.yaml:1: no text begins with '@': put it in quotation marks",
		"title: `x`":                    "d.yaml:1: no text begins with '`': put it in quotation marks",
		"title: %x":                     "d.yaml:1: no text begins with '%': put it in quotation marks",
		`title: "\q"`:                   `d.yaml:1: an unknown escape behind \: use single quotation marks for text as it is`,
		"title: |x\n a":                 "d.yaml:1: nothing but + or - may follow | and > on their line",
		"%YAML 3\n---\ntitle: b":        "d.yaml:1: only YAML 1.2 can be read",
		"title: &":                      "d.yaml:1: an & or * without a name: put text that begins with it in quotation marks",
		"hints: ! ":                     "d.yaml:1: this cannot be read as YAML",
		"story: x\ntitle: *x":           "d.yaml:2: there is no anchor &x before the alias *x",
		"any: &a [*a]":                  "d.yaml:1: the alias *a is inside of its own anchor",
		bomb:                            "d.yaml:1: more than 200000 values when its aliases are expanded",
		"title: a\n---\ntitle: b":       "d.yaml:2: 2 YAML documents: want one",
		"seed: 1\ntitle: \xfe":          "d.yaml:2: this is not UTF-8 text",
		"any:\n" + strings.Repeat("[", 99) + "\n[":      "d.yaml:3: more than 100 lists and mappings in each other",
		strings.Repeat("- ", 200):                       "d.yaml:1: more than 100 lists and mappings in each other",
		strings.Repeat("{a: ", 200):                     "d.yaml:1: more than 100 lists and mappings in each other",
		strings.Repeat("!a ", 200):                      "d.yaml:1: more than 100 lists and mappings in each other",
		strings.Repeat("&a ", 200):                      "d.yaml:1: more than 100 lists and mappings in each other",
		strings.Repeat("? ", 200):                       "d.yaml:1: more than 100 lists and mappings in each other",
		"any: {" + strings.Repeat("a: b, ", 5000) + "}": "d.yaml:1: more than 5000 keys",
		"title: " + strings.Repeat("x", MaxBytes):       "d.yaml:1: the file is larger than 1048576 bytes",
	} {
		_, err := Decode("d.yaml", []byte(text), new(drill))
		var e *Error
		if !errors.As(err, &e) || err.Error() != want {
			t.Errorf("%.80q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestDecode(t *testing.T) {
	const text = "# drill\ntitle: 5\nseed: 7\nratio: 1\nnamed:\n  b:\n    kind: k\nhints: &h [a, b]\nany: *h\nfaults:\n- kind: x\n  params: {ratio: 0.5}\n"
	var d drill
	doc, err := Decode("d.yaml", []byte(text), &d)
	if err != nil {
		t.Fatal(err)
	}
	if d.Title != "5" || d.Seed != 7 || *d.Ratio != 1 || d.Named["b"].Kind != "k" || fmt.Sprint(d.Any) != "[a b]" || d.Faults[0].Params["ratio"] != 0.5 {
		t.Errorf("%+v", d)
	}
	for key, want := range map[string]int{
		"": 0, "title": 2, "named": 6, "named.b.kind": 7, "named.b.for": 7, "faults[0]": 11, "faults[0].params.ratio": 12,
		"faults[0].for": 11, "faults[7]": 11, "nothing": 0, "a b[": 0,
	} {
		if got := doc.Line(key); got != want {
			t.Errorf("line of %q is %d, want %d", key, got, want)
		}
	}
	if got := doc.Errorf("faults[0].kind", "no such %s", "kind").Error(); got != "d.yaml:11: faults[0].kind: no such kind" {
		t.Error(got)
	}
	if got := doc.Errorf("nothing", "is missing").Error(); got != "d.yaml:1: nothing: is missing" {
		t.Error(got)
	}
	if got := (&Document{File: "f"}).Errorf("a", "b").Error(); got != "f: a: b" {
		t.Error(got)
	}
	if got := (*Document)(nil).Errorf("a", "b").Error(); got != "a: b" {
		t.Error(got)
	}
	for _, empty := range []string{"", "# nothing", "---\n"} {
		if _, err := Decode("d.yaml", []byte(empty), &d); err != nil || d.Title != "" {
			t.Errorf("%q: %v, %+v", empty, err, d)
		}
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.yaml")
	if _, err := Read(path, new(drill)); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("title: x\nstorey: y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path, new(drill)); err == nil || err.Error() != path+":2: storey: unknown key; did you mean story?" {
		t.Errorf("%v", err)
	}
}

func TestDecodeAll(t *testing.T) {
	type object struct {
		Kind string `yaml:"kind"`
	}
	all, err := DecodeAll[object]("o.yaml", []byte("kind: a\nmore: x\n---\nkind: b\n"))
	if err != nil || len(all) != 2 || all[0].Kind != "a" || all[1].Kind != "b" {
		t.Errorf("%v, %v", all, err)
	}
	for text, want := range map[string]string{
		"kind: a\n---\nkind: [b]": "o.yaml:3: kind: want text, have a list",
		"kind: [":                 "o.yaml:1: a list that begins with [ has no ]",
		"kind: *a":                "o.yaml:1: there is no anchor &a before the alias *a",
	} {
		if _, err := DecodeAll[object]("o.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{"", "title: x\nstorey: y", "faults: [{kind: x, for: 1.5}]", "hints: ! ", "any: &a [*a]", "<<: *x", "? [a]\n: b", "title: \"\\q", "---\n---\n", "named: {a: {params: {b: [c]}}}", "any: |\n x\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := Decode("d.yaml", []byte(text), new(drill))
		if err == nil {
			doc.Line("faults[0].kind")
			return
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("%T: %v", err, err)
		}
		if lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1; e.Line < 1 || e.Line > lines+1 {
			t.Errorf("line %d of %d", e.Line, lines)
		}
		for _, never := range []string{"\n", "runtime error", "struct", "Go value", "unmarshal"} {
			if strings.Contains(e.Reason, never) && !strings.Contains(text, never) {
				t.Errorf("%q says %q", e.Reason, never)
			}
		}
	})
}
