package attack_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
)

// TestHeadersGoOutAsAsked compares the lines of a request with the ones that were asked for, byte for byte.
func TestHeadersGoOutAsAsked(t *testing.T) {
	tests := map[string]struct {
		method, body string
		header       [][2]string
		want         []string // besides the default User-Agent and the traceparent
	}{
		"nothing":              {method: "GET"},
		"an empty value":       {method: "GET", header: [][2]string{{"X-A", ""}}, want: []string{"X-A: "}},
		"twice":                {method: "GET", header: [][2]string{{"X-A", "1"}, {"X-A", "1"}}, want: []string{"X-A: 1", "X-A: 1"}},
		"spelled in two ways":  {method: "GET", header: [][2]string{{"x-a", "1"}, {"X-A", "2"}}, want: []string{"X-A: 2", "x-a: 1"}},
		"Connection: close":    {method: "GET", header: [][2]string{{"Connection", "close"}}, want: []string{"Connection: close"}},
		"its encoding":         {method: "GET", header: [][2]string{{"Accept-Encoding", "gzip"}}, want: []string{"Accept-Encoding: gzip"}},
		"a cookie":             {method: "GET", header: [][2]string{{"Cookie", "a=b; c=d"}}, want: []string{"Cookie: a=b; c=d"}},
		"a body":               {method: "POST", body: "b", want: []string{"Content-Length: 1"}},
		"a body of a DELETE":   {method: "DELETE", body: "b", want: []string{"Content-Length: 1"}},
		"a body of a GET":      {method: "GET", body: "b", want: []string{"Content-Length: 1"}},
		"a POST without body":  {method: "POST", want: []string{"Content-Length: 0"}},
		"a PATCH without body": {method: "PATCH", want: []string{"Content-Length: 0"}},
	}
	for name, tt := range tests {
		for _, transport := range transports() {
			t.Run(name+", "+transport, func(t *testing.T) {
				url, read := wire(t)
				step := journey.Step{Method: tt.method, URL: journey.Literal([]byte(url)), Body: journey.Literal([]byte(tt.body))}
				for _, h := range tt.header {
					step.Header = append(step.Header, journey.Header{Name: h[0], Value: journey.Literal([]byte(h[1]))})
				}
				plan, err := journey.NewPlan(journey.Settings{Scenarios: []journey.Scenario{{Name: "a", Weight: 1, Steps: []journey.Step{step}}}})
				if err != nil {
					t.Fatal(err)
				}
				r := run(t, attack.Config{Schedule: whole(t, constant(10, 100*time.Millisecond)), Plan: plan, Transport: transport})
				all := read()
				if len(all) != 1 || r.Total(nil).Failed != 0 {
					t.Fatalf("%d requests arrived, %d failed; want one good one", len(all), r.Total(nil).Failed)
				}
				head, body, _ := strings.Cut(all[0], "\r\n\r\n")
				lines := strings.Split(head, "\r\n")
				want := append([]string{"Host: " + url[len("http://"):], "User-Agent: firedrill-load"}, tt.want...)
				got := slices.DeleteFunc(lines[1:], func(line string) bool { return strings.HasPrefix(strings.ToLower(line), "traceparent: ") })
				slices.Sort(got)
				slices.Sort(want)
				if lines[0] != tt.method+" / HTTP/1.1" || !slices.Equal(got, want) || body != tt.body {
					t.Errorf("the server got %q, %q and the body %q; want the lines %q", lines[0], got, body, want)
				}
			})
		}
	}
}
