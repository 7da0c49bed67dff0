package firedrill

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// translations maps documents to their translations. Both must have the same commands, links and inline code.
var translations = map[string]string{
	"README.md":        "README.zh-CN.md",
	"docs/workshop.md": "docs/zh-CN/workshop.md",
}

var (
	// comment is a shell comment: # at the beginning of a line or after white space, to the end of the line.
	comment = regexp.MustCompile(`(^|\s)#.*$`)
	// inline is code within a sentence.
	inline = regexp.MustCompile("`[^`\n]+`")
	// link is a Markdown link; its groups are the path, and the heading after "#".
	link = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]+))?\)`)
	// heading is the text of a heading.
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	// unanchored matches what a heading's anchor omits.
	unanchored = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// commands returns the command lines of a Markdown text in order, without comments and blank lines. They are in
// blocks fenced as sh and in blocks indented by four spaces. Other fenced blocks are diagrams or data and are
// ignored.
func commands(markdown string) []string {
	var found []string
	fence, blankBefore, indented := "", true, false
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, " \t\r\n")
		isCode := false
		switch {
		case strings.HasPrefix(line, "```"):
			if fence == "" {
				fence = line
			} else {
				fence = ""
			}
		case fence != "":
			isCode = fence == "```sh"
		default:
			// An indented block follows a blank line. Otherwise it belongs to the paragraph or list item above
			// it.
			indented = strings.HasPrefix(line, "    ") && (indented || blankBefore) || line == "" && indented
			isCode = indented
		}
		blankBefore = line == ""
		if code := strings.TrimSpace(comment.ReplaceAllString(line, "")); isCode && code != "" {
			found = append(found, code)
		}
	}
	return found
}

// inlineCode returns the distinct pieces of inline code in the sentences of a Markdown text, sorted.
func inlineCode(markdown string) []string {
	var sentences strings.Builder
	inFence := false
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(line, "```") {
			inFence = !inFence
		} else if !inFence {
			sentences.WriteString(line)
		}
	}
	found := inline.FindAllString(sentences.String(), -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// differences returns how the code of a translation differs from that of the original, or "" if it is the same.
func differences(original, translation string) string {
	return cmp.Diff(commands(original), commands(translation)) + cmp.Diff(inlineCode(original), inlineCode(translation))
}

func TestTranslationsHaveTheSameCommands(t *testing.T) {
	for original, translation := range translations {
		text := map[string]string{}
		for _, file := range []string{original, translation} {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text[file] = string(content)
			if n := len(commands(text[file])); n < 5 {
				t.Errorf("%s: found %d command lines, want at least 5", file, n)
			}
		}
		if diff := differences(text[original], text[translation]); diff != "" {
			t.Errorf("%s and %s have different commands (-original +translation):\n%s", original, translation, diff)
		}
	}
}

func TestDifferences(t *testing.T) {
	const original = "Start it:\n\n```sh\nmake up      # everything\n\nmake down\n```\n\nOr `make status`:\n\n    firedrill status\n"
	for _, tc := range []struct {
		name, translation string
		same              bool
	}{
		{"the same", original, true},
		{"other words and comments", "启动：\n\n```sh\nmake up # 全部组件\nmake down\n```\n\n或者 `make status`：\n\n    firedrill status   # 状态\n", true},
		{"a diagram", "启动：\n```\n你\n```\n" + strings.TrimPrefix(original, "Start it:\n"), true},
		{"another flag", strings.Replace(original, "make up ", "make up LOAD=off ", 1), false},
		{"another order", "```sh\nmake down\nmake up\n```\n\nOr `make status`:\n\n    firedrill status\n", false},
		{"a command less in a fence", strings.Replace(original, "make down\n", "", 1), false},
		{"a command less in an indented block", strings.Replace(original, "    firedrill status\n", "", 1), false},
		{"a command that became a comment", strings.Replace(original, "make down", "# make down", 1), false},
		{"another command in a sentence", strings.Replace(original, "`make status`", "`make ui`", 1), false},
	} {
		if diff := differences(original, tc.translation); (diff == "") != tc.same {
			t.Errorf("%s: differences %q, want none: %v", tc.name, diff, tc.same)
		}
	}
}

func TestCommands(t *testing.T) {
	const text = "1. A list\n    that goes on.\n\n    first --flag '#1'   # why\n\n    second\ntext\n```yaml\na: b\n```\n```sh\ncurl x \\\n  -d y#z\n```\n"
	want := []string{"first --flag '#1'", "second", `curl x \`, "-d y#z"}
	if diff := cmp.Diff(want, commands(text)); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

// runbookSections lists the headings of every runbook, in order.
var runbookSections = []string{"What it means", "What users notice", "Where to look", "What to do", "When it is over"}

// runbookProblems returns what a runbook lacks: the alert's name as title, when the alert fires, and every
// section with at least one sentence.
func runbookProblems(alert, markdown string) []string {
	var problems []string
	if !strings.HasPrefix(markdown, "# "+alert+"\n\nFires when: ") {
		problems = append(problems, `does not begin with the alert's name and "Fires when: "`)
	}
	var headings []string
	for i, part := range strings.Split("\n"+markdown, "\n## ")[1:] {
		title, content, _ := strings.Cut(part, "\n")
		headings = append(headings, title)
		if len(strings.TrimSpace(content)) < len("Nothing.") {
			problems = append(problems, "section "+strconv.Itoa(i+1)+" has no text")
		}
	}
	if diff := cmp.Diff(runbookSections, headings); diff != "" {
		problems = append(problems, "sections (-want +got):\n"+diff)
	}
	return problems
}

func TestRunbooksHaveAllSections(t *testing.T) {
	files, err := filepath.Glob("docs/runbooks/*.md")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d runbooks (%v)", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range runbookProblems(strings.TrimSuffix(filepath.Base(file), ".md"), string(text)) {
			t.Errorf("%s: %s", file, problem)
		}
	}
}

