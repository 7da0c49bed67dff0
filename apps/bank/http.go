package bank

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/internal/web"
)

const headerKey = "Idempotency-Key"

// statementPage is the maximum number of entries of a statement.
const statementPage = 500

// ChargeRequest is the body of POST /charges. The header Idempotency-Key has
// the key.
type ChargeRequest struct {
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Card        string `json:"card"`
}

// Charge is the result of a charge request. Money moved only if it is approved.
type Charge struct {
	ID          string `json:"id"`
	Key         string `json:"key"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Status      string `json:"status"`
}

// Entry is an entry of the ledger.
type Entry struct {
	Seq         int64  `json:"seq"`
	Key         string `json:"key"`
	Kind        string `json:"kind"` // "charge" or "refund"
	AmountMinor int64  `json:"amount_minor"`
}

// Statement is the body of GET /statement: a page of entries, oldest first.
type Statement struct {
	Entries []Entry `json:"entries"`
}

func (s *Service) routes(app fiber.Router) {
	app.Post("/charges", s.postCharge)
	app.Post("/charges/:key/void", s.postVoid)
	app.Get("/statement", s.getStatement)
}

// postCharge responds with 201 if the charge is approved and 402 if it is
// declined. Half of the latency comes before the money moves and half after it,
// so a client that disconnects early cannot know whether it was charged.
func (s *Service) postCharge(c *fiber.Ctx) error {
	ctx, key := c.UserContext(), c.Get(headerKey)
	var in ChargeRequest
	if err := web.Decode(c.Body(), &in); err != nil {
		return err
	}
	if key == "" || in.AmountMinor <= 0 || in.Currency == "" {
		return web.Errorf(web.Malformed, "a charge needs a key, an amount greater than 0 and a currency")
	}
	half := s.moods.latency() / 2
	if err := wait(ctx, half); err != nil {
		return err
	}
	status := Approved
	if s.moods.declines(key, in.Card) {
		status = Declined
	}
	charge, err := s.store.charge(ctx, key, in, status)
	if err != nil {
		return err
	}
	if err := wait(ctx, half); err != nil {
		return err
	}
	if charge.Status == Declined {
		return web.Errorf(web.Declined, "the card was declined")
	}
	return c.Status(http.StatusCreated).JSON(charge)
}

func (s *Service) postVoid(c *fiber.Ctx) error {
	if err := wait(c.UserContext(), s.moods.latency()); err != nil {
		return err
	}
	if err := s.store.void(c.UserContext(), c.Params("key")); err != nil {
		return err
	}
	c.Status(http.StatusNoContent) // SendStatus would add a body
	return nil
}

func (s *Service) getStatement(c *fiber.Ctx) error {
	entries, err := s.store.statement(c.UserContext(), int64(c.QueryInt("after")), statementPage)
	if err != nil {
		return err
	}
	return c.JSON(Statement{entries})
}
