package fault

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"firedrill/apps/fault/client"
	"firedrill/apps/fault/kinds"
	"firedrill/apps/internal/web"
)

// admin serves the pages of the Set as a service's admin listener does.
func admin(s *Set) *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, page := range s.Admin() {
		mux.Handle(pattern, page)
	}
	return mux
}

func do(mux http.Handler, method, path, token, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	return w
}

func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "gateway")
		shop(s)
		mux := admin(s)
		const errors503 = `{"kind":"errors","params":{"status":503},"lease_seconds":10}`
		for _, c := range []struct {
			method, path, body string
			status             int
			want               string // in the answer
		}{
			{"PUT", "/faults/a", errors503, 201, ""},
			{"PUT", "/faults/a", errors503, 200, ""},
			{"PUT", "/faults/a", `{"kind":"errors","params":{"status":503},"lease_seconds":20}`, 200, ""},
			{"PUT", "/faults/a", `{"kind":"errors","lease_seconds":10}`, 409, "other parameters"},
			{"PUT", "/faults/b", `{"kind":"token_skew","params":{"offset":"1h"},"lease_seconds":1.5,"seed":7}`, 201, ""},
			{"PUT", "/faults/c", `{"kind":"errors","params":{"ratio":1.5},"lease_seconds":10}`, 400, `parameter \"ratio\": 1.5`},
			{"PUT", "/faults/c", `{"kind":"errors","lease_seconds":0.5}`, 400, "lease_seconds 0.5: want 1 to 600"},
			{"PUT", "/faults/c", `{"kind":"errors","lease_seconds":601}`, 400, "lease_seconds 601"},
			{"PUT", "/faults/c", `{"kind":"errors"}`, 400, "lease_seconds 0"},
			{"PUT", "/faults/c", `{"kind":"errors","lease_seconds":10,"colour":"red"}`, 400, `unknown field \"colour\"`},
			{"PUT", "/faults/c", `{"kind":"slow_query","lease_seconds":10}`, 400, "gateway cannot show it"},
			{"PUT", "/faults/%20", errors503, 400, "id"},
			{"PUT", "/faults/c", strings.Repeat(" ", maxBody+1), 413, ""},
			{"DELETE", "/faults/a", "", 204, ""},
			{"DELETE", "/faults/a", "", 204, ""},
			{"DELETE", "/faults", "", 204, ""},
			{"DELETE", "/faults", "", 204, ""},
		} {
			for _, wrong := range []string{"", "let", testToken + "!"} {
				if w := do(mux, c.method, c.path, wrong, c.body); w.Code != http.StatusUnauthorized {
					t.Errorf("%s %s with token %q: %d", c.method, c.path, wrong, w.Code)
				}
			}
			w := do(mux, c.method, c.path, testToken, c.body)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("%s %s %.80s: %d %s; want %d and %q", c.method, c.path, c.body, w.Code, w.Body, c.status, c.want)
			}
		}
	})
}

func TestStatusPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, "gateway")
		mux := admin(s)
		do(mux, "PUT", "/faults/a", testToken, `{"kind":"token_skew","params":{"offset":"1h"},"lease_seconds":1.5,"seed":7,"told":true}`)
		w := do(mux, "GET", "/faults", testToken, "")
		var got Status
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		if got.Service != "gateway" || strings.Join(got.Kinds, " ") !=
			"bad_deploy cpu_burn errors gc_pressure goroutine_leak latency lock_contention memory_leak reroute token_skew unready" {
			t.Errorf("it is %s and shows %v", got.Service, got.Kinds)
		}
		a := got.Active[0]
		if a.ID != "a" || a.Kind != "token_skew" || a.Params["offset"] != "1h" || a.Seed != 7 || !a.Told || time.Until(a.Ends) != 1500*time.Millisecond {
			t.Errorf("active is %+v", a)
		}
	})
}

func TestOffIsNotFound(t *testing.T) {
	off, err := New(Config{Service: "gateway"})
	if err != nil || off != nil {
		t.Fatalf("without a token: %v, %v; want nil", off, err)
	}
	if w := do(admin(off), "GET", "/faults", "", ""); w.Code != http.StatusNotFound {
		t.Errorf("%d, want 404", w.Code)
	}
}

func TestClient(t *testing.T) {
	s := newSet(t, "bank")
	srv := httptest.NewServer(admin(s))
	defer srv.Close()
	off := httptest.NewServer(http.NotFoundHandler())
	defer off.Close()
	ctx, unready := t.Context(), Spec{Kind: "unready"}
	c := client.New("bank", srv.URL, testToken, http.DefaultClient)
	for _, id := range []string{"a", "a", "b"} {
		if err := c.Begin(ctx, id, unready, time.Minute); err != nil {
			t.Error(err)
		}
	}
	if st, err := c.Status(ctx); err != nil || len(st.Active) != 2 || st.Active[0].ID != "a" || !s.unready.on() {
		t.Errorf("%+v, %v", st, err)
	}
	for range 2 {
		if err := c.End(ctx, "a"); err != nil {
			t.Error(err)
		}
	}
	if err := c.EndAll(ctx); err != nil || s.unready.on() {
		t.Errorf("afterwards on %v, %v", s.unready.on(), err)
	}
	if err := c.Begin(ctx, "a", Spec{Kind: "errors", Params: map[string]any{"ratio": 2}}, time.Minute); err == nil || !strings.Contains(err.Error(), `"ratio"`) {
		t.Errorf("a bad parameter: %v", err)
	}
	if err := c.Begin(ctx, "b", unready, time.Minute); err != nil {
		t.Error(err)
	}
	for want, err := range map[error]error{
		client.ErrTaken: c.Begin(ctx, "b", Spec{Kind: "cpu_burn"}, time.Minute),
		client.ErrToken: client.New("bank", srv.URL, "guess", http.DefaultClient).End(ctx, "b"),
		client.ErrOff:   client.New("bank", off.URL, testToken, http.DefaultClient).EndAll(ctx),
	} {
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// Whatever is sent, it is refused or a fault that its kind accepts.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"kind":"errors","params":{"status":503},"lease_seconds":10}`,
		`{"kind":"latency","params":{"median":"1s","spread":1e308},"lease_seconds":1e300,"seed":18446744073709551615}`,
		`{"kind":"reroute","params":{"from":[],"to":{}},"lease_seconds":-1,"told":true}`,
		`{"kind":"cpu_burn","params":null}{}`, `[]`, ``,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		spec, lease, err := decode("a", []byte(body))
		if err != nil {
			if code := web.CodeOf(err); code != web.Malformed {
				t.Errorf("refused as %s: %v", code, err)
			}
			return
		}
		if lease < client.MinLease || lease > client.MaxLease {
			t.Errorf("a lease of %v", lease)
		}
		kind, err := kinds.Of(spec.Kind)
		if err != nil {
			return
		}
		v, err := kind.Values(spec.Params)
		if err == nil && len(v) != len(kind.Params) {
			t.Errorf("%d values for %d parameters", len(v), len(kind.Params))
		}
		_ = kind.Check(spec.Params) // does not panic
	})
}
