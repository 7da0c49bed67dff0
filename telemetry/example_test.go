package telemetry_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/gofiber/fiber/v2"

	"firedrill/telemetry"
	"firedrill/telemetry/client"
	"firedrill/telemetry/server"
)

// serve runs a whole service. Its name and its backends come from the
// environment.
func serve(ctx context.Context) error {
	cfg, err := telemetry.ConfigFromEnv(os.Getenv)
	if err != nil {
		return err
	}
	tel, err := telemetry.New(ctx, cfg)
	if err != nil {
		return err
	}
	app := fiber.New()
	if err := server.Instrument(app, tel, server.Options{}); err != nil { // before any other middleware
		return err
	}
	app.Get("/hello/:name", hello)
	go http.ListenAndServe("127.0.0.1:8100", tel.AdminHandler()) // metrics, profiles, log level
	context.AfterFunc(ctx, func() { app.Shutdown() })
	err = app.Listen("127.0.0.1:8000")
	flush, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(err, tel.Shutdown(flush))
}

func hello(c *fiber.Ctx) error { return c.SendString("hello " + c.Params("name")) }

func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx); err != nil {
		log.Print(err)
	}
}

// A call to another service continues the trace of the incoming request.
func Example_client() {
	ctx := context.Background()
	tel, err := telemetry.New(ctx, telemetry.Config{Service: "orders"})
	if err != nil {
		log.Fatal(err)
	}
	payments, err := client.New(tel, client.Options{Peer: "payments", Timeout: 2 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	app := fiber.New()
	if err := server.Instrument(app, tel, server.Options{}); err != nil {
		log.Fatal(err)
	}
	app.Post("/orders", func(c *fiber.Ctx) error {
		req, err := http.NewRequestWithContext(c.UserContext(), http.MethodPost, "http://127.0.0.1:8003/charges", nil)
		if err != nil {
			return err
		}
		resp, err := payments.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return c.SendStatus(resp.StatusCode)
	})
}
