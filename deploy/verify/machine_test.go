package verify

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestInconclusive(t *testing.T) {
	held, missing := Cell{State: OK}, Cell{State: Missing}
	refuted := Cell{State: Missing, Refuted: true}
	slow, idle := &Machine{StrainedShare: 0.6, WorstWait: 0.31}, &Machine{StrainedShare: 0.1, WorstWait: 0.31}
	patient := &Machine{StrainedShare: 0.6, WorstWait: 0.31, Asked: 60, Slowest: 20}
	hasty := &Machine{StrainedShare: 0.6, WorstWait: 0.31, Asked: 59, Slowest: 20}
	for _, tc := range []struct {
		name string
		r    Report
		want bool
	}{
		{"all hold on a slow machine", Report{OK: true, Cells: []Cell{held}, Machine: slow}, false},
		{"one is missing on a slow machine", Report{Cells: []Cell{held, missing}, Machine: slow}, true},
		{"one is missing on a machine that kept up", Report{Cells: []Cell{held, missing}, Machine: idle}, false},
		{"one is missing, and nobody watched the machine", Report{Cells: []Cell{held, missing}}, false},
		{"one is missing for far longer than the others took", Report{Cells: []Cell{held, missing}, Machine: patient}, false},
		{"one is missing for not much longer than the others took", Report{Cells: []Cell{held, missing}, Machine: hasty}, true},
		{"one is refuted on a slow machine", Report{Cells: []Cell{missing, refuted}, Machine: slow}, false},
	} {
		got := tc.r.Inconclusive()
		if (got != "") != tc.want {
			t.Errorf("%s: %q, want inconclusive: %v", tc.name, got, tc.want)
		}
		if tc.want && !strings.Contains(got, "for 60 % of the time: work waited up to 310ms") {
			t.Errorf("%s: %q names no figures", tc.name, got)
		}
	}
}

func TestRefuted(t *testing.T) {
	wrong := errors.New("not as expected")
	for _, tc := range []struct {
		name string
		s    sent
		want bool
	}{
		{"as expected", sent{status: http.StatusOK, want: http.StatusOK}, false},
		{"another answer", sent{status: http.StatusOK, want: http.StatusUnauthorized, err: wrong}, true},
		{"no answer", sent{want: http.StatusOK, err: wrong}, false},
		{"overloaded", sent{status: http.StatusServiceUnavailable, want: http.StatusOK, err: wrong}, false},
		{"limited", sent{status: http.StatusTooManyRequests, want: http.StatusOK, err: wrong}, false},
		{"the status as expected, its body not yet", sent{status: http.StatusOK, want: http.StatusOK, err: wrong}, false},
	} {
		if got := tc.s.refuted(); got != tc.want {
			t.Errorf("%s: refuted %v, want %v", tc.name, got, tc.want)
		}
	}
}
