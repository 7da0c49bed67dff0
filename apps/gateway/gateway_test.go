package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"firedrill/apps/catalog"
	"firedrill/apps/internal/web"
	"firedrill/apps/orders"
	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// backend is a fake of catalog and orders. It records the last order.
type backend struct {
	err  error
	user orders.User
	key  string
	r    orders.PlaceRequest
}

func (b *backend) Products(context.Context) ([]catalog.Product, error) {
	return []catalog.Product{{ID: "p-001", PriceMinor: 499}}, b.err
}

func (b *backend) Product(_ context.Context, id string) (catalog.Product, error) {
	return catalog.Product{ID: id}, b.err
}

func (b *backend) Place(_ context.Context, u orders.User, key string, r orders.PlaceRequest) (orders.Order, error) {
	b.user, b.key, b.r = u, key, r
	return orders.Order{ID: "o-1", UserID: u.ID}, b.err
}

func (b *backend) Order(_ context.Context, u orders.User, id string) (orders.Order, error) {
	b.user = u
	return orders.Order{ID: id, UserID: u.ID}, b.err
}

func (b *backend) Healthy(context.Context) error { return b.err }

var testKey = []byte("0123456789abcdef0123456789abcdef")

// gateway is a running gateway.
type gateway struct {
	*Service
	backend *backend
	tel     *telemetry.Telemetry
}

func start(t *testing.T, cfg Config) *gateway {
	t.Helper()
	cfg.Addr, cfg.AdminAddr, cfg.JWTKey = "127.0.0.1:0", "127.0.0.1:0", testKey
	g := &gateway{backend: new(backend), tel: telemetrytest.New(t, telemetry.Config{Service: Name})}
	s, err := New(t.Context(), cfg, Deps{Telemetry: g.tel, Catalog: g.backend, Orders: g.backend})
	if err != nil {
		t.Fatal(err)
	}
	g.Service = s
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return g
}

// send sends a request with headers in the form "Name: value".
func (g *gateway) send(t *testing.T, method, path, body string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, answer
}

// login returns the Authorization header of a user.
func (g *gateway) login(t *testing.T, user string) string {
	t.Helper()
	resp, body := g.send(t, http.MethodPost, "/login", `{"user":"`+user+`","password":"demo-`+user+`"}`)
	var out LoginResponse
	if err := json.Unmarshal(body, &out); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("login: %d %s, %v", resp.StatusCode, body, err)
	}
	return "Authorization: Bearer " + out.Token
}

