package catalog

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/internal/web"
)

// productList is the body of GET /products.
type productList struct {
	Products []Product `json:"products"`
}

// reserveRequest is the body of POST /reservations.
type reserveRequest struct {
	OrderID string `json:"order_id"`
	Lines   []Line `json:"lines"`
}

func (s *Service) routes(app fiber.Router) {
	app.Get("/products", s.getProducts)
	app.Get("/products/:id", s.getProduct)
	app.Post("/reservations", s.postReservation)
	app.Delete("/reservations/:order", s.deleteReservation)
}

func (s *Service) getProducts(c *fiber.Ctx) error {
	all, err := s.lists.get(c.UserContext(), "all")
	if err != nil {
		return err
	}
	return c.JSON(productList{all})
}

func (s *Service) getProduct(c *fiber.Ctx) error {
	p, err := s.products.get(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(p)
}

func (s *Service) postReservation(c *fiber.Ctx) error {
	var in reserveRequest
	if err := web.Decode(c.Body(), &in); err != nil {
		return err
	}
	if err := in.validate(); err != nil {
		return err
	}
	r, err := s.store.reserve(c.UserContext(), in.OrderID, in.Lines)
	s.metrics.reserved(err)
	if err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(r)
}

func (r reserveRequest) validate() error {
	if r.OrderID == "" || len(r.Lines) == 0 {
		return web.Errorf(web.Malformed, "a reservation needs an order_id and lines")
	}
	return ValidateLines(r.Lines)
}

// ValidateLines returns an error with code web.Malformed if a quantity is out
// of range or a product occurs twice.
func ValidateLines(lines []Line) error {
	seen := make(map[string]bool, len(lines))
	for _, line := range lines {
		if line.Quantity < 1 || line.Quantity > MaxQuantity {
			return web.Errorf(web.Malformed, "quantity %d of %q: want 1 to %d", line.Quantity, line.ProductID, MaxQuantity)
		}
		if seen[line.ProductID] {
			return web.Errorf(web.Malformed, "product %q occurs twice", line.ProductID)
		}
		seen[line.ProductID] = true
	}
	return nil
}

func (s *Service) deleteReservation(c *fiber.Ctx) error {
	released, err := s.store.release(c.UserContext(), c.Params("order"))
	if err != nil {
		return err
	}
	if released {
		s.metrics.released()
	}
	c.Status(http.StatusNoContent) // SendStatus would add a body
	return nil
}
