package private

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"firedrill/internal/prerequisite"
)

func TestJudge(t *testing.T) {
	const me, other, dir = 1000, 2000, fs.ModeDir
	trusted := map[int]bool{0: true, me: true, 3000: true}
	for _, tc := range []struct {
		name       string
		uid        int
		mode       fs.FileMode
		shared     bool
		own, above string // part of the error; "" if it is accepted
	}{
		{"mine alone", me, dir | 0o700, false, "", ""},
		{"mine, others read", me, dir | 0o755, false, "", ""},
		{"mine, my own group writes, as with umask 002", me, dir | 0o775, false, "", ""},
		{"mine, a shared group writes", me, dir | 0o775, true, "may be written", "may be written"},
		{"mine, all write", me, dir | 0o777, true, "may be written", "may be written"},
		{"mine, all write, sticky", me, dir | fs.ModeSticky | 0o777, true, "may be written", ""},
		{"another's", other, dir | 0o700, false, "belongs to", "belongs to"},
		{"another's, sticky", other, dir | fs.ModeSticky | 0o777, true, "belongs to", "belongs to"},
		{"root's", 0, dir | 0o755, false, "belongs to", ""},
		{"root's, all write, sticky, as /tmp", 0, dir | fs.ModeSticky | 0o777, false, "belongs to", ""},
		{"root's, all write", 0, dir | 0o777, false, "belongs to", "may be written"},
		{"the program's owner's", 3000, dir | 0o755, false, "belongs to", ""},
		{"my link", me, fs.ModeSymlink | 0o777, true, "symbolic link", ""},
		{"another's link", other, fs.ModeSymlink | 0o777, true, "symbolic link", "belongs to"},
		{"a file", me, 0o600, false, "not a folder", ""},
	} {
		o := owned{uid: tc.uid, mode: tc.mode, me: me, trusted: trusted, shared: tc.shared}
		for what, got := range map[string]struct {
			err  error
			want string
		}{"own": {judgeOwn("p", o), tc.own}, "above": {judgeAbove("p", o), tc.above}} {
			if unsafe := (*UnsafeError)(nil); got.want == "" && got.err != nil || got.want != "" && (!errors.As(got.err, &unsafe) || !strings.Contains(unsafe.Reason, got.want) || unsafe.Remedy == "") {
				t.Errorf("%s, as %s: %v, want an error with %q", tc.name, what, got.err, got.want)
			}
		}
	}
}

// someoneElses returns an existing folder that belongs to another user.
func someoneElses(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return "/usr" // root's
	}
	dir := filepath.Join(t.TempDir(), "theirs")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mkdir(t *testing.T, path string, mode fs.FileMode) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(path, 0o700), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func link(t *testing.T, target, path string) string {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	theirs := someoneElses(t)
	open := mkdir(t, filepath.Join(dir, "open"), 0o777)
	shared := mkdir(t, filepath.Join(dir, "shared"), fs.ModeSticky|0o777)
	mine := mkdir(t, filepath.Join(dir, "mine"), 0o700)
	for _, tc := range []struct {
		name, path, want string
	}{
		{"new, with those above", filepath.Join(dir, "a", "b", "c"), ""},
		{"mine", mine, ""},
		{"new in a shared folder", filepath.Join(shared, "new"), ""},
		{"made by another user", theirs, "belongs to"},
		{"all may write", open, "may be written"},
		{"below one that all may write", filepath.Join(open, "below"), "may be written"},
		{"a link to mine", link(t, mine, filepath.Join(dir, "link")), "symbolic link"},
		{"below a link of mine", filepath.Join(dir, "link", "below"), ""},
		{"a dangling link", link(t, filepath.Join(dir, "nothing"), filepath.Join(dir, "dangling")), "symbolic link"},
		{"below a relative link to what all may write", filepath.Join(link(t, "open", filepath.Join(dir, "relative")), "below"), "may be written"},
		{"a loop of links", filepath.Join(link(t, "loop", filepath.Join(dir, "loop")), "below"), "too many symbolic links"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before, _ := os.Lstat(tc.path)
			err := Folder(tc.path)
			if tc.want == "" {
				info, statErr := os.Stat(tc.path)
				if err != nil || statErr != nil || !info.IsDir() || Check(tc.path) != nil {
					t.Fatalf("refused: %v, %v, %v", err, statErr, Check(tc.path))
				}
				if before == nil && info.Mode().Perm() != 0o700 {
					t.Errorf("created with mode %v", info.Mode())
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if _, err := os.Lstat(tc.path); before == nil && err == nil {
				t.Error("something was created")
			}
			if err := Check(tc.path); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Check gives %v, want an error with %q", err, tc.want)
			}
		})
	}
}

// TestBelowAnotherUsersFolder checks that nothing is created below what another user than root owns.
func TestBelowAnotherUsersFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		prerequisite.Missing(t, "only root can give a folder to another user")
	}
	theirs := someoneElses(t)
	out := link(t, theirs, filepath.Join(t.TempDir(), "out"))
	for _, path := range []string{filepath.Join(theirs, "below"), filepath.Join(theirs, "a", "b"), filepath.Join(out, "below")} {
		for what, err := range map[string]error{"Folder": Folder(path), "Check": Check(path)} {
			if unsafe := (*UnsafeError)(nil); !errors.As(err, &unsafe) || unsafe.Path != theirs {
				t.Errorf("%s of %s: %v, want an error that names %s", what, path, err, theirs)
			}
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was created: %v", path, err)
		}
	}
}

