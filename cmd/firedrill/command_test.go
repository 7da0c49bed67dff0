package main

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"firedrill/internal/cli"
)

// report prints an error as run does and returns the exit code.
func report(name string, err error, stderr io.Writer) int {
	return cli.Report("firedrill "+name, err, stderr)
}

// testTree returns the command tree with the commands that cobra adds.
func testTree() *cobra.Command {
	root := program{getenv: noEnv, stdout: io.Discard, stderr: io.Discard}.tree()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	return root
}

// walk calls do for cmd and all commands below it.
func walk(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, child := range cmd.Commands() {
		walk(child, do)
	}
}

func TestMisuseOfCommands(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"statsu", `firedrill: unknown command: "statsu"; did you mean "status"?; see "firedrill --help"`},
		{"drill explode", `firedrill drill: unknown command: "explode"; see "firedrill drill --help"`},
		{"drill rum", `firedrill drill: unknown command: "rum"; did you mean "run"?; see "firedrill drill --help"`},
		{"up extra", `firedrill up: unexpected argument: "extra"; see "firedrill up --help"`},
		{"up --nonsense", `firedrill up: unknown flag: --nonsense; see "firedrill up --help"`},
		{"up -nonsense", `firedrill up: unknown flag: --nonsense; see "firedrill up --help"`},
		{"up --data", `firedrill up: flag needs an argument: --data; see "firedrill up --help"`},
		{"up --offset x", `firedrill up: invalid argument "x" for "--offset" flag: want a whole number; see "firedrill up --help"`},
		{"status -o yaml", `firedrill status: invalid argument "yaml" for "-o, --output" flag: want text or json; see "firedrill status --help"`},
		{"restart", `firedrill restart: missing argument: COMPONENT; see "firedrill restart --help"`},
		{"restart a b", `firedrill restart: unexpected argument: "b"; see "firedrill restart --help"`},
		{"logs", `firedrill logs: missing argument: COMPONENT; see "firedrill logs --help"`},
		{"capacity limit", `firedrill capacity limit: missing argument: PROGRAM; see "firedrill capacity limit --help"`},
		{"slo import", `firedrill slo import: missing argument: FILE; see "firedrill slo import --help"`},
		{"slo tune --months 0", `firedrill slo tune: --months 0: want 1 or more`},
		{"bench-stack --cycles 0", `firedrill bench-stack: --cycles and --idle must be greater than 0`},
		{"drill show", `firedrill drill show: missing argument: NAME; see "firedrill drill show --help"`},
		{"drill run", `firedrill drill run: missing argument: NAME; see "firedrill drill run --help"`},
		{"load compare a.json", `firedrill load compare: missing argument: B.json; see "firedrill load compare --help"`},
		{"load a.yaml b.yaml", `firedrill load: unexpected argument: "b.yaml"; see "firedrill load --help"`},
		{"load merge", `firedrill load merge: missing argument: RESULT.json; see "firedrill load merge --help"`},
		{"entry --write nowhere", `firedrill entry: --write "nowhere": want http://host:port`},
	} {
		code, stdout, stderr := firedrill(t.Context(), strings.Fields(tc.args)...)
		if code != exitMisuse || stdout != "" || stderr != tc.want+"\n" {
			t.Errorf("firedrill %s: exit %d, printed %q and\n%swant exit 2 and\n%s", tc.args, code, stdout, stderr, tc.want)
		}
	}
}

func TestHelpGroupsCommands(t *testing.T) {
	code, stdout, stderr := firedrill(t.Context(), "help")
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{
		`Run the stack and the shop:\n(  .*\n)*  up `, `Look at them:\n(  .*\n)*  status `, `Drive and measure load:\n(  .*\n)*  load `,
		`Objectives and alerts:\n(  .*\n)*  slo `, `Drills:\n(  .*\n)*  drill `, `Other commands:\n(  .*\n)*  version `,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("the help does not match %s:\n%s", want, stdout)
		}
	}
}

// Every command and every flag has a description.
func TestCommandsAreDescribed(t *testing.T) {
	short := map[string]bool{"o": true, "f": true, "n": true, "h": true}
	walk(testTree(), func(c *cobra.Command) {
		if c.Short == "" || c.Long == "" && c.Example == "" {
			t.Errorf("%s has no summary, or neither a description nor an example", c.CommandPath())
		}
		c.InitDefaultHelpFlag()
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no usage text", c.CommandPath(), f.Name)
			}
			if f.Shorthand != "" && !short[f.Shorthand] {
				t.Errorf("%s --%s has the short form -%s; only -o, -f, -n and -h are used", c.CommandPath(), f.Name, f.Shorthand)
			}
			if len(f.Name) == 1 {
				t.Errorf("%s has a flag of one letter, --%s", c.CommandPath(), f.Name)
			}
		})
	})
}

