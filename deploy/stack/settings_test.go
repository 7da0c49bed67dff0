package stack

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// repository creates a folder that is recognized as a firedrill repository.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module firedrill\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestResolve(t *testing.T) {
	root := repository(t)
	executable := filepath.Join(root, ".bin", "firedrill")
	if err := os.MkdirAll(filepath.Dir(executable), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(executable, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // works from any folder
	seven := 7
	for _, tc := range []struct {
		name  string
		flags Flags
		env   map[string]string
		want  Settings
	}{
		{
			"defaults", Flags{}, nil,
			Settings{Root: root, Data: root + "/.data", Bin: root + "/.bin/stack", Retention: "31d", Shop: true, Load: true},
		},
		{
			"environment", Flags{}, map[string]string{
				"FIREDRILL_DATA": "/d", "FIREDRILL_STACK_BIN": "/b", "FIREDRILL_PORT_OFFSET": "100", "FIREDRILL_RETENTION": "2h",
				"LOAD": "off", "FIREDRILL_DISTRIBUTED": "on",
			},
			Settings{Root: root, Data: "/d", Bin: "/b", Offset: 100, Retention: "2h", Shop: true, Distributed: true},
		},
		{
			"flags beat it", Flags{Data: "/fd", Bin: "/fb", Offset: &seven, Retention: "1d", NoShop: true}, map[string]string{
				"FIREDRILL_DATA": "/d", "FIREDRILL_STACK_BIN": "/b", "FIREDRILL_PORT_OFFSET": "100", "FIREDRILL_RETENTION": "2h",
			},
			Settings{Root: root, Data: "/fd", Bin: "/fb", Offset: 7, Retention: "1d"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Resolve(tc.flags, environment(tc.env), executable)
			if err != nil || got != tc.want {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tc.want)
			}
		})
	}
}

func TestResolveFindsTheRepository(t *testing.T) {
	root, other := repository(t), repository(t)
	below := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, cwd, told, want string
	}{
		{"upwards from the working folder", below, "", root},
		{"as told", below, other, other},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(tc.cwd)
			got, err := Resolve(Flags{}, environment(map[string]string{"FIREDRILL_ROOT": tc.told}), "/nowhere/.bin/firedrill")
			if err != nil || got.Root != tc.want {
				t.Errorf("root %q, %v, want %q", got.Root, err, tc.want)
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Chdir(repository(t))
	negative, high := -1, maxOffset+1
	for _, tc := range []struct {
		name  string
		flags Flags
		env   map[string]string
		want  string
	}{
		{"an offset that is no number", Flags{}, map[string]string{"FIREDRILL_PORT_OFFSET": "ten"}, `FIREDRILL_PORT_OFFSET="ten"`},
		{"one below zero", Flags{Offset: &negative}, nil, "port offset -1"},
		{"one past the last port", Flags{Offset: &high}, nil, "port offset 56439"},
		{"a switch that is neither on nor off", Flags{}, map[string]string{"FIREDRILL_DISTRIBUTED": "yes"}, `FIREDRILL_DISTRIBUTED="yes": want on or off`},
		{"a root that is none", Flags{}, map[string]string{"FIREDRILL_ROOT": "/"}, `FIREDRILL_ROOT="/"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Resolve(tc.flags, environment(tc.env), "/x")
			if !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one of settings with %q", err, tc.want)
			}
		})
	}
	t.Chdir(t.TempDir())
	if _, err := Resolve(Flags{}, environment(nil), "/x"); !errors.Is(err, ErrSettings) {
		t.Errorf("outside of a repository: error %v, want one of settings", err)
	}
}
