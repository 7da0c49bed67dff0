package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/trace"
)

// answerTo returns the response and the problem that a client gets when a
// handler returns err.
func answerTo(ctx context.Context, t *testing.T, err error) (*http.Response, Problem) {
	t.Helper()
	app := newApp(Config{}.withDefaults())
	app.Get("/", func(c *fiber.Ctx) error {
		c.SetUserContext(ctx)
		return err
	})
	resp, testErr := app.Test(httptest.NewRequest(http.MethodGet, "/", nil))
	if testErr != nil {
		t.Fatal(testErr)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	var p Problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("the body is not a problem document: %v: %s", err, body)
	}
	return resp, p
}

func TestProblem(t *testing.T) {
	secret := errors.New("dial tcp 10.1.2.3: password=hunter2")
	for _, c := range []struct {
		name   string
		err    error
		status int
		code   Code
		detail string
	}{
		{"code", Errorf(OutOfStock, "not %d left", 3), 409, OutOfStock, "not 3 left"},
		{"wrapped code", fmt.Errorf("reserve: %w", Errorf(Declined, "no")), 402, Declined, "no"},
		{"outermost of two codes", &Error{Code: Unavailable, Err: Errorf(NotFound, "x")}, 503, Unavailable, ""},
		{"cause is not shown", &Error{Code: TimedOut, Err: secret}, 504, TimedOut, ""},
		{"unknown error", secret, 500, Internal, ""},
		{"unknown code", &Error{Code: "nonsense", Detail: "hunter2"}, 500, Internal, ""},
		{"deadline exceeded", fmt.Errorf("read order: %w", context.DeadlineExceeded), 504, TimedOut, ""},
		{"Fiber's 404", fiber.ErrNotFound, 404, NotFound, ""},
		{"Fiber's 405", fiber.ErrMethodNotAllowed, 405, MethodNotAllowed, ""},
		{"Fiber's 413", fiber.ErrRequestEntityTooLarge, 413, TooLarge, ""},
		{"Fiber's 431", fiber.ErrRequestHeaderFieldsTooLarge, 413, TooLarge, ""},
		{"Fiber's 400", fiber.ErrBadRequest, 400, Malformed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, p := answerTo(t.Context(), t, c.err)
			want := Problem{Type: problemType + string(c.code), Title: answers[c.code].title, Status: c.status, Detail: c.detail}
			if resp.StatusCode != c.status || p != want {
				t.Errorf("got %d %+v, want %d %+v", resp.StatusCode, p, c.status, want)
			}
			if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type %q", got)
			}
			if text := fmt.Sprintf("%+v", p); strings.Contains(text, "hunter2") {
				t.Errorf("the problem shows internals: %s", text)
			}
		})
	}
}

func TestProblemHeadersAndTrace(t *testing.T) {
	id := trace.TraceID{1, 2, 3}
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: trace.SpanID{4}}))
	resp, p := answerTo(ctx, t, &Error{Code: TooMany, RetryAfter: 1100 * time.Millisecond, Instance: "/orders/7"})
	if p.TraceID != id.String() || p.Instance != "/orders/7" {
		t.Errorf("problem %+v, want trace %s and instance /orders/7", p, id)
	}
	if got := resp.Header.Get("Retry-After"); got != "2" {
		t.Errorf("Retry-After %q, want 2 (rounded up)", got)
	}
	if got := resp.Header.Get("Location"); got != "/orders/7" {
		t.Errorf("Location %q", got)
	}
	resp, _ = answerTo(t.Context(), t, Errorf(Unauthenticated, "who?"))
	if got := resp.Header.Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate %q, want Bearer", got)
	}
}

func TestEveryCodeHasAnAnswer(t *testing.T) {
	for _, code := range []Code{
		Malformed, Unauthenticated, Declined, NotFound, MethodNotAllowed, OutOfStock, Abandoned, InProgress, Voided,
		TooLarge, UnknownProduct, KeyReused, TooMany, Internal, Unavailable, TimedOut,
	} {
		if a := answers[code]; a.status < 400 || a.title == "" {
			t.Errorf("%s: %+v", code, a)
		}
	}
}

func TestDecode(t *testing.T) {
	type body struct {
		Name string `json:"name"`
		N    int    `json:"n"`
	}
	for _, c := range []struct{ name, text, detail string }{
		{"good", `{"name":"a","n":1}`, ""},
		{"unknown field", `{"nam":"a"}`, `unknown field "nam"`},
		{"wrong type", `{"n":"1"}`, `field "n" must not be a string`},
		{"not JSON", `hello`, "the body is not the expected JSON document"},
		{"empty", ``, "the body is not the expected JSON document"},
		{"two documents", `{"n":1}{"n":2}`, "the body contains more than one JSON document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b body
			err := Decode([]byte(c.text), &b)
			if c.detail == "" {
				if err != nil || b != (body{"a", 1}) {
					t.Fatalf("got %+v, %v", b, err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || e.Code != Malformed || e.Detail != c.detail {
				t.Errorf("got %v, want %s: %s", err, Malformed, c.detail)
			}
		})
	}
}