func TestTrusted(t *testing.T) {
	if err := Trusted("/usr/bin"); err != nil {
		t.Errorf("root's programs: %v", err)
	}
	open := mkdir(t, filepath.Join(t.TempDir(), "open"), 0o777)
	if err := Trusted(open); err == nil {
		t.Error("programs in a folder that all may write are trusted")
	}
	if os.Geteuid() == 0 {
		if err := Trusted(someoneElses(t)); err == nil {
			t.Error("programs of another user are trusted")
		}
	}
}

func TestSoleMember(t *testing.T) {
	const groups = "root:x:0:\nann:x:1000:\nbob:x:1001:bob\nold:x:1002:old,ann\nstaff:x:50:ann\n"
	for name, want := range map[string]bool{"root": true, "ann": true, "bob": true, "old": false, "staff": false, "nobody": true} {
		if got := soleMember(groups, name, name); got != want {
			t.Errorf("group %s has no other member: %v, want %v", name, got, want)
		}
	}
}

// TestGroups checks that a group which is not the owner's own counts as others.
func TestGroups(t *testing.T) {
	if os.Geteuid() != 0 {
		prerequisite.Missing(t, "only root can give a folder to any group")
	}
	const foreign = 54321
	for name, plant := range map[string]func(dir string) error{
		"folder": func(dir string) error { return errors.Join(os.Chown(dir, 0, foreign), os.Chmod(dir, 0o770)) },
		"above": func(dir string) error {
			return errors.Join(os.Chown(filepath.Dir(dir), 0, foreign), os.Chmod(filepath.Dir(dir), 0o770))
		},
	} {
		dir := mkdir(t, filepath.Join(t.TempDir(), "above", "folder"), 0o700)
		if err := plant(dir); err != nil {
			t.Fatal(err)
		}
		if err := Folder(dir); err == nil || !strings.Contains(err.Error(), "may be written") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an error that names it", name, err)
		}
	}
}

// TestWritesFollowNoLink checks that what is written replaces a planted link and never what it leads to.
func TestWritesFollowNoLink(t *testing.T) {
	for name, write := range map[string]func(path string) error{
		"WriteFile": func(path string) error { return WriteFile(path, []byte("new"), 0o600) },
		"Create": func(path string) error {
			f, err := Create(path, 0o600)
			if err != nil {
				return err
			}
			_, err = f.WriteString("new")
			return errors.Join(err, f.Close())
		},
	} {
		dir := t.TempDir()
		victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "file")
		if err := os.WriteFile(victim, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		link(t, victim, path)
		if err := write(path); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text, err := os.ReadFile(victim); err != nil || string(text) != "old" {
			t.Errorf("%s wrote %q through the link, %v", name, text, err)
		}
		if text, err := ReadFile(path); err != nil || string(text) != "new" {
			t.Errorf("%s: read back %q, %v", name, text, err)
		}
	}
}

func TestReadsRefuse(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if err := os.WriteFile(good, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	if err := errors.Join(os.WriteFile(open, nil, 0o600), os.Chmod(open, 0o666)); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	refused := map[string]string{link(t, good, filepath.Join(dir, "link")): "symbolic link", open: "may be written", pipe: "not a regular file", dir: ""}
	if os.Geteuid() == 0 {
		theirs := filepath.Join(dir, "theirs")
		if err := errors.Join(os.WriteFile(theirs, nil, 0o600), os.Chown(theirs, 65534, 65534)); err != nil {
			t.Fatal(err)
		}
		refused[theirs] = "belongs to"
	}
	for path, want := range refused {
		_, readErr := ReadFile(path)
		_, appendErr := Append(path)
		for _, err := range []error{readErr, appendErr} {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v, want an error with %q", path, err, want)
			}
		}
	}
	if _, err := ReadFile(filepath.Join(dir, "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	if _, err := os.Lstat(link(t, filepath.Join(dir, "made"), filepath.Join(dir, "dangling"))); err != nil {
		t.Fatal(err)
	}
	if _, err := Append(filepath.Join(dir, "dangling")); err == nil {
		t.Error("appending followed a dangling link")
	}
}

// TestWriteKeepsTheOldContent checks that a failed write leaves the old file and nothing else.
func TestWriteKeepsTheOldContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	err := Write(path, 0o600, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names the file and the cause", err)
	}
	if text, err := ReadFile(path); err != nil || string(text) != "old" {
		t.Errorf("it holds %q, %v", text, err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var kept []string
	for _, text := range []string{"a", "b", "c"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		to, err := Aside(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(to)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, filepath.Base(to)+" "+string(got))
	}
	if want := []string{"file.unreadable a", "file.unreadable.1 b", "file.unreadable.2 c"}; !slices.Equal(kept, want) {
		t.Errorf("kept %q, want %q", kept, want)
	}
	for _, text := range []string{"x\n", "y\n", "y\n"} { // the last again, as after a crash
		if _, err := AppendAside(path+"2", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := ReadFile(path + "2.unreadable"); err != nil || string(text) != "x\ny\n" {
		t.Errorf("aside is %q, %v", text, err)
	}
}
