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
	name   string
	about  string
	build  func(ctx context.Context, s settings, k kit) (runner, error)
	untold bool // exports no telemetry
}

// parts are all services, in an order in which each finds those it calls.
func parts() []part {
	return []part{
		{name: broker.Name, build: buildBroker, about: "NATS with JetStream, for events"},
		{name: bank.Name, build: buildBank, about: "a third party that takes payments; it has no telemetry", untold: true},
		{name: payments.Name, build: buildPayments, about: "charges orders through the bank"},
		{name: catalog.Name, build: buildCatalog, about: "products and stock"},
		{name: orders.Name, build: buildOrders, about: "checkout as a saga"},
		{name: shipping.Name, build: buildShipping, about: "ships confirmed orders"},
		{name: gateway.Name, build: buildGateway, about: "the public edge: login, limits, routes"},
	}
}

// choose returns the parts with the given names, in the order of parts.
func choose(names []string) ([]part, error) {
	if len(names) == 0 {
		return nil, errors.New("which service?")
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
			return nil, fmt.Errorf("there is no service %q", name)
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

// connected is a service with a connection to the broker, closed after it.
type connected struct {
	runner
	nats *nats.Conn
}

// withNATS connects for a service. The broker need not be up: the connection
// comes about when it is, and again whenever it was lost.
func withNATS(s settings, name string, k kit, build func(*nats.Conn) (runner, error)) (runner, error) {
	log := k.tel.Logger()
	nc, err := nats.Connect(s.nats,
		k.natsDialer,
		nats.Name(name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(200*time.Millisecond),
		nats.ReconnectBufSize(-1), // fail rather than keep what the outbox keeps better
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // nil: we hung up
				log.Warn("broker lost", slog.Any("error", err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("broker found again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("broker complains", slog.Any("error", err))
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("connect %q to the broker at %s: %w", name, s.nats, err)
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
		_ = c.nats.FlushTimeout(time.Second) // what is lost is delivered again
	}
	c.nats.Close()
	return err
}
