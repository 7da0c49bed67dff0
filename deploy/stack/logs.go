package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// followEvery is how often a followed log is read.
const followEvery = 200 * time.Millisecond

// Logs writes the last n lines that the named component printed. With follow, it also writes new lines until
// ctx ends, across rotations of the file.
func (k Stack) Logs(ctx context.Context, name string, n int, follow bool, out io.Writer) error {
	path := k.LogPath(name)
	if name != "process-compose" {
		if _, err := k.component(name); err != nil {
			return err
		}
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !follow {
		return nil // started, but has printed nothing yet
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read log of %q: %w", name, err)
	}
	if file != nil {
		if err := copyTail(file, n, out); err != nil {
			return fmt.Errorf("read log of %q: %w", name, err)
		}
	}
	if !follow {
		return file.Close()
	}
	return followFile(ctx, path, file, out)
}

// copyTail writes the last n lines of file and leaves its offset at the end.
func copyTail(file *os.File, n int, out io.Writer) error {
	start, err := tailStart(file, n)
	if err != nil {
		return err
	}
	if _, err := file.Seek(start, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(out, file)
	return err
}

// tailStart returns the offset at which the last n lines of file begin. It reads backwards in blocks, because a
// log may be large.
func tailStart(file *os.File, n int) (int64, error) {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil || n <= 0 {
		return end, err
	}
	buf := make([]byte, 64<<10)
	// The newline at the very end belongs to the last line.
	for start, newlines := end, 0; start > 0; {
		size := min(int64(len(buf)), start)
		start -= size
		if _, err := file.ReadAt(buf[:size], start); err != nil {
			return 0, err
		}
		for at := int(size) - 1; at >= 0; at-- {
			if buf[at] != '\n' || start+int64(at) == end-1 {
				continue
			}
			if newlines++; newlines == n {
				return start + int64(at) + 1, nil
			}
		}
	}
	return 0, nil
}

// followFile copies what is appended to path until ctx ends. file is the open log, or nil if there is none yet.
func followFile(ctx context.Context, path string, file *os.File, out io.Writer) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		if file != nil {
			if _, err := io.Copy(out, file); err != nil {
				return fmt.Errorf("follow %s: %w", path, err)
			}
		}
		if next := reopened(path, file); next != nil {
			if file != nil {
				_ = file.Close()
			}
			file = next
			continue
		}
		select {
		case <-ctx.Done():
			if file != nil {
				return file.Close()
			}
			return nil
		case <-tick.C:
		}
	}
}

// reopened opens path if it is now another file than the open one. Otherwise, and on an error, it returns nil.
func reopened(path string, file *os.File) *os.File {
	now, err := os.Stat(path)
	if err != nil {
		return nil
	}
	if file != nil {
		if was, err := file.Stat(); err == nil && os.SameFile(was, now) {
			return nil
		}
	}
	next, err := os.Open(path)
	if err != nil {
		return nil
	}
	return next
}
