//go:build !linux

package fault

import (
	"errors"
	"fmt"
	"runtime"

	"firedrill/internal/proc"
)

func dataOf(int) (used, limit uint64, err error) {
	return 0, 0, fmt.Errorf("limit memory on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func limitData(proc.Identity, uint64) error {
	return fmt.Errorf("limit memory on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
