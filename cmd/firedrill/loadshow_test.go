package main

import (
	"errors"
	"testing"

	"firedrill/loadgen/result"
)

// A load test of which nothing worked is not good: not without thresholds, and not if the generator was late.
func TestExitOfLoad(t *testing.T) {
	valid, invalid := result.Validity{Valid: true}, result.Validity{}
	broken, held := []result.Threshold{{OK: false}}, []result.Threshold{{OK: true}}
	for _, tc := range []struct {
		name             string
		requests, failed uint64
		validity         result.Validity
		thresholds       []result.Threshold
		want             int
	}{
		{"all succeed", 5, 0, valid, nil, 0},
		{"some fail", 5, 4, valid, nil, 0},
		{"all fail", 5, 5, valid, nil, exitFailed},
		{"all fail, and a threshold holds", 5, 5, valid, held, exitFailed},
		{"all fail, and the generator was late", 5, 5, invalid, nil, exitFailed},
		{"nothing was sent", 0, 0, valid, nil, exitInvalid},
		{"a threshold is broken", 5, 0, valid, broken, exitFailed},
		{"a threshold is broken, and the generator was late", 5, 0, invalid, broken, exitFailed},
		{"the generator was late", 5, 0, invalid, held, exitInvalid},
	} {
		r := &result.Result{Groups: []result.Group{{Requests: tc.requests, Failed: tc.failed}}, Validity: tc.validity, Thresholds: tc.thresholds}
		code := 0
		var own coder
		if err := exitOfLoad(r); errors.As(err, &own) {
			code = own.ExitCode()
		}
		if code != tc.want {
			t.Errorf("%s: exit code %d, want %d", tc.name, code, tc.want)
		}
	}
}
