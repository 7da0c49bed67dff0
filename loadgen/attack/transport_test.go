package attack_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"firedrill/loadgen/attack"
	"firedrill/loadgen/journey"
)

// told is what a server received in one request.
type told struct {
	proto, method, host, agent string
	values                     []string // values of X-Multi
}

func listen(t *testing.T, encrypted bool) (url string, last func() told) {
	t.Helper()
	var mu sync.Mutex
	var got told
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = told{r.Proto, r.Method, r.Host, r.UserAgent(), r.Header.Values("X-Multi")}
	}))
	server.EnableHTTP2 = true
	if encrypted {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server.URL, func() told {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

func TestEncryption(t *testing.T) {
	for transport, proto := range map[string]string{attack.Fast: "HTTP/1.1", attack.Standard: "HTTP/2.0"} {
		t.Run(transport, func(t *testing.T) {
			url, last := listen(t, true)
			for insecure, class := range map[bool]string{true: "", false: "connection"} {
				r := run(t, attack.Config{
					Schedule: whole(t, constant(50, 100*time.Millisecond)), Plan: get(t, url), Transport: transport, Insecure: insecure,
				})
				if got := failures(r); got[class] != 5 {
					t.Errorf("insecure %v: %v, want 5 of %q", insecure, got, class)
				}
			}
			if got := last().proto; got != proto {
				t.Errorf("spoke %s, want %s", got, proto)
			}
		})
	}
}

func TestHeadersArrive(t *testing.T) {
	header := func(name, value string) journey.Header {
		return journey.Header{Name: name, Value: journey.Literal([]byte(value))}
	}
	tests := map[string]struct {
		step journey.Step
		want told
	}{
		"plain": {journey.Step{Method: http.MethodGet}, told{agent: "firedrill-load", method: "GET"}},
		"head":  {journey.Step{Method: http.MethodHead}, told{agent: "firedrill-load", method: "HEAD"}},
		"own": {
			journey.Step{Method: http.MethodDelete, Header: []journey.Header{
				header("host", "shop.example"), header("User-Agent", "me"), header("X-Multi", "a"), header("X-Multi", "b"),
			}},
			told{host: "shop.example", agent: "me", method: "DELETE", values: []string{"a", "b"}},
		},
	}
	for name, tt := range tests {
		for _, transport := range transports() {
			t.Run(name+", "+transport, func(t *testing.T) {
				url, last := listen(t, false)
				tt.step.URL = journey.Literal([]byte(url))
				plan, err := journey.NewPlan(journey.Settings{Scenarios: []journey.Scenario{{Name: "a", Weight: 1, Steps: []journey.Step{tt.step}}}})
				if err != nil {
					t.Fatal(err)
				}
				r := run(t, attack.Config{Schedule: whole(t, constant(50, 100*time.Millisecond)), Plan: plan, Transport: transport})
				if got := failures(r); got[""] != 5 {
					t.Errorf("failures %v", got)
				}
				want := tt.want
				want.proto = "HTTP/1.1"
				if want.host == "" {
					want.host = url[len("http://"):]
				}
				if got := fmt.Sprintf("%+v", last()); got != fmt.Sprintf("%+v", want) {
					t.Errorf("the server was told %s, want %+v", got, want)
				}
			})
		}
	}
}
