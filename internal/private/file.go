package private

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// MaxFile is the largest file that ReadFile reads, in bytes. WriteFile refuses what is larger.
const MaxFile = 256 << 20

// WriteFile replaces the file at path by text; see Write.
func WriteFile(path string, text []byte, mode fs.FileMode) error {
	return Write(path, mode, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// Write replaces the file at path by what write writes. It writes to a new file in the same folder, syncs it and renames it.
// So it follows no symbolic link at path, and after an error, a crash or a full disk the file has its old content.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) (err error) {
	f, err := create(path, mode)
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	to := &limited{to: f, left: MaxFile}
	if err = write(to); err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// limited refuses to write more than ReadFile reads.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, fmt.Errorf("this is more than %d bytes", MaxFile)
	}
	n, err := l.to.Write(p)
	l.left -= n
	return n, err
}

// create creates a file beside path under a name that nobody used before.
func create(path string, mode fs.FileMode) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(mode); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

// syncFolder makes a rename survive a power cut. Not every file system can do this, and the rename is done already.
func syncFolder(dir string) {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// Create puts a new empty file at path, in the place of any other file or symbolic link, and returns it open for writing.
func Create(path string, mode fs.FileMode) (*os.File, error) {
	f, err := create(path, mode)
	if err != nil {
		return nil, fmt.Errorf("create %q: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, fmt.Errorf("create %q: %w", path, errors.Join(err, f.Close(), os.Remove(f.Name())))
	}
	return f, nil
}

// Append opens the file at path for reading and appending, and creates it with mode 0600 if there is none. The error is an
// *UnsafeError for what Open refuses.
func Append(path string) (*os.File, error) {
	return open(path, os.O_RDWR|os.O_APPEND|os.O_CREATE)
}

// Open opens the file at path for reading. It wraps fs.ErrNotExist if there is none. The error is an *UnsafeError if it is
// a symbolic link or no regular file, belongs to another user, or may be written by others.
func Open(path string) (*os.File, error) { return open(path, os.O_RDONLY) }

// ReadFile reads the file at path. Its errors are those of Open.
func ReadFile(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	if len(text) > MaxFile {
		return nil, fmt.Errorf("read %q: it is larger than %d bytes", path, MaxFile)
	}
	return text, nil
}

// open opens a regular file of this user. It does not wait for a named pipe and follows no link.
func open(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if errors.Is(err, syscall.ELOOP) {
		return nil, &UnsafeError{path, "is a symbolic link", "remove it"}
	}
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		err = judgeFile(path, ownedOf(info))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// judgeFile judges a file that must be this user's own.
func judgeFile(path string, o owned) error {
	switch {
	case !o.mode.IsRegular():
		return &UnsafeError{path, "is not a regular file", "remove it"}
	case o.uid != o.me:
		return &UnsafeError{path, fmt.Sprintf("belongs to %s, not to %s", userName(o.uid), userName(o.me)), "remove it"}
	case o.mode&0o002 != 0 || o.mode&0o020 != 0 && o.shared:
		return &UnsafeError{path, fmt.Sprintf("may be written by other users (mode %04o)", o.mode.Perm()), "remove it"}
	}
	return nil
}

// asideSuffix ends the name of a file that holds what could not be read.
const asideSuffix = ".unreadable"

// Aside renames a file that cannot be read, so that it blocks nothing and nothing of it is lost. It returns the new path,
// which no other file had.
func Aside(path string) (string, error) {
	for n := 0; ; n++ {
		to := path + asideSuffix
		if n > 0 {
			to = fmt.Sprintf("%s.%d", to, n)
		}
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.Rename(path, to); err != nil {
			return "", fmt.Errorf("keep what cannot be read aside: %w", err)
		}
		return to, nil
	}
}

// AppendAside appends text to the file beside path for what could not be read from path, unless that file ends with text
// already. It returns the path of that file.
func AppendAside(path string, text []byte) (string, error) {
	to := path + asideSuffix
	have, err := ReadFile(to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if bytes.HasSuffix(have, text) {
		return to, nil
	}
	return to, WriteFile(to, append(have, text...), 0o600)
}