func TestRunbookProblems(t *testing.T) {
	good := "# Down\n\nFires when: it is down.\n"
	for _, section := range runbookSections {
		good += "\n## " + section + "\n\nSome text.\n"
	}
	for _, tc := range []struct {
		name, text string
		problems   int
	}{
		{"complete", good, 0},
		{"another title", strings.Replace(good, "# Down", "# Up", 1), 1},
		{"not when it fires", strings.Replace(good, "Fires when", "When", 1), 1},
		{"a section is missing", strings.Replace(good, "## When it is over\n", "", 1), 1},
		{"a section is empty", strings.Replace(good, "## What to do\n\nSome text.", "## What to do\n", 1), 1},
		{"empty", "", 2},
	} {
		if got := runbookProblems("Down", tc.text); len(got) != tc.problems {
			t.Errorf("%s: got problems %q, want %d", tc.name, got, tc.problems)
		}
	}
}

// anchors returns the anchors of a text's headings, as GitHub creates them.
func anchors(markdown string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(markdown, -1) {
		found[strings.ReplaceAll(unanchored.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-")] = true
	}
	return found
}

// deadLinks returns the links of a document to files or headings that do not exist. It does not check links to
// other sites. files maps paths to the texts of documents; a text is "" for files that are not documents.
func deadLinks(file string, files map[string]string) []string {
	var dead []string
	for _, match := range link.FindAllStringSubmatch(files[file], -1) {
		target, anchor := match[1], match[2]
		if strings.Contains(target, ":") {
			continue
		}
		path := file
		if target != "" {
			path = filepath.Join(filepath.Dir(file), target)
		}
		text, isDocument := files[path]
		if _, err := os.Stat(path); err != nil && !isDocument || anchor != "" && !anchors(text)[anchor] {
			dead = append(dead, match[0])
		}
	}
	return dead
}

func TestLinksLeadSomewhere(t *testing.T) {
	files := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "telemetry/*.md", "telemetry/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			files[file] = string(text)
		}
	}
	if len(files) < 40 {
		t.Errorf("found %d documents, want at least 40", len(files))
	}
	for file := range files {
		for _, dead := range deadLinks(file, files) {
			t.Errorf("%s: %s leads nowhere", file, dead)
		}
	}
}

func TestDeadLinks(t *testing.T) {
	files := map[string]string{
		"docs/b.md": "# The second\n\n## What's in it: 2 things\n",
		"docs/a.md": "[b](b.md) [in it](b.md#whats-in-it-2-things) [self](#first) [code](../docs_test.go) [site](https://example.org/x#y)\n\n# First\n",
	}
	if dead := deadLinks("docs/a.md", files); len(dead) != 0 {
		t.Errorf("dead links %q, want none", dead)
	}
	files["docs/a.md"] = "[gone](gone.md) [in it](b.md#nothing) [self](#second) [code](docs_test.go)\n\n# First\n"
	if dead := deadLinks("docs/a.md", files); len(dead) != 4 {
		t.Errorf("dead links %q, want all 4", dead)
	}
}
