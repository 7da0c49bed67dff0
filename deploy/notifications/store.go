// Package notifications receives the messages that Alertmanager sends to its webhook. It stores them as JSON
// lines in a file and serves them over HTTP, for people and tests. It is also the dead man's switch for the
// alert that always fires: when that alert stops arriving, it adds a notification. The package must not know
// which other alerts there are or what they mean.
package notifications

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
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

// Limits bound what a Store keeps. The file is renamed to path.1 when it would become larger than FileBytes.
type Limits struct {
	Recent    int   // number of notifications in memory; the oldest are dropped first
	FileBytes int64 // of each of the two files
}

// DefaultLimits returns limits that hold some days of a busy stack in a few megabytes.
func DefaultLimits() Limits { return Limits{Recent: 10_000, FileBytes: 16 << 20} }

// Store keeps notifications in memory and in a file. It is safe for concurrent use.
type Store struct {
	path   string
	limits Limits

	mu     sync.Mutex
	file   *os.File
	size   int64
	recent []Notification // oldest first
}

// Open opens the store at path and reads the notifications of earlier runs. It skips lines that cannot be
// decoded, such as the last line before a crash.
func Open(path string, limits Limits) (*Store, error) {
	s := &Store{path: path, limits: limits}
	for _, p := range []string{path + ".1", path} {
		if err := s.load(p); err != nil {
			return nil, err
		}
	}
	return s, s.openFile()
}

func (s *Store) load(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read notifications: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxBody)
	for lines.Scan() {
		var n Notification
		if json.Unmarshal(lines.Bytes(), &n) == nil {
			s.remember(n)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read notifications in %s: %w", path, err)
	}
	return nil
}

func (s *Store) openFile() error {
	file, err := os.OpenFile(s.path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open notifications: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("open notifications: %w", err), file.Close())
	}
	s.file, s.size = file, info.Size()
	return s.closeLine()
}

// closeLine ends a line that a crash left unfinished, so that the next notification begins on a new line.
func (s *Store) closeLine() error {
	if s.size == 0 {
		return nil
	}
	last := make([]byte, 1)
	if _, err := s.file.ReadAt(last, s.size-1); err != nil {
		return fmt.Errorf("open notifications: %w", err)
	}
	if last[0] == '\n' {
		return nil
	}
	return s.write([]byte("\n"))
}

// Add stores n.
func (s *Store) Add(n Notification) error {
	line, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("keep notification: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.rotate(int64(len(line)) + 1); err != nil {
		return err
	}
	if err := s.write(append(line, '\n')); err != nil {
		return err
	}
	s.remember(n)
	return nil
}

func (s *Store) write(p []byte) error {
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		return fmt.Errorf("write notification: %w", err)
	}
	return nil
}

func (s *Store) remember(n Notification) {
	s.recent = append(s.recent, n)
	if over := len(s.recent) - s.limits.Recent; over > 0 {
		s.recent = append(s.recent[:0], s.recent[over:]...)
	}
}

// rotate makes room for more bytes.
func (s *Store) rotate(more int64) error {
	if s.size == 0 || s.size+more <= s.limits.FileBytes {
		return nil
	}
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("rotate notifications: %w", err)
	}
	if err := os.Rename(s.path, s.path+".1"); err != nil {
		return fmt.Errorf("rotate notifications: %w", err)
	}
	return s.openFile()
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
		out = append(out, s.recent[i])
	}
	return out
}

// Close closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Close()
}
