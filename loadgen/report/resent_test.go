package report

import (
	"bytes"
	"strings"
	"testing"

	"firedrill/loadgen/result"
)

// TestResentIsShown has requests that went out again. They are not among the requests, and every form shows them.
func TestResentIsShown(t *testing.T) {
	const words = "sent again"
	for _, n := range []uint64{0, 7} {
		r := exampleRun()
		requests := r.Total(nil).Requests
		r.Groups[0].Resent = n
		if got := r.Total(nil); got.Resent != n || got.Requests != requests {
			t.Errorf("%d requests and %d resent, want %d and %d", got.Requests, got.Resent, requests, n)
		}
		var text, page, file bytes.Buffer
		if err := Text(&text, r); err != nil {
			t.Fatal(err)
		}
		if err := HTML(&page, r); err != nil {
			t.Fatal(err)
		}
		if err := r.Write(&file); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(text.String(), "7 "+words); got != (n > 0) {
			t.Errorf("%d sent again, in the text: %v", n, got)
		}
		if got := strings.Contains(page.String(), words+"</dt><dd>7<"); got != (n > 0) {
			t.Errorf("%d sent again, in the page: %v", n, got)
		}
		again, err := result.Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		if got := again.Total(nil).Resent; got != n {
			t.Errorf("%d sent again after a trip through JSON, want %d", got, n)
		}
		merged, err := result.Merge(again)
		if err != nil || merged.Total(nil).Resent != n {
			t.Errorf("merged: %v", err)
		}
	}
}
