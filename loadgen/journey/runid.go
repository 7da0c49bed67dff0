package journey

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"
)

// RunID identifies a run. Values that must be unique, such as trace ids, depend on it, so
// that they differ between runs with the same seed.
type RunID uint64

// NewRunID returns a random id.
func NewRunID() RunID {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return RunID(binary.BigEndian.Uint64(b[:]))
}

// ParseRunID parses an id in the format of String.
func ParseRunID(text string) (RunID, error) {
	id, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%q: want 16 hex digits", text)
	}
	return RunID(id), nil
}

// String returns the id as 16 hex digits.
func (r RunID) String() string { return fmt.Sprintf("%016x", uint64(r)) }
