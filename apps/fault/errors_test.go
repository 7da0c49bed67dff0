package fault

import (
	"net/http"
	"strings"
	"testing"

	"firedrill/apps/fault/client"
)

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		params map[string]any
		get    int // status of GET /orders/7 while it is on
		post   int // and of POST /orders
	}{
		{"all", nil, 500, 500},
		{"by status", map[string]any{"status": 503}, 503, 503},
		{"by code", map[string]any{"code": "out-of-stock"}, 409, 409},
		{"of a template", map[string]any{"route": "/orders"}, 204, 500},
		{"of a method and a template", map[string]any{"route": "GET /orders/:id", "status": 404}, 404, 204},
		{"none", map[string]any{"ratio": 0}, 204, 204},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSet(t, "orders")
			app := shop(s)
			end := begin(t, s, "errors", c.params)
			if got := ask(app, http.MethodGet, "/orders/7"); got != c.get {
				t.Errorf("GET: %d, want %d", got, c.get)
			}
			if got := ask(app, http.MethodPost, "/orders"); got != c.post {
				t.Errorf("POST: %d, want %d", got, c.post)
			}
			if got := ask(app, http.MethodGet, "/healthz"); got != 200 {
				t.Errorf("health: %d", got)
			}
			end()
			if got := ask(app, http.MethodGet, "/orders/7"); got != 204 {
				t.Errorf("afterwards: %d, want 204", got)
			}
		})
	}
}

func TestErrorsRatio(t *testing.T) {
	run := func() (failed int) {
		s := newSet(t, "orders")
		app := shop(s)
		begin(t, s, "errors", map[string]any{"ratio": 0.02})
		for range 5000 {
			if ask(app, http.MethodPost, "/orders") == 500 {
				failed++
			}
		}
		return failed
	}
	failed := run() // expected 100, σ 9.9
	if failed < 60 || failed > 140 {
		t.Errorf("%d of 5000 failed, want about 100", failed)
	}
	if again := run(); again != failed {
		t.Errorf("with the same seed %d failed, then %d", failed, again)
	}
}

func TestErrorsOfARouteThatIsNotThere(t *testing.T) {
	s := newSet(t, "orders")
	shop(s)
	_, err := s.Begin(t.Context(), "a", Spec{Kind: "errors", Params: map[string]any{"route": "PUT /orders"}}, client.MaxLease)
	if err == nil || !strings.Contains(err.Error(), `parameter "route": orders serves no "PUT /orders"`) {
		t.Errorf("got %v", err)
	}
}
