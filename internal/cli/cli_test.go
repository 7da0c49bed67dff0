package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// sample returns a small program. "sample copy [-o] [--data DIR] [-f] FILE" prints its arguments; "sample old
// show" has a flag set.
func sample(stdout io.Writer, failure error) *cobra.Command {
	root := Root(&cobra.Command{Use: "sample COMMAND", Version: "v1"}, &cobra.Group{ID: "things", Title: "Things:"})
	cp := &cobra.Command{Use: "copy FILE", Short: "Copy a file", GroupID: "things", Args: Args("FILE", "[FILE]")}
	data := cp.Flags().String("data", "", "`folder`")
	follow := cp.Flags().BoolP("follow", "f", false, "go on")
	output := AddOutput(cp)
	cp.RunE = func(_ *cobra.Command, args []string) error {
		got := map[string]any{"args": args, "data": *data, "follow": *follow}
		if failure != nil {
			return failure
		}
		return output.Write(stdout, got, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, args, *data, *follow)
			return err
		})
	}
	root.AddCommand(cp, Group(&cobra.Command{Use: "old COMMAND", Short: "Old commands"}, flagSetCommand(stdout)))
	return root
}

// flagSetCommand has the flags of a function that uses the flag package, and prints its arguments.
func flagSetCommand(stdout io.Writer) *cobra.Command {
	fs := flag.NewFlagSet("old show", flag.ContinueOnError)
	fs.String("o", "", "`file` to write to")
	fs.Bool("json", false, "print JSON")
	fs.Int("n", 3, "`number` of lines")
	fs.Func("header", "`header`; may be repeated", func(string) error { return nil })
	return FromFlagSet("old show [flags] NAME…\n\nShows things.", "Show things", fs, func(_ context.Context, args []string) error {
		fmt.Fprintln(stdout, strings.Join(args, " "))
		return nil
	})
}

func runSample(t *testing.T, failure error, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Program{Root: sample(&out, failure), Stdout: &out, Stderr: &errs, Misuse: []error{io.ErrNoProgress}}.Run(t.Context(), args)
	return code, out.String(), errs.String()
}

func TestMisuse(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"cpy"}, `sample: unknown command: "cpy"; did you mean "copy"?; see "sample --help"`},
		{[]string{"nothing-like-it"}, `sample: unknown command: "nothing-like-it"; see "sample --help"`},
		{[]string{"old", "shwo"}, `sample old: unknown command: "shwo"; did you mean "show"?; see "sample old --help"`},
		{[]string{"copy"}, `sample copy: missing argument: FILE; see "sample copy --help"`},
		{[]string{"copy", "a", "b", "c"}, `sample copy: unexpected argument: "c"; see "sample copy --help"`},
		{[]string{"copy", "--dta", "x", "a"}, `sample copy: unknown flag: --dta; see "sample copy --help"`},
		{[]string{"copy", "-dta", "x", "a"}, `sample copy: unknown flag: --dta; see "sample copy --help"`},
		{[]string{"copy", "a", "-data"}, `sample copy: flag needs an argument: --data; see "sample copy --help"`},
		{[]string{"copy", "-o", "xml", "a"}, `sample copy: invalid argument "xml" for "-o, --output" flag: want text or json; see "sample copy --help"`},
		{[]string{"old", "show"}, `sample old show: missing argument: NAME; see "sample old show --help"`},
		{[]string{"old", "show", "-n", "x", "a"}, `sample old show: invalid argument "x" for "-n, --n" flag: parse error; see "sample old show --help"`},
	} {
		code, stdout, stderr := runSample(t, nil, tc.args...)
		if code != ExitMisuse || stdout != "" || stderr != tc.want+"\n" {
			t.Errorf("%v: exit %d, printed %q and\n%s, want\n%s", tc.args, code, stdout, stderr, tc.want)
		}
	}
}

func TestWithoutACommandHelpIsPrinted(t *testing.T) {
	code, stdout, stderr := runSample(t, nil)
	if code != ExitMisuse || stdout != "" || !strings.Contains(stderr, "Things:\n  copy        Copy a file\n") ||
		!strings.HasSuffix(stderr, "sample: missing argument: COMMAND; see \"sample --help\"\n") {
		t.Errorf("exit %d, printed %q and %s", code, stdout, stderr)
	}
	for _, args := range [][]string{{"old", "help"}, {"help", "old"}, {"old", "-h"}, {"old", "--help"}, {"old", "-help"}} {
		code, stdout, stderr := runSample(t, nil, args...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "  show        Show things\n") {
			t.Errorf("%v: exit %d, printed %s and %q", args, code, stdout, stderr)
		}
	}
	if code, stdout, _ := runSample(t, nil, "--version"); code != 0 || stdout != "sample version v1\n" {
		t.Errorf("--version: exit %d, printed %q", code, stdout)
	}
}

