package stack

import (
	"errors"
	"io"
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

// TestResolveRefusesFolders checks that a folder that a program cannot take, or that others can change, is refused before
// anything is read from it or started.
func TestResolveRefusesFolders(t *testing.T) {
	root := repository(t)
	inside := func(name string) string { return filepath.Join(root, name) }
	for _, dir := range []string{"real", "open"} {
		if err := os.Mkdir(inside(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(inside("open"), 0o777), os.Symlink(inside("real"), inside("link"))); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ data, bin, want string }{
		{"with spaces, 100% 'quoted' \"twice\" #1 & co; $HOME é", "", ""},
		{"a?", "", "* ? [ "}, {"a*", "", "* ? [ "}, {"a[1]", "", "* ? [ "}, {`a\b`, "", "* ? [ "},
		{"a\nb", "", "control character"}, {"a\x00b", "", "control character"}, {"a\tb", "", "control character"},
		{"a\xffb", "", "not UTF-8"}, {"a{{b}}", "", "template"},
		{"open", "", "may be written by other users"}, {"open/below", "", "may be written by other users"},
		{"link", "", "symbolic link"}, {"link/below", "", ""},
		{"real", "b?", "* ? [ "}, {"real", "link", ""},
	} {
		f := Flags{Data: inside(tc.data), Bin: inside(tc.bin)}
		s, err := Resolve(f, environment(map[string]string{"FIREDRILL_ROOT": root}), "")
		switch {
		case tc.want == "" && (err != nil || s.Data != f.Data):
			t.Errorf("%+q is refused: %v", tc, err)
		case tc.want != "" && (!errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%+q: %v, want %v with %q", tc, err, ErrSettings, tc.want)
		}
	}
}

// TestOwnFolders checks that nothing of another user, and no link, is used among the folders of a copy.
func TestOwnFolders(t *testing.T) {
	elsewhere := t.TempDir()
	for _, name := range dataNames() {
		if filepath.Ext(name) != "" {
			continue
		}
		for what, plant := range map[string]func(path string) error{
			"a link":                      func(path string) error { return os.Symlink(elsewhere, path) },
			"a folder that all may write": func(path string) error { return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o777)) },
		} {
			s := Settings{Data: t.TempDir()}
			if err := plant(filepath.Join(s.Data, name)); err != nil {
				t.Fatal(err)
			}
			if err := s.ownFolders(); !errors.Is(err, ErrSettings) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s in the place of %s: %v, want an error that names it", what, name, err)
			}
			if _, err := lock(t.Context(), s, io.Discard); err == nil {
				t.Errorf("%s in the place of %s: a command works there", what, name)
			}
		}
	}
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) > 0 {
		t.Errorf("something was written through a link: %v, %v", left, err)
	}
}
