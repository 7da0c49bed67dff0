package profile

import (
	"net/http"
	"strings"
	"testing"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// TestHeadersThatARequestHasOnce refuses what one of the transports would change.
func TestHeadersThatARequestHasOnce(t *testing.T) {
	tests := map[string]struct {
		header http.Header
		want   string // part of the error; "": no error
	}{
		"one of each":              {http.Header{"Host": {"a"}, "User-Agent": {"b"}, "Content-Length": {"1"}}, ""},
		"two hosts":                {http.Header{"Host": {"a", "b"}}, "Host comes 2 times"},
		"two hosts, one lowercase": {http.Header{"Host": {"a"}, "host": {"b"}}, "Host comes 2 times"},
		"two agents":               {http.Header{"User-Agent": {"a", "b"}}, "User-Agent comes 2 times"},
		"two lengths":              {http.Header{"Content-Length": {"1", "1"}}, "Content-Length"},
		"a wrong length":           {http.Header{"Content-Length": {"2"}}, "Content-Length"},
		"no host":                  {http.Header{"Host": {""}}, "Host is empty"},
		"no agent":                 {http.Header{"User-Agent": {""}}, "User-Agent is empty"},
		"others may come twice":    {http.Header{"X-A": {"1", "1", ""}}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := checkTarget(&vegeta.Target{Method: "POST", Body: []byte("b"), Header: tt.header})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
