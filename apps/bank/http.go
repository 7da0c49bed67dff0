package bank

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/internal/web"
)

const headerKey = "Idempotency-Key"

// statementPage is the most lines of a statement.
const statementPage = 500

// ChargeRequest is the body of POST /charges; its Idempotency-Key is a header.
type ChargeRequest struct {
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Card        string `json:"card"`
}

// Charge is what became of a request. Only an approved one moved money.
type Charge struct {
	ID          string `json:"id"`
	Key         string `json:"key"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Status      string `json:"status"`
}

// Entry is a line of the ledger.
type Entry struct {
	Seq         int64  `json:"seq"`
	Key         string `json:"key"`
	Kind        string `json:"kind"` // "charge" or "refund"
	AmountMinor int64  `json:"amount_minor"`
}

// Statement is the body of GET /statement: entries, oldest first.
type Statement struct {
	Entries []Entry `json:"entries"`
}

func (s *Service) routes(app fiber.Router) {
	app.Post("/charges", s.postCharge)
	app.Post("/charges/:key/void", s.postVoid)
	app.Get("/statement", s.getStatement)
}

// postCharge answers 201 for an approved charge and 402 for a declined one. Half
// of the time it takes is before the money moves and half after, so that a
// client who hangs up early cannot know whether it did.
func (s *Service) postCharge(c *fiber.Ctx) error {
	ctx, key := c.UserContext(), c.Get(headerKey)
	var in ChargeRequest
	if err := web.Decode(c.Body(), &in); err != nil {
		return err
	}
	if key == "" || in.AmountMinor <= 0 || in.Currency == "" {
		return web.Errorf(web.Malformed, "a charge needs a key, an amount above 0 and a currency")
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
	c.Status(http.StatusNoContent) // SendStatus would make a body of it
	return nil
}

func (s *Service) getStatement(c *fiber.Ctx) error {
	entries, err := s.store.statement(c.UserContext(), int64(c.QueryInt("after")), statementPage)
	if err != nil {
		return err
	}
	return c.JSON(Statement{entries})
}