func TestLogin(t *testing.T) {
	g := start(t, Config{TokenTTL: 2 * time.Minute})
	for body, want := range map[string]int{
		`{"user":"user-0001","password":"demo-user-0001"}`:                         200,
		`{"user":"user-1000","password":"demo-user-1000"}`:                         200,
		`{"user":"staff-05","password":"demo-staff-05"}`:                           200,
		`{"user":"user-1001","password":"demo-user-1001"}`:                         401,
		`{"user":"user-0001","password":"demo-user-0002"}`:                         401,
		`{"user":"","password":"demo-"}`:                                           401,
		`{"user":"user-0001"}`:                                                     401,
		`{"name":"user-0001"}`:                                                     400,
		`{"user":"` + strings.Repeat("x", longestName+1) + `","password":"demo-"}`: 400,
	} {
		resp, answer := g.send(t, http.MethodPost, "/login", body)
		if resp.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", body, resp.StatusCode, answer, want)
		}
	}
	resp, body := g.send(t, http.MethodPost, "/login", `{"user":"user-0002","password":"demo-user-0002"}`)
	var out LoginResponse
	if err := json.Unmarshal(body, &out); err != nil || out.ExpiresIn != 120 || out.TokenType != "Bearer" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %+v, %v, Cache-Control %q", out, err, resp.Header.Get("Cache-Control"))
	}
	want := map[string]float64{"outcome=ok": 4, "outcome=denied": 4}
	if got := telemetrytest.Series(t, g.tel.Registry(), "shop_logins_total"); !reflect.DeepEqual(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func TestOrders(t *testing.T) {
	g := start(t, Config{})
	token := g.login(t, "user-0007")
	resp, body := g.send(t, http.MethodPost, "/orders", `{"lines":[{"product_id":"p-001","quantity":2}],"card":"c"}`, token, "Idempotency-Key: k")
	if resp.StatusCode != http.StatusCreated || resp.Header.Get("Location") != "/orders/o-1" {
		t.Errorf("place: %d %s at %q", resp.StatusCode, body, resp.Header.Get("Location"))
	}
	got := *g.backend
	want := backend{user: orders.User{ID: "user-0007", Role: roleCustomer}, key: "k",
		r: orders.PlaceRequest{Lines: []catalog.Line{{ProductID: "p-001", Quantity: 2}}, Card: "c"}}
	if got.user != want.user || got.key != want.key || !reflect.DeepEqual(got.r, want.r) {
		t.Errorf("orders got %+v, want %+v", got, want)
	}
	staffToken := g.login(t, "staff-01")
	if resp, body := g.send(t, http.MethodGet, "/orders/o-9", "", staffToken); resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "o-9") {
		t.Errorf("order of another user for staff: %d %s", resp.StatusCode, body)
	}
	if want := (orders.User{ID: "staff-01", Role: orders.RoleStaff}); g.backend.user != want {
		t.Errorf("orders got user %+v, want %+v", g.backend.user, want)
	}
	if resp, _ := g.send(t, http.MethodPost, "/orders", `{"line":[]}`, token); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("unknown field: status %d, want 400", resp.StatusCode)
	}
	// A problem from orders is passed on with the trace id of this request.
	g.backend.err = &web.Error{Code: web.TimedOut, Instance: "/orders/o-1", Detail: "pending", RetryAfter: time.Second}
	resp, body = g.send(t, http.MethodPost, "/orders", `{"lines":[]}`, token)
	var p web.Problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusGatewayTimeout || resp.Header.Get("Retry-After") != "1" || resp.Header.Get("Location") != "/orders/o-1" ||
		p.Type != "urn:firedrill:problem:timed-out" || p.Detail != "pending" || p.TraceID == "" || p.TraceID != resp.Header.Get("X-Trace-Id") {
		t.Errorf("failed: %d %v %s", resp.StatusCode, resp.Header, body)
	}
}

func TestAuthentication(t *testing.T) {
	g := start(t, Config{})
	claimsOf := func(change func(*claims)) claims {
		c := claims{Role: orders.RoleStaff, RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{issuer}, Subject: "user-0001", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute)),
		}}
		change(&c)
		return c
	}
	sign := func(method jwt.SigningMethod, key any, c claims) string {
		token, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + token
	}
	same := func(*claims) {}
	for name, c := range map[string]struct {
		header string
		want   int
	}{
		"good":             {sign(jwt.SigningMethodHS256, testKey, claimsOf(same)), 200},
		"no header":        {"X: y", 401},
		"basic":            {"Authorization: Basic dTpw", 401},
		"not a token":      {"Authorization: Bearer nonsense", 401},
		"another key":      {sign(jwt.SigningMethodHS256, []byte("another"), claimsOf(same)), 401},
		"no signature":     {sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claimsOf(same)), 401},
		"another method":   {sign(jwt.SigningMethodHS512, testKey, claimsOf(same)), 401},
		"expired":          {sign(jwt.SigningMethodHS256, testKey, claimsOf(func(c *claims) { c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(-time.Second)) })), 401},
		"never expires":    {sign(jwt.SigningMethodHS256, testKey, claimsOf(func(c *claims) { c.ExpiresAt = nil })), 401},
		"another issuer":   {sign(jwt.SigningMethodHS256, testKey, claimsOf(func(c *claims) { c.Issuer = "x" })), 401},
		"another audience": {sign(jwt.SigningMethodHS256, testKey, claimsOf(func(c *claims) { c.Audience = jwt.ClaimStrings{"x"} })), 401},
	} {
		if resp, body := g.send(t, http.MethodGet, "/orders/1", "", c.header); resp.StatusCode != c.want {
			t.Errorf("%s: %d %s, want %d", name, resp.StatusCode, body, c.want)
		}
	}
}

