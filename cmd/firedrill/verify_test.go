package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"firedrill/deploy/verify"
)

func noEnv(string) string { return "" }

func TestVerifyMisuse(t *testing.T) {
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"verify", "--nonsense"}, "nonsense"},
		{[]string{"verify", "extra"}, `unexpected argument: "extra"`},
		{[]string{"verify", "--timeout", "soon"}, "timeout"},
		{[]string{"verify", "--timeout", "-1s"}, "timeout -1s"},
		{[]string{"verify", "--loki", "localhost:3100"}, "localhost:3100"},
		{[]string{"verify", "--gateway", "http://"}, "gateway"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), tc.args, noEnv, &out, &errs); code != exitMisuse {
			t.Errorf("%q exits %d, want %d", tc.args, code, exitMisuse)
		}
		if out.Len() > 0 || !strings.Contains(errs.String(), tc.says) {
			t.Errorf("%q writes %q and %q, want %q in the latter", tc.args, out.String(), errs.String(), tc.says)
		}
	}
}

// If a deployment answers every query with an error, all cells are missing, in the table and in JSON. Neither a
// repository nor a running copy is needed.
func TestVerifyNamesMissingCells(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "out of order", http.StatusInternalServerError)
	}))
	defer srv.Close()
	t.Chdir(t.TempDir())
	args := []string{"verify", "--timeout", "1s"}
	for _, name := range []string{"gateway", "prometheus", "loki", "tempo", "alertmanager"} {
		args = append(args, "--"+name, srv.URL)
	}

	var out, errs bytes.Buffer
	if code := run(t.Context(), args, noEnv, &out, &errs); code != exitFailed {
		t.Errorf("exit %d, want %d: %s", code, exitFailed, errs.String())
	}
	for _, text := range []string{"log in   ", "MISSING", "cells are missing", "stack / rules load and evaluate / holds", srv.URL + "/api/v1/rules", "out of order"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the table lacks %q:\n%s", text, out.String())
		}
	}

	out.Reset()
	if code := run(t.Context(), append(args, "--output", "json"), noEnv, &out, &errs); code != exitFailed {
		t.Errorf("with --output json exit %d, want %d", code, exitFailed)
	}
	var report verify.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("with --output json: %v in %s", err, out.String())
	}
	if report.OK || len(report.Cells) == 0 || len(report.Missing()) != len(report.Cells) {
		t.Errorf("OK %v, %d of %d cells missing", report.OK, len(report.Missing()), len(report.Cells))
	}
}

func TestVerifyInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	defer srv.Close()
	args := []string{"verify"}
	for _, name := range []string{"gateway", "prometheus", "loki", "tempo", "alertmanager"} {
		args = append(args, "--"+name, srv.URL)
	}
	var out, errs bytes.Buffer
	if code := run(ctx, args, noEnv, &out, &errs); code != exitFailed {
		t.Errorf("exit %d, want %d", code, exitFailed)
	}
	if out.Len() > 0 || errs.String() != "firedrill verify: interrupted\n" {
		t.Errorf("writes %q and %q", out.String(), errs.String())
	}
}
