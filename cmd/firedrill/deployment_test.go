package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"firedrill/deploy/compose"
	"firedrill/deploy/stack"
)

// A command works on the runtime that the user names, or else on the one that runs, or else on the native
// stack.
func TestWhatACopyRunsIn(t *testing.T) {
	native, contained := stack.Native, stack.Compose
	for _, c := range []struct {
		name  string
		args  []string
		env   string
		runs  *string // nil if nothing runs
		want  string
		error string

		distributed string
	}{
		{name: "nothing told", want: native},
		{name: "native", args: []string{"--stack", "native"}, want: native},
		{name: "compose", args: []string{"--stack", "compose"}, want: contained},
		{name: "by the environment", env: "compose", want: contained},
		{name: "a flag beats it", args: []string{"--stack", "native"}, env: "compose", want: native},
		{name: "containers run", runs: &contained, want: contained},
		{name: "processes run", runs: &native, want: native},
		{name: "the other runs", args: []string{"--stack", "native"}, runs: &contained, error: "is not the native stack"},
		{name: "the other runs, environment", env: "compose", runs: &native, error: "is not the compose stack"},
		{name: "distributed containers", args: []string{"--stack", "compose"}, distributed: "on", error: "--distributed is for the native stack"},
		{name: "unknown", env: "podman", error: `--stack "podman": want native or compose`},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, err := filepath.Abs("../..")
			if err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"FIREDRILL_ROOT": root, "FIREDRILL_DATA": t.TempDir(), "FIREDRILL_STACK": c.env, "FIREDRILL_DISTRIBUTED": c.distributed}
			p := program{getenv: func(name string) string { return env[name] }, stdout: os.Stdout, stderr: os.Stderr}
			fs := p.newFlags("test", "")
			which := addRunFlags(fs)
			if err := parse(fs, c.args, 0, 0); err != nil {
				t.Fatal(err)
			}
			if c.runs != nil {
				keep(t, stack.Settings{Data: env["FIREDRILL_DATA"]}, stack.Record{Runtime: *c.runs})
			}
			got, _, err := which.running(p)
			if c.error != "" {
				if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), c.error) {
					t.Errorf("error %v, want one of usage with %q", err, c.error)
				}
				return
			}
			is := native
			if _, ok := got.(compose.Project); ok {
				is = contained
			}
			if err != nil || is != c.want {
				t.Errorf("got a %T, %v; want what runs in %q", got, err, c.want)
			}
		})
	}
}

func keep(t *testing.T, s stack.Settings, r stack.Record) {
	t.Helper()
	release, err := s.Lock(t.Context(), os.Stderr) // creates the folder
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := s.Keep(r); err != nil {
		t.Fatal(err)
	}
}