func TestErrorsAndExitCodes(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		code int
		want string
	}{
		{"failure", errors.New("no"), ExitFailed, "sample copy: no\n"},
		{"shown already", ErrQuiet, ExitFailed, ""},
		{"misuse", Misuse("--data %q: %w", "x", errors.New("no")), ExitMisuse, "sample copy: --data \"x\": no\n"},
		{"misuse, wrapped", fmt.Errorf("%w: no", ErrMisuse), ExitMisuse, "sample copy: no\n"},
		{"misuse, joined", errors.Join(fmt.Errorf("%w: no", ErrMisuse), fmt.Errorf("%w: nor", ErrMisuse)), ExitMisuse, "sample copy: no\nnor\n"},
		{"misuse of another package", fmt.Errorf("settings: %w", io.ErrNoProgress), ExitMisuse, "sample copy: settings: " + io.ErrNoProgress.Error() + "\n"},
		{"invalid", Invalid(errors.New("no")), ExitInvalid, "sample copy: no\n"},
		{"invalid, wrapped", fmt.Errorf("run: %w", Invalid(errors.New("no"))), ExitInvalid, "sample copy: run: no\n"},
		{"interrupted", fmt.Errorf("run: %w", context.Canceled), ExitFailed, "sample copy: interrupted\n"},
	} {
		code, _, stderr := runSample(t, tc.err, "copy", "a")
		if code != tc.code || stderr != tc.want {
			t.Errorf("%s: exit %d, %q, want %d, %q", tc.name, code, stderr, tc.code, tc.want)
		}
	}
	if !errors.Is(Misuse("no"), ErrMisuse) || errors.Is(Invalid(errors.New("no")), ErrMisuse) {
		t.Error("only misuse is ErrMisuse")
	}
}

func TestOutput(t *testing.T) {
	for _, format := range [][]string{{"-o", "json"}, {"-ojson"}, {"--output=json"}, {"--json"}, {"-json"}} {
		code, stdout, stderr := runSample(t, nil, append([]string{"copy", "a"}, format...)...)
		var got struct {
			Args []string `json:"args"`
		}
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || stderr != "" || !slices.Equal(got.Args, []string{"a"}) {
			t.Errorf("%v: exit %d, %v, %s%s", format, code, err, stdout, stderr)
		}
	}
	if _, stdout, _ := runSample(t, nil, "copy", "a", "-o", "text"); stdout != "[a]  false\n" {
		t.Errorf("text: %q", stdout)
	}
}

func TestDoubleDashes(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"copy -data x a", "copy --data x a"},
		{"copy -data=x a", "copy --data=x a"},
		{"copy --data -data a", "copy --data -data a"}, // a value
		{"copy -f -data x", "copy -f --data x"},
		{"copy -follow a", "copy --follow a"},
		{"copy -fojson a", "copy -fojson a"}, // short flags together
		{"copy -ojson a", "copy -ojson a"},
		{"copy -json a", "copy --json a"},
		{"copy -dta a", "copy --dta a"},
		{"copy -- -data", "copy -- -data"},
		{"copy - -data x", "copy - --data x"},
		{"old show -header -n x", "old show --header -n x"},
		{"-version", "--version"},
		{"copy -help", "copy --help"},
	} {
		root := sample(io.Discard, nil)
		if got := strings.Join(DoubleDashes(root, strings.Fields(tc.args)), " "); got != tc.want {
			t.Errorf("%s becomes %q, want %q", tc.args, got, tc.want)
		}
	}
}

func TestFromFlagSetWithoutAFormat(t *testing.T) {
	for _, args := range [][]string{{"--save", "a"}, {"-o", "a"}, {"-save=a"}} {
		fs := flag.NewFlagSet("write", flag.ContinueOnError)
		fs.String("o", "", "`file` to write to")
		var got []string
		root := Root(&cobra.Command{Use: "sample COMMAND"})
		root.AddCommand(FromFlagSet("write [flags]", "Write", fs, func(_ context.Context, args []string) error {
			got = args
			return nil
		}))
		if code := (Program{Root: root, Stdout: io.Discard, Stderr: io.Discard}).Run(t.Context(), append([]string{"write"}, args...)); code != 0 || !slices.Equal(got, []string{"-o=a", "--"}) {
			t.Errorf("%v: exit %d, the function got %q", args, code, got)
		}
	}
}

// A function with a flag set gets only the flags that were given, in the spelling of the flag package.
func TestFromFlagSet(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"a", "-- a"},
		{"a b -n 5", "-n=5 -- a b"},
		{"--header x --header y a", "-header=x -header=y -- a"},
		{"-o json a", "-json -- a"},
		{"-json a", "-json -- a"},
		{"-o text a", "-- a"},
		{"--save r.json a", "-o=r.json -- a"},
		{"-o r.json a", "-o=r.json -- a"}, // the former spelling
		{"-- -n", "-- -n"},
	} {
		code, stdout, stderr := runSample(t, nil, append([]string{"old", "show"}, strings.Fields(tc.args)...)...)
		if code != 0 || strings.TrimSpace(stdout) != tc.want {
			t.Errorf("%s: exit %d, the function got %q, want %q: %s", tc.args, code, stdout, tc.want, stderr)
		}
	}
}
