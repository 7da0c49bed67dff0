// Package private keeps folders and files that nobody but this user can change.
//
// A folder with a known name can be made by somebody else first, above all in a shared folder such as /tmp. Whoever owns
// it, or may write to it, or to a folder above it, decides which files are read, and whose files are written. Folder and
// Check therefore refuse such a folder. Files are written apart and renamed, so that no symbolic link is followed and a
// reader sees the old content or the new one, also after a crash or on a full disk.
//
// It must not know what is stored.
package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// UnsafeError means that other users could change what is stored in a folder or a file.
type UnsafeError struct {
	Path   string
	Reason string // why Path is refused
	Remedy string // what to do
}

func (e *UnsafeError) Error() string { return fmt.Sprintf("%q %s; %s", e.Path, e.Reason, e.Remedy) }

// maxLinks is the number of symbolic links that a path may have above its last element.
const maxLinks = 40

// Folder creates the folder at path with mode 0700, and the folders above it, unless they exist. The error is an
// *UnsafeError if path is a symbolic link or something else than a folder, belongs to another user, may be written by
// other users, or is below a folder whose owner could replace it.
func Folder(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	if err := check(path, judgeOwn); err != nil { // before anything is created below the folder of somebody else
		return err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	return check(path, judgeOwn)
}

// Check returns the error that Folder would return for the folder at path, and creates nothing. It returns nil if there is
// no such folder and it could be created safely.
func Check(path string) error { return check(path, judgeOwn) }

// Trusted returns an *UnsafeError if another user than root, this user and the owners of the running program could change
// what is at path. It may belong to any of these. It returns nil if there is nothing at path.
func Trusted(path string) error { return check(path, judgeAbove) }

// check judges the last element of a path by last and each element above it by judgeAbove. Elements that do not exist are
// safe if those above are.
func check(path string, last func(string, owned) error) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("check folder: %w", err)
	}
	links := 0
	for at, rest := "/", path[1:]; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		at = filepath.Join(at, name)
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("check folder %q: %w", path, err)
		}
		judge := judgeAbove
		if rest == "" {
			judge = last
		}
		if err := judge(at, ownedOf(info)); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			continue
		}
		if links++; links > maxLinks {
			return fmt.Errorf("check folder %q: too many symbolic links", path)
		}
		target, err := os.Readlink(at)
		if err != nil {
			return fmt.Errorf("check folder %q: %w", path, err)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(at), target)
		}
		at, rest = "/", filepath.Join(target, rest)[1:]
	}
	return nil
}

// owned is what decides whether others can change a file or folder.
type owned struct {
	uid, gid int
	mode     fs.FileMode
	me       int          // user of this process
	trusted  map[int]bool // users who decide anyway what this process does
	shared   bool         // the group may write, and is neither the owner's own nor one that decides anyway
}

func ownedOf(info fs.FileInfo) owned {
	users, groups := deciders()
	o := owned{uid: -1, gid: -1, mode: info.Mode(), me: os.Geteuid(), trusted: users}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		o.uid, o.gid = int(s.Uid), int(s.Gid)
	}
	if o.mode&0o020 != 0 {
		o.shared = !ownGroup(o.uid, o.gid) && !groups[o.gid]
	}
	return o
}

// deciders returns root, this user, and the owners of the running program and of the folders above it, and the groups that
// may write to these folders. Each of them can replace the program.
func deciders() (users, groups map[int]bool) {
	users, groups = map[int]bool{0: true, os.Geteuid(): true}, map[int]bool{}
	path, err := os.Executable()
	if err != nil {
		return users, groups
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	for ; path != filepath.Dir(path); path = filepath.Dir(path) {
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			users[int(s.Uid)] = true
			groups[int(s.Gid)] = groups[int(s.Gid)] || info.Mode()&0o020 != 0
		}
	}
	return users, groups
}

// ownGroup reports whether a group is the owner's own: root's, or one that bears the owner's name, as Linux distributions
// create for each user, and without other members. Where users have no names, as in containers, it has the owner's number.
func ownGroup(uid, gid int) bool {
	owner, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return gid == 0 || uid == gid
	}
	group, err := user.LookupGroupId(strconv.Itoa(gid))
	if err != nil || gid != 0 && group.Name != owner.Username {
		return false
	}
	text, err := os.ReadFile("/etc/group") // without it, the name has to do
	return err != nil || soleMember(string(text), group.Name, owner.Username)
}

// soleMember reports whether a file of groups lists no member of a group but the owner.
// https://man7.org/linux/man-pages/man5/group.5.html
func soleMember(groups, name, owner string) bool {
	for line := range strings.Lines(groups) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 4 || fields[0] != name {
			continue
		}
		for member := range strings.SplitSeq(fields[3], ",") {
			if member != "" && member != owner {
				return false
			}
		}
	}
	return true
}

// judgeOwn judges a folder that must be this user's own.
func judgeOwn(path string, o owned) error {
	switch {
	case o.mode&fs.ModeSymlink != 0:
		return &UnsafeError{path, "is a symbolic link", "give the folder that it leads to"}
	case !o.mode.IsDir():
		return &UnsafeError{path, "is not a folder", "give another folder"}
	case o.uid != o.me:
		return &UnsafeError{path, fmt.Sprintf("belongs to %s, not to %s, who could change what is stored there", userName(o.uid), userName(o.me)),
			"give another folder, or run this as " + userName(o.uid)}
	case o.mode&0o002 != 0 || o.shared:
		return &UnsafeError{path, fmt.Sprintf("may be written by other users (mode %04o), who could have put files there", o.mode.Perm()),
			fmt.Sprintf("look at what is in it, then give another folder, or run: chmod go-w %q", path)}
	}
	return nil
}

// judgeAbove judges a folder above, or a link on the way to it. Its owner can replace what is below, and so can others who
// may write to it, unless its sticky bit keeps them from what is not theirs.
func judgeAbove(path string, o owned) error {
	link := o.mode&fs.ModeSymlink != 0 // a link has no mode of its own
	sticky := o.mode&fs.ModeSticky != 0
	writable := o.mode&0o002 != 0 || o.shared
	switch {
	case !o.trusted[o.uid]:
		return &UnsafeError{path, fmt.Sprintf("belongs to %s, who could replace what is below it", userName(o.uid)), "give another folder"}
	case !link && writable && !sticky:
		return &UnsafeError{path, fmt.Sprintf("may be written by other users (mode %04o), who could replace what is below it", o.mode.Perm()),
			fmt.Sprintf("give another folder, or run: chmod go-w %q", path)}
	}
	return nil
}

// userName names a user for people.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("user %d", uid)
}
