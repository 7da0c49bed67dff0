package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// step is one request and its expected answer.
type step struct {
	name     string
	want     int // status
	rootless bool
	vital    bool // the later steps make no sense without it
	tries    int  // for an answer with the right status but a wrong body
	call     func(*shopper) call
	learn    func(*shopper, []byte) error // check the body, and keep what later steps need
}

// Names of the steps that checks refer to.
const (
	stepProducts = "list products"
	stepOrder    = "order"
	stepRooted   = "order without a trace context"
	stepRefused  = "wrong password"
)

// Test data of the shop that is always refused.
const (
	soldOut      = "p-050"
	declinedCard = "card-declined"
)

// steps returns the requests of a run: a customer's usual requests, and each refusal of the shop that needs no
// fault.
func steps() []step {
	return []step{
		{name: "log in", want: http.StatusOK, vital: true, call: login(func(c Config) (string, string) { return c.User, c.Password }),
			learn: func(s *shopper, b []byte) error { return learnText(b, "token", &s.token) }},
		{name: "log in as another", want: http.StatusOK, call: login(func(c Config) (string, string) { return c.Other, c.OtherPassword }),
			learn: func(s *shopper, b []byte) error { return learnText(b, "token", &s.other) }},
		{name: stepRefused, want: http.StatusUnauthorized, call: login(func(c Config) (string, string) { return c.User, "not " + c.Password })},
		{name: stepProducts, want: http.StatusOK, vital: true, call: get("/products"), learn: learnProduct},
		{name: "one product", want: http.StatusOK, call: func(s *shopper) call { return call{method: http.MethodGet, path: "/products/" + s.product} },
			learn: func(s *shopper, b []byte) error { return learnSame(b, "id", s.product) }},
		{name: stepOrder, want: http.StatusCreated, call: order("", ""),
			learn: func(s *shopper, b []byte) error { return learnText(b, "id", &s.order) }},
		{name: "own order, shipped", want: http.StatusOK, tries: 20, call: func(s *shopper) call { return s.read(s.token) },
			learn: func(_ *shopper, b []byte) error { return learnSame(b, "status", "shipped") }},
		{name: "another's order", want: http.StatusNotFound, call: func(s *shopper) call { return s.read(s.other) }},
		{name: "no token", want: http.StatusUnauthorized, call: func(s *shopper) call { return s.read("") }},
		{name: "sold out", want: http.StatusConflict, call: order(soldOut, "")},
		{name: "declined card", want: http.StatusPaymentRequired, call: order("", declinedCard)},
		{name: "malformed order", want: http.StatusBadRequest, call: func(s *shopper) call {
			return call{http.MethodPost, "/orders", s.token, randomHex(16), map[string]any{"lines": "none"}}
		}},
		{name: "no such route", want: http.StatusNotFound, call: get("/verify/no/such/route")},
		rooted(),
	}
}

// rooted returns an order without a trace context, so that its trace begins at the gateway.
func rooted() step {
	return step{name: stepRooted, want: http.StatusCreated, rootless: true, call: order("", "")}
}

func get(path string) func(*shopper) call {
	return func(*shopper) call { return call{method: http.MethodGet, path: path} }
}

func login(who func(Config) (user, password string)) func(*shopper) call {
	return func(s *shopper) call {
		user, password := who(s.run.cfg)
		return call{method: http.MethodPost, path: "/login", body: map[string]string{"user": user, "password": password}}
	}
}

// order buys one piece. By default it is of a product that is in stock, with a card that is accepted. The
// idempotency key is new each time, so each try is a separate order.
func order(product, card string) func(*shopper) call {
	return func(s *shopper) call {
		line := map[string]any{"product_id": s.product, "quantity": 1}
		if product != "" {
			line["product_id"] = product
		}
		body := map[string]any{"lines": []any{line}}
		if card != "" {
			body["card"] = card
		}
		return call{http.MethodPost, "/orders", s.token, "verify-" + randomHex(16), body}
	}
}

func (s *shopper) read(token string) call {
	return call{method: http.MethodGet, path: "/orders/" + s.order, token: token}
}

func learnProduct(s *shopper, body []byte) error {
	var list struct {
		Products []struct{ ID string }
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	if len(list.Products) == 0 {
		return errors.New("there is no product")
	}
	s.product = list.Products[0].ID
	return nil
}

func learnText(body []byte, key string, into *string) error {
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil {
		return err
	}
	text, _ := fields[key].(string)
	if text == "" {
		return fmt.Errorf("it has no %q", key)
	}
	*into = text
	return nil
}

func learnSame(body []byte, key, want string) error {
	var got string
	if err := learnText(body, key, &got); err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s is %q, want %q", key, got, want)
	}
	return nil
}
