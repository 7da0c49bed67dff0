// Package notifications receives the messages that Alertmanager sends to its webhook. It stores them as JSON
// lines in a file and serves them over HTTP, for people and tests. It is also the dead man's switch for the
// alert that always fires: when that alert stops arriving, it adds a notification. The package must not know
// which other alerts there are or what they mean.
package notifications

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"firedrill/internal/private"
)

// Notification is one alert in one message from Alertmanager.
type Notification struct {
	Received     time.Time         `json:"received"`
	Status       string            `json:"status"` // "firing" or "resolved"
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt,omitzero"` // set when resolved
	Fingerprint  string            `json:"fingerprint"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Limits bound what a Store keeps. The file is renamed to path.1 when it would become larger than FileBytes. Whatever
// else the bounds say, the newest notification is kept in memory.
type Limits struct {
	Recent      int   // number of notifications in memory; the oldest are dropped first
	RecentBytes int64 // their length as JSON; the oldest are dropped first
	FileBytes   int64 // of each of the two files
}

// DefaultLimits returns limits that hold some days of a busy stack in a few megabytes.
func DefaultLimits() Limits { return Limits{Recent: 10_000, RecentBytes: 8 << 20, FileBytes: 16 << 20} }

// Store keeps notifications in memory and in a file. It is safe for concurrent use.
//
// A notification for which Add has returned nil is in the file, and a Store that is opened later has it, within the limits.
// This holds after a full disk and after a kill, whatever they left in the file.
type Store struct {
	path   string
	limits Limits

	mu     sync.Mutex
	file   *os.File
	size   int64 // of the file, in bytes
	torn   bool  // the file ends with a line that has no end
	recent []kept
	bytes  int64 // sum of the lengths of recent
}

// kept is a notification in memory.
type kept struct {
	Notification
	bytes int64 // length of its line
}

// Open opens the store at path and reads the notifications of earlier runs, however long they are. It moves lines that it
// cannot read, such as the last line before a crash, to path.unreadable, and logs how many there were.
func Open(path string, limits Limits, log *slog.Logger) (*Store, error) {
	s := &Store{path: path, limits: limits}
	for _, p := range []string{path + ".1", path} {
		if err := s.load(p, log); err != nil {
			return nil, err
		}
	}
	return s, s.openFile()
}

// load reads the notifications of one file.
func (s *Store) load(path string, log *slog.Logger) error {
	var bad []byte
	err := eachLine(path, func(line []byte) error {
		if n, ok := decode(line); ok {
			s.remember(n, int64(len(line)))
		} else {
			bad = append(bad, line...)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read notifications: %w", err)
	}
	if len(bad) == 0 {
		return nil
	}
	lines := bytes.Count(bad, []byte("\n"))
	if aside, err := moveAside(path, bad); err != nil { // such as a full disk; the next start tries again
		log.Warn("lines of notifications cannot be read, and stay where they are", "file", path, "lines", lines, "error", err)
	} else {
		log.Warn("lines of notifications cannot be read, and were moved", "file", path, "lines", lines, "to", aside)
	}
	return nil
}

// eachLine calls do with each line of a file that is not empty. Each ends with a line break, also the last.
func eachLine(path string, do func(line []byte) error) error {
	file, err := private.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for lines := bufio.NewReader(file); ; { // a Scanner has a limit, and the lines that Add writes have none
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if line = append(bytes.TrimSuffix(line, []byte("\n")), '\n'); len(line) > 1 {
			if err := do(line); err != nil {
				return err
			}
		}
		if err != nil {
			return nil // the end of the file
		}
	}
}

// moveAside appends the lines of a file that cannot be read to another one, whose path it returns, and leaves the others.
func moveAside(path string, bad []byte) (aside string, err error) {
	if aside, err = private.AppendAside(path, bad); err != nil {
		return "", err
	}
	return aside, private.Write(path, 0o600, func(w io.Writer) error {
		return eachLine(path, func(line []byte) error {
			if _, ok := decode(line); !ok {
				return nil
			}
			_, err := w.Write(line)
			return err
		})
	})
}

// decode reads a line. ok is false if it is not that of a notification.
func decode(line []byte) (n Notification, ok bool) {
	err := json.Unmarshal(line, &n)
	return n, err == nil && known(n.Status) && !n.Received.IsZero()
}

// known reports whether a status is one of Alertmanager's.
func known(status string) bool { return status == "firing" || status == "resolved" }

// openFile opens the file at path, which it creates if there is none.
func (s *Store) openFile() error {
	file, err := private.Append(s.path)
	if err != nil {
		return fmt.Errorf("open notifications: %w", err)
	}
	size, torn, err := endOf(file)
	if err != nil {
		return errors.Join(fmt.Errorf("open notifications: %w", err), file.Close())
	}
	s.file, s.size, s.torn = file, size, torn
	return nil
}

// endOf returns the size of a file, and whether its last line has no end.
func endOf(file *os.File) (size int64, torn bool, err error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, false, err
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, info.Size()-1)
	return info.Size(), last[0] != '\n', err
}

// Add stores notifications: all, or none if it returns an error.
func (s *Store) Add(all ...Notification) error {
	if len(all) == 0 {
		return nil
	}
	var text []byte
	var lengths []int64
	for _, n := range all {
		line, err := json.Marshal(n)
		if err != nil {
			return fmt.Errorf("keep notification: %w", err)
		}
		text = append(append(text, line...), '\n')
		lengths = append(lengths, int64(len(line)+1))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.rotate(int64(len(text))); err != nil {
		return err
	}
	if err := s.write(text); err != nil {
		return err
	}
	for i, n := range all {
		s.remember(n, lengths[i])
	}
	return nil
}

// write appends lines to the file. If it cannot write all of them, it removes what it has written, so that a later line
// does not follow half a line.
func (s *Store) write(lines []byte) error {
	if s.torn {
		lines = append([]byte("\n"), lines...)
	}
	n, err := s.file.Write(lines)
	if err == nil {
		err = s.file.Sync() // some file systems notice only then that the disk is full
	}
	if err == nil {
		s.size, s.torn = s.size+int64(n), false
		return nil
	}
	err = fmt.Errorf("write notification: %w", err)
	if n > 0 && s.file.Truncate(s.size) != nil {
		s.size, s.torn = s.size+int64(n), true
	}
	return err
}

// remember adds a notification, whose line has the given length, to those in memory.
func (s *Store) remember(n Notification, length int64) {
	s.recent = append(s.recent, kept{n, length})
	s.bytes += length
	over := 0
	for len(s.recent)-over > 1 && (len(s.recent)-over > s.limits.Recent || s.bytes > s.limits.RecentBytes) {
		s.bytes -= s.recent[over].bytes
		over++
	}
	if over > 0 {
		s.recent = slices.Delete(s.recent, 0, over)
	}
}

// rotate makes room for more bytes. If it fails, the store goes on with the file that it has, under whichever name.
func (s *Store) rotate(more int64) error {
	if s.size == 0 || s.size+more <= s.limits.FileBytes {
		return nil
	}
	if err := os.Rename(s.path, s.path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) { // an earlier attempt renamed it
		return fmt.Errorf("rotate notifications: %w", err)
	}
	old := s.file
	if err := s.openFile(); err != nil {
		return err
	}
	_ = old.Close() // all of it is written
	return nil
}

// Since returns the notifications received at or after t, the newest first, at most limit of them.
func (s *Store) Since(t time.Time, limit int) []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Notification{}
	for i := len(s.recent) - 1; i >= 0 && len(out) < limit; i-- {
		if s.recent[i].Received.Before(t) {
			break
		}
		out = append(out, s.recent[i].Notification)
	}
	return out
}

// Close closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Close()
}
