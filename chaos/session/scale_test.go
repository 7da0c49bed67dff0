package session

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"firedrill/chaos/run"
)

// TestAwaitScale asks a Prometheus whose rules are evaluated at the second query, or whose
// evaluation fails.
func TestAwaitScale(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer func(question int) (status int, result string)
		want   float64
		err    bool
	}{
		{"at once", func(int) (int, string) { return 200, `[{"metric":{"scale":"60"},"value":[1,"1"]}]` }, 60, false},
		{"later", func(n int) (int, string) {
			if n == 1 {
				return 200, `[]`
			}
			return 200, `[{"metric":{"scale":"1"},"value":[1,"1"]}]`
		}, 1, false},
		{"never, for Prometheus fails", func(int) (int, string) { return 500, `[]` }, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			questions := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				questions++
				status, result := tc.answer(questions)
				w.WriteHeader(status)
				fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":%s}}`, result)
			}))
			defer s.Close()
			target := &Target{Places: map[string]string{placePrometheus: s.URL}}
			got, err := target.awaitScale(t.Context())
			if got != tc.want || (err != nil) != tc.err {
				t.Errorf("scale %v, %v; want %v", got, err, tc.want)
			}
			if errors.Is(err, run.ErrNoData) {
				t.Errorf("a failure is taken for missing data: %v", err)
			}
		})
	}
}
