package redact_test

import (
	"testing"

	"firedrill/telemetry/internal/redact"
)

func TestQuery(t *testing.T) {
	tests := []struct{ query, want string }{
		{"", ""},
		{"size=L&page=2", "size=L&page=2"},
		{"sig=abc", "sig=REDACTED"},
		{"a=1&Signature=abc%3D&AWSAccessKeyId=x&X-Goog-Signature=y&b", "a=1&Signature=REDACTED&AWSAccessKeyId=REDACTED&X-Goog-Signature=REDACTED&b"},
		{"design=sig", "design=sig"},
	}
	for _, tt := range tests {
		if got := redact.Query(tt.query); got != tt.want {
			t.Errorf("Query(%q) = %q, want %q", tt.query, got, tt.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { redact.Query("size=L&page=2") }); n != 0 {
		t.Errorf("%v allocations for a query without secrets", n)
	}
}
