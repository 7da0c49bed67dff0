package payments

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/internal/web"
)

// ChargeRequest is the body of POST /charges. An order is charged once, so its
// id is the idempotency key.
type ChargeRequest struct {
	OrderID     string `json:"order_id"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Card        string `json:"card"`
}

// Charge is the charge of one order.
type Charge struct {
	OrderID     string `json:"order_id"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Status      string `json:"status"`
	BankID      string `json:"bank_id"`
}

func (s *Service) routes(app fiber.Router) {
	app.Post("/charges", s.postCharge)
	app.Delete("/charges/:order", s.deleteCharge)
}

func (s *Service) postCharge(c *fiber.Ctx) error {
	var in ChargeRequest
	if err := web.Decode(c.Body(), &in); err != nil {
		return err
	}
	if in.OrderID == "" || in.AmountMinor <= 0 || in.Currency == "" {
		return web.Errorf(web.Malformed, "a charge needs an order_id, an amount greater than 0 and a currency")
	}
	charge, err := s.charge(c.UserContext(), in)
	s.metrics.charges.WithLabelValues(outcome(err)).Inc()
	if err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(charge)
}

func (s *Service) deleteCharge(c *fiber.Ctx) error {
	err := s.refund(c.UserContext(), c.Params("order"))
	s.metrics.refunds.WithLabelValues(outcome(err)).Inc()
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent) // SendStatus would add a body
	return nil
}
