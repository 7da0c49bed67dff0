package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/apps/catalog"
	"firedrill/apps/internal/web"
	"firedrill/apps/orders"
)

// LoginRequest is the body of POST /login.
type LoginRequest struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// LoginResponse contains a token for the header "Authorization: Bearer …".
type LoginResponse struct {
	Token     string `json:"token"`
	TokenType string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"` // seconds
}

// ProductList is the body of GET /products.
type ProductList struct {
	Products []catalog.Product `json:"products"`
}

// longestName is the maximum length of a user's name in bytes.
const longestName = 64

// localUser is the key under which authenticate stores the user.
const localUser = "user"

func (s *Service) login(c *fiber.Ctx) error {
	var in LoginRequest
	if err := web.Decode(c.Body(), &in); err != nil {
		return err
	}
	if len(in.User) > longestName { // keeps long names out of the limiter
		return web.Errorf(web.Malformed, "the user name is longer than %d bytes", longestName)
	}
	if err := s.admit(s.byUser, "user", "login/"+in.User); err != nil { // before the password check, to limit guessing
		return err
	}
	role, ok := s.users.check(in.User, in.Password)
	if !ok {
		s.metrics.logins.WithLabelValues("denied").Inc()
		return web.Errorf(web.Unauthenticated, "unknown user or wrong password")
	}
	token, err := s.tokens.issue(in.User, role)
	if err != nil {
		return err
	}
	s.metrics.logins.WithLabelValues("ok").Inc()
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(LoginResponse{Token: token, TokenType: "Bearer", ExpiresIn: int(s.tokens.ttl / time.Second)})
}

// authenticate verifies the token and checks the user's rate limit.
func (s *Service) authenticate(c *fiber.Ctx) error {
	token, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer ")
	if !ok {
		return web.Errorf(web.Unauthenticated, "the Authorization header contains no bearer token")
	}
	user, err := s.tokens.verify(token)
	if err != nil {
		return &web.Error{Code: web.Unauthenticated, Detail: "the token is not valid or has expired", Err: err}
	}
	if err := s.admit(s.byUser, "user", user.ID); err != nil {
		return err
	}
	c.Locals(localUser, user)
	return c.Next()
}

func userOf(c *fiber.Ctx) orders.User {
	user, _ := c.Locals(localUser).(orders.User) // authenticate has set it on all routes that use it
	return user
}

// limitAddress checks the rate limit of the client's address. It also limits
// clients with no user or with many users.
func (s *Service) limitAddress(c *fiber.Ctx) error {
	if err := s.admit(s.byAddress, "address", c.IP()); err != nil {
		return err
	}
	return c.Next()
}

func (s *Service) admit(l *limiter, kind, key string) error {
	wait, ok := l.allow(key)
	if ok {
		return nil
	}
	s.metrics.limited.WithLabelValues(kind).Inc()
	return &web.Error{Code: web.TooMany, Detail: "this " + kind + " sends too many requests", RetryAfter: wait}
}

func (s *Service) getProducts(c *fiber.Ctx) error {
	all, err := s.catalog.Products(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(ProductList{all})
}

func (s *Service) getProduct(c *fiber.Ctx) error {
	p, err := s.catalog.Product(c.UserContext(), c.Params("id"))
	if err != nil {
		return err
	}
	return c.JSON(p)
}

// postOrder responds like POST /orders of the orders service.
func (s *Service) postOrder(c *fiber.Ctx) error {
	var in orders.PlaceRequest
	if err := web.Decode(c.Body(), &in); err != nil {
		return err
	}
	o, err := s.orders.Place(c.UserContext(), userOf(c), c.Get("Idempotency-Key"), in)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, "/orders/"+o.ID)
	return c.Status(http.StatusCreated).JSON(o)
}

func (s *Service) getOrder(c *fiber.Ctx) error {
	o, err := s.orders.Order(c.UserContext(), userOf(c), c.Params("id"))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(o)
}
