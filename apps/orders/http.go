package orders

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"

	"firedrill/apps/catalog"
	"firedrill/apps/internal/web"
)

// The headers of a request. The gateway verifies the user and sets headerUser
// and headerRole, so no other client may reach this service.
const (
	headerUser = "X-User-Id"
	headerRole = "X-User-Role"
	headerKey  = "Idempotency-Key"
)

// RoleStaff is the role of users who may see all orders.
const RoleStaff = "staff"

// CardOK is the card if a request has none. The bank may still decline it.
const CardOK = "card-ok"

const (
	maxLines   = 20
	maxCard    = 64  // bytes
	maxKey     = 128 // bytes
	retryAfter = time.Second
)

// PlaceRequest is the body of POST /orders.
type PlaceRequest struct {
	Lines []catalog.Line `json:"lines"`
	Card  string         `json:"card,omitempty"` // default CardOK
}

func (r PlaceRequest) validate() error {
	if len(r.Lines) == 0 || len(r.Lines) > maxLines {
		return web.Errorf(web.Malformed, "%d lines: want 1 to %d", len(r.Lines), maxLines)
	}
	if len(r.Card) > maxCard {
		return web.Errorf(web.Malformed, "the card name is longer than %d bytes", maxCard)
	}
	return catalog.ValidateLines(r.Lines)
}

// fingerprint returns a hash of the request. Equal requests have equal
// fingerprints.
func (r PlaceRequest) fingerprint() string {
	sum := sha256.Sum256([]byte(toJSON(r)))
	return hex.EncodeToString(sum[:])
}

func (s *Service) routes(app fiber.Router) {
	app.Post("/orders", s.postOrder)
	app.Get("/orders/:id", s.getOrder)
	app.Post("/orders/:id/shipped", s.postShipped)
}

// postOrder places an order and runs its saga as far as possible within the
// time of the request. The responses are:
//
//	201 confirmed, also when the same request is repeated later
//	402 the bank declined; 409 out of stock; 422 unknown product: the order failed
//	409 in-progress: the first request with this key is still running
//	422 the key was used for another request
//	503, 504 a dependency is down or slow: the order is pending. Location has its
//	    path. It will be finished or undone in the background. The client may
//	    repeat the request with the same key to get the outcome.
func (s *Service) postOrder(c *fiber.Ctx) error {
	o, key, fingerprint, err := s.newOrder(c)
	if err != nil {
		return err
	}
	ctx := c.UserContext()
	o, mine, err := s.store.place(ctx, o, key, fingerprint)
	if err != nil {
		return err
	}
	if !mine && !o.state.settled() {
		if mine, err = s.store.claim(ctx, o.id); err != nil {
			return err
		}
		if !mine && o.state.Status() == StatusPending {
			return inProgress(o.path())
		}
	}
	if mine {
		err = s.saga.run(ctx, o, firstPause)
	}
	return s.answer(c, o, err)
}

// newOrder creates an order from a request.
func (s *Service) newOrder(c *fiber.Ctx) (o *order, key, fingerprint string, err error) {
	var in PlaceRequest
	if err := web.Decode(c.Body(), &in); err != nil {
		return nil, "", "", err
	}
	if err := in.validate(); err != nil {
		return nil, "", "", err
	}
	user, key := c.Get(headerUser), c.Get(headerKey)
	if user == "" {
		return nil, "", "", web.Errorf(web.Unauthenticated, "the request has no user")
	}
	if len(key) > maxKey {
		return nil, "", "", web.Errorf(web.Malformed, "the idempotency key is longer than %d bytes", maxKey)
	}
	if key == "" {
		key = uuid.NewString() // a new key never matches an earlier one
	}
	fingerprint = in.fingerprint()
	id, err := uuid.NewV7()
	if err != nil {
		return nil, "", "", err
	}
	o = &order{id: id.String(), userID: user, card: in.Card, state: Placed, currency: catalog.Currency, trace: map[string]string{}}
	if o.card == "" {
		o.card = CardOK
	}
	for _, line := range in.Lines {
		o.lines = append(o.lines, catalog.PricedLine{Line: line})
	}
	s.tel.Propagator().Inject(c.UserContext(), propagation.MapCarrier(o.trace))
	return o, key, fingerprint, nil
}

func (s *Service) answer(c *fiber.Ctx, o *order, cause error) error {
	switch o.state.Status() {
	case StatusConfirmed, StatusShipped:
		c.Set(fiber.HeaderLocation, o.path())
		return c.Status(http.StatusCreated).JSON(o.view())
	case StatusFailed: // undoing may still go on, but the client has the outcome
		return &web.Error{Code: o.reason.code(), Instance: o.path(), Err: cause}
	case StatusPending:
	}
	code := web.CodeOf(cause)
	if code != web.Unavailable && code != web.TimedOut {
		return cause
	}
	return &web.Error{
		Code: code, Instance: o.path(), RetryAfter: retryAfter, Err: cause,
		Detail: "the order is pending; get it later, or repeat the request with the same key",
	}
}

// getOrder returns an order to its user and to staff. For other users the
// response is 404, so that nobody can probe for ids.
func (s *Service) getOrder(c *fiber.Ctx) error {
	id := c.Params("id")
	o, err := s.store.find(c.UserContext(), id)
	if err != nil {
		return err
	}
	if o.userID != c.Get(headerUser) && c.Get(headerRole) != RoleStaff {
		return web.Errorf(web.NotFound, "no order %q", id)
	}
	return c.JSON(o.view())
}

// postShipped is called by shipping. It may be repeated.
func (s *Service) postShipped(c *fiber.Ctx) error {
	o, shipped, err := s.store.ship(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	if shipped {
		s.saga.metrics.shipped(c.UserContext(), o.shippedAt.Sub(o.confirmedAt))
	}
	c.Status(http.StatusNoContent) // SendStatus would add a body
	return nil
}
