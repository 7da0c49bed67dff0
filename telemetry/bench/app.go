package main

import (
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// product is the response of the handler.
type product struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Price    int    `json:"price_cents"`
	Currency string `json:"currency"`
	Stock    int    `json:"stock"`
}

// newApp returns the application without any instrumentation.
func newApp() *fiber.App {
	return fiber.New(fiber.Config{DisableStartupMessage: true})
}

func addRoutes(app *fiber.App) {
	app.Get("/products/:id", func(c *fiber.Ctx) error {
		return c.JSON(product{ID: c.Params("id"), Name: "Fire extinguisher, 6 l", Price: 4990, Currency: "EUR", Stock: 12})
	})
}

const productURI = "/products/fire-extinguisher-6l?currency=EUR&lang=en"

// prepare fills req with what a browser behind a proxy sends.
func prepare(req *fasthttp.Request, base string) {
	req.SetRequestURI(base + productURI)
	req.UseHostHeader = true
	h := &req.Header
	h.SetHost("shop.example:8001")
	h.SetMethod(fasthttp.MethodGet)
	h.Set("Accept", "application/json, text/plain, */*")
	h.Set("Accept-Encoding", "gzip, deflate, br")
	h.Set("Accept-Language", "en-GB,en;q=0.9,de;q=0.7")
	h.Set("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjdXN0b21lci03In0.c2lnbmF0dXJl")
	h.Set("Referer", "https://shop.example/catalog?page=2")
	h.SetUserAgent("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
}

// caller calls an application as fasthttp does, without a network.
type caller struct {
	handle fasthttp.RequestHandler
	ctx    fasthttp.RequestCtx
}

func newCaller(app *fiber.App) *caller {
	c := &caller{handle: app.Handler()}
	var req fasthttp.Request
	prepare(&req, "http://shop.example:8001")
	c.ctx.Init(&req, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 51234}, nil)
	return c
}

func (c *caller) call() {
	c.handle(&c.ctx)
	c.ctx.Response.Reset()
	c.ctx.ResetUserValues()
}
