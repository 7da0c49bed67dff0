package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"firedrill/apps/bank"
	"firedrill/apps/broker"
	"firedrill/apps/catalog"
	"firedrill/apps/gateway"
	"firedrill/apps/orders"
	"firedrill/apps/payments"
	"firedrill/apps/shipping"
)

// runner is a service that is ready to run until a context ends.
type runner interface {
	Run(ctx context.Context) error
}

// part is a service that can be built.
type part struct {
	name        string
	about       string
	build       func(ctx context.Context, s settings, k kit) (runner, error)
	noTelemetry bool // exports no telemetry
}

// parts returns all services. Each comes after the services that it calls.
func parts() []part {
	return []part{
		{name: broker.Name, build: buildBroker, about: "NATS with JetStream, for events"},
		{name: bank.Name, build: buildBank, about: "an external payment provider; it has no telemetry", noTelemetry: true},
		{name: payments.Name, build: buildPayments, about: "charges orders through the bank"},
		{name: catalog.Name, build: buildCatalog, about: "products and stock"},
		{name: orders.Name, build: buildOrders, about: "checkout as a saga"},
		{name: shipping.Name, build: buildShipping, about: "ships confirmed orders"},
		{name: gateway.Name, build: buildGateway, about: "the public entry: login, rate limits, routes"},
	}
}

// choose returns the parts with the given names, in the order of parts.
func choose(names []string) ([]part, error) {
	if len(names) == 0 {
		return nil, errors.New("missing argument: SERVICE")
	}
	all := parts()
	if slices.Contains(names, "all") {
		return all, nil
	}
	var chosen []part
	for _, p := range all {
		if slices.Contains(names, p.name) {
			chosen = append(chosen, p)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(chosen, func(p part) bool { return p.name == name }) {
			return nil, fmt.Errorf("unknown service %q", name)
		}
	}
	return chosen, nil
}

func buildBroker(ctx context.Context, s settings, k kit) (runner, error) {
	return broker.New(ctx, broker.Config{
		Addr: s.addr[broker.Name], AdminAddr: s.admin[broker.Name], Dir: filepath.Join(s.data, broker.Name),
	}, broker.Deps{Telemetry: k.tel, Faults: k.faults})
}

func buildBank(ctx context.Context, s settings, k kit) (runner, error) {
	return bank.New(ctx, bank.Config{
		Addr: s.addr[bank.Name], AdminAddr: s.admin[bank.Name], Database: s.databaseOf(bank.Name), Behaviour: s.bank,
	}, bank.Deps{Faults: k.faults})
}

func buildPayments(ctx context.Context, s settings, k kit) (runner, error) {
	hc, err := k.client(bank.Name, 0)
	if err != nil {
		return nil, err
	}
	return payments.New(ctx, payments.Config{
		Addr: s.addr[payments.Name], AdminAddr: s.admin[payments.Name], Database: s.databaseOf(payments.Name),
	}, payments.Deps{Telemetry: k.tel, Faults: k.faults, Bank: bank.NewClient(s.url[bank.Name], hc)})
}

func buildCatalog(ctx context.Context, s settings, k kit) (runner, error) {
	return catalog.New(ctx, catalog.Config{
		Addr: s.addr[catalog.Name], AdminAddr: s.admin[catalog.Name], Database: s.databaseOf(catalog.Name), CacheTTL: s.cacheTTL,
	}, catalog.Deps{Telemetry: k.tel, Faults: k.faults})
}

func buildOrders(ctx context.Context, s settings, k kit) (runner, error) {
	stock, err := k.client(catalog.Name, 2*time.Second)
	if err != nil {
		return nil, err
	}
	pay, err := k.client(payments.Name, 4*time.Second)
	if err != nil {
		return nil, err
	}
	return withNATS(s, orders.Name, k, func(nc *nats.Conn) (runner, error) {
		return orders.New(ctx, orders.Config{
			Addr: s.addr[orders.Name], AdminAddr: s.admin[orders.Name], Database: s.databaseOf(orders.Name), GiveUp: s.giveUp,
		}, orders.Deps{
			Telemetry: k.tel, Faults: k.faults, NATS: nc,
			Stock:    catalog.NewClient(s.url[catalog.Name], stock),
			Payments: payments.NewClient(s.url[payments.Name], pay),
		})
	})
}

func buildShipping(ctx context.Context, s settings, k kit) (runner, error) {
	hc, err := k.client(orders.Name, 2*time.Second)
	if err != nil {
		return nil, err
	}
	return withNATS(s, shipping.Name, k, func(nc *nats.Conn) (runner, error) {
		return shipping.New(ctx, shipping.Config{
			Addr: s.addr[shipping.Name], AdminAddr: s.admin[shipping.Name], Database: s.databaseOf(shipping.Name),
		}, shipping.Deps{Telemetry: k.tel, Faults: k.faults, NATS: nc, Orders: orders.NewClient(s.url[orders.Name], hc)})
	})
}

func buildGateway(ctx context.Context, s settings, k kit) (runner, error) {
	toCatalog, err := k.client(catalog.Name, 3*time.Second)
	if err != nil {
		return nil, err
	}
	toOrders, err := k.client(orders.Name, 0)
	if err != nil {
		return nil, err
	}
	return gateway.New(ctx, gateway.Config{
		Addr: s.addr[gateway.Name], AdminAddr: s.admin[gateway.Name],
		JWTKey: s.jwtKey, TokenTTL: s.tokenTTL, Origins: s.origins, User: s.user, Address: s.address,
	}, gateway.Deps{
		Telemetry: k.tel,
		Faults:    k.faults,
		Catalog:   catalog.NewClient(s.url[catalog.Name], toCatalog),
		Orders:    orders.NewClient(s.url[orders.Name], toOrders),
	})
}

// connected is a service with a connection to the broker, which is closed when
// the service has ended.
type connected struct {
	runner
	nats *nats.Conn
}

// withNATS builds a service with a connection to the broker. The broker need
// not be up: the client connects when it is, and reconnects after every loss.
func withNATS(s settings, name string, k kit, build func(*nats.Conn) (runner, error)) (runner, error) {
	log := k.tel.Logger()
	nc, err := nats.Connect(s.nats,
		k.natsDialer,
		nats.Name(name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200*time.Millisecond),
		nats.ReconnectBufSize(-1), // fail instead of buffering; the outbox keeps events more safely
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // nil if the service closed the connection
				log.Warn("connection to broker lost", slog.Any("error", err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("reconnected to broker") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("error from broker", slog.Any("error", err))
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("connect %q to broker at %s: %w", name, s.nats, err)
	}
	service, err := build(nc)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return connected{service, nc}, nil
}

// Run runs the service, sends its last acknowledgements, and disconnects.
func (c connected) Run(ctx context.Context) error {
	err := c.runner.Run(ctx)
	if c.nats.IsConnected() {
		_ = c.nats.FlushTimeout(time.Second) // an unacknowledged event is delivered again
	}
	c.nats.Close()
	return err
}