func TestRateLimits(t *testing.T) {
	g := start(t, Config{User: Rate{0.1, 3}, Address: Rate{0.1, 12}})
	one, two := g.login(t, "user-0001"), g.login(t, "user-0002") // requests 1 and 2 of the address
	ask := func(token string) (int, string) {
		resp, _ := g.send(t, http.MethodGet, "/orders/1", "", token)
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	for i := range 3 {
		if status, _ := ask(one); status != 200 {
			t.Errorf("request %d: %d", i, status)
		}
	}
	if status, after := ask(one); status != 429 || after != "10" {
		t.Errorf("user over the limit: %d, Retry-After %q; want 429 and 10", status, after)
	}
	for i := range 3 {
		if status, _ := ask(two); status != 200 {
			t.Errorf("another user, request %d: %d", i, status)
		}
	}
	for range 3 { // requests 10 to 12 of the address
		g.send(t, http.MethodGet, "/products", "")
	}
	if resp, _ := g.send(t, http.MethodGet, "/products", ""); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("address over the limit: %d, want 429", resp.StatusCode)
	}
	if resp, _ := g.send(t, http.MethodGet, "/healthz", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("healthz over the address limit: %d, want 200", resp.StatusCode)
	}
	want := map[string]float64{"limit=user": 1, "limit=address": 1}
	if got := telemetrytest.Series(t, g.tel.Registry(), "shop_rate_limited_total"); !reflect.DeepEqual(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// Login attempts are limited by user name, so guessing a password is slow.
func TestLoginAttemptsAreLimited(t *testing.T) {
	g := start(t, Config{User: Rate{0.1, 3}})
	var statuses []int
	for range 4 {
		resp, _ := g.send(t, http.MethodPost, "/login", `{"user":"user-0001","password":"guess"}`)
		statuses = append(statuses, resp.StatusCode)
	}
	if want := []int{401, 401, 401, 429}; !reflect.DeepEqual(statuses, want) {
		t.Errorf("got %v, want %v", statuses, want)
	}
}

func TestHeaders(t *testing.T) {
	g := start(t, Config{Origins: []string{"https://shop.example"}})
	resp, _ := g.send(t, http.MethodGet, "/products", "", "Origin: https://shop.example")
	for name, want := range map[string]string{
		"X-Content-Type-Options":        "nosniff",
		"X-Frame-Options":               "DENY",
		"Content-Security-Policy":       "default-src 'none'; frame-ancestors 'none'",
		"Referrer-Policy":               "no-referrer",
		"Access-Control-Allow-Origin":   "https://shop.example",
		"Access-Control-Expose-Headers": "Location,Retry-After,X-Trace-Id",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	resp, _ = g.send(t, http.MethodGet, "/products", "", "Origin: https://evil.example")
	if got := resp.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("another origin is allowed: %q", got)
	}
	resp, _ = g.send(t, http.MethodOptions, "/orders", "", "Origin: https://shop.example", "Access-Control-Request-Method: POST")
	if resp.StatusCode != http.StatusNoContent || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("preflight: %d %v", resp.StatusCode, resp.Header)
	}
}

func TestInvalidConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no key":    {},
		"short key": {JWTKey: testKey[1:]},
		"no rate":   {JWTKey: testKey, User: Rate{0, 1}},
		"no burst":  {JWTKey: testKey, Address: Rate{1, 0}},
	} {
		if _, err := New(t.Context(), cfg, Deps{Telemetry: telemetrytest.New(t, telemetry.Config{})}); err == nil ||
			!strings.Contains(err.Error(), "configure gateway") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