func TestCompletion(t *testing.T) {
	for shell, want := range map[string]string{"bash": "__start_firedrill", "zsh": "#compdef firedrill", "fish": "complete -c firedrill"} {
		if code, stdout, stderr := firedrill(t.Context(), "completion", shell); code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("completion %s: exit %d, no %q in %d bytes: %s", shell, code, want, len(stdout), stderr)
		}
	}
	for _, tc := range []struct{ args, want string }{
		{"restart or", "orders\n"},
		{"logs --data /nowhere lo", "loki\n"},
		{"drill run total", "total-outage\tEvery page is an error\n"},
		{"drill show cont", "control\t"},
		{"load ../../loadgen/profiles/sm", "smoke.yaml\n"},
		{"capacity limit lo", "loki\n"},
		{"slo generate --policy work", "workbook\n"},
		{"status -o js", "json\n"},
		{"dril", "drill\t"},
	} {
		code, stdout, stderr := sloCommand(t, append([]string{"__complete"}, strings.Fields(tc.args)...)...)
		if code != 0 || !strings.Contains(stdout, tc.want) {
			t.Errorf("complete %q: exit %d, no %q in\n%s%s", tc.args, code, tc.want, stdout, stderr)
		}
	}
}

// Commands that can run here print only JSON with -o json.
func TestOutputAsJSON(t *testing.T) {
	url, _ := target(t, nil)
	profile, saved := profileFor(t, url, tolerant), filepath.Join(t.TempDir(), "r.json")
	for _, tc := range []struct {
		args []string
		code int
	}{
		{[]string{"status"}, exitFailed}, // nothing runs
		{[]string{"version"}, 0},
		{[]string{"capacity", "plan"}, 0},
		{[]string{"slo", "explain"}, 0},
		{[]string{"slo", "sim", "--quick", "--sets", "firedrill"}, 0},
		{[]string{"drill", "list"}, 0},
		{[]string{"drill", "show", "control"}, 0},
		{[]string{"load", "--save", saved, profile}, 0},
		{[]string{"load", "merge", saved}, 0},
	} {
		for _, format := range [][]string{{"-o", "json"}, {"-json"}} {
			args := append(tc.args, format...)
			code, stdout, stderr := sloCommand(t, args...)
			if code != tc.code || !json.Valid([]byte(stdout)) {
				t.Errorf("firedrill %v: exit %d, want %d; printed\n%s%s", args, code, tc.code, stdout, stderr)
			}
		}
	}
}

// resultless returns the commands that print no result: they change something, serve, or write files in a
// format of their own.
func resultless() map[string]bool {
	all := map[string]bool{}
	for _, path := range strings.Split("down,reset,restart,build,logs,ui,console,notifications,entry,slo generate,slo import,slo backfill,"+
		"drill export,drill watchdog,drill hint,drill guess,drill stop", ",") {
		all["firedrill "+path] = true
	}
	return all
}

func TestCommandsWithAResultHaveOutput(t *testing.T) {
	without := resultless()
	walk(program{getenv: noEnv, stdout: io.Discard, stderr: io.Discard}.tree(), func(c *cobra.Command) {
		isGroup := c.HasSubCommands() && c.Name() != "load"
		if has := c.Flags().Lookup("json") != nil; !isGroup && has == without[c.CommandPath()] {
			t.Errorf("%s has --output json: %v", c.CommandPath(), has)
		}
	})
}

// Commands and flags in README and docs exist.
func TestDocumentedCommandsParse(t *testing.T) {
	files := []string{"../../README.md"}
	err := filepath.WalkDir("../../docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range documented(string(text)) {
			found++
			if err := parses(line); err != nil {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d command lines were found", found)
	}
}

var (
	commandInLine  = regexp.MustCompile(`(?m)^(?:    |\$ )?(?:[A-Z_]+=\S+ )*(?:sleep \d+; )?(?:\.bin/)?firedrill ([a-z-].*)$`)
	commandInTicks = regexp.MustCompile("`(?:\\.bin/)?firedrill ([a-z-][^`]*)`")
)

// documented returns the arguments of firedrill in lines of code and between backquotes.
func documented(text string) []string {
	var lines []string
	for _, expression := range []*regexp.Regexp{commandInLine, commandInTicks} {
		for _, match := range expression.FindAllStringSubmatch(text, -1) {
			lines = append(lines, match[1])
		}
	}
	return lines
}

// word matches a word of a shell's command line, quoted or not. "#", "|", ">" and "&" end the command.
var word = regexp.MustCompile(`'[^']*'|"[^"]*"|[^\s'"]+`)

// parses finds the command of a line and parses its flags. Long flags with a single dash are not accepted here.
func parses(line string) error {
	var args []string
	for _, w := range word.FindAllString(line, -1) {
		if strings.ContainsAny(w[:1], "#|>&;") {
			break
		}
		args = append(args, strings.Trim(w, `'"`))
	}
	if before, _, described := strings.Cut(line, "   "); described && !strings.Contains(before, "#") {
		args = strings.Fields(before) // in a list, the text after the command describes it
	}
	cmd, rest, err := testTree().Find(args)
	if err != nil {
		return err
	}
	if cmd.HasSubCommands() && cmd.Name() != "load" && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return cli.Misuse("no command %q", rest[0])
	}
	cmd.InitDefaultHelpFlag()
	return cmd.ParseFlags(rest)
}

func TestParses(t *testing.T) {
	for line, good := range map[string]bool{
		"up --data x": true, "up -data x": false, "up --nonsense": false, "nonsense": false, "drill nonsense": false,
		"drill list     the drills": true, `load --threshold "p99 < 1s" a.yaml  # why`: true, "slo generate my.yaml > x": true,
	} {
		if err := parses(line); (err == nil) != good {
			t.Errorf("%s: %v", line, err)
		}
	}
}
