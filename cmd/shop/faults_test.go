package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"firedrill/apps/fault"
	"firedrill/apps/fault/client"
	"firedrill/apps/fault/kinds"
	"firedrill/internal/machine/machinetest"
	"firedrill/telemetry/telemetrytest"
)

// faultClient returns a client for the faults of one service of wholeShop.
func (s inProcess) faultClient(service string) *client.Client {
	return client.New(service, s.admin[service], "token", http.DefaultClient)
}

// Every service can begin and end every fault that it claims to support.
func TestServicesShowAllTheirFaults(t *testing.T) {
	shop := wholeShop(t)
	required := map[string]map[string]any{
		"latency": {"median": "1ms"},
		"reroute": {"from": "127.0.0.1:1", "to": "127.0.0.1:2"},
		// These faults use few resources, because the test needs them itself.
		"memory_leak": {"bytes_per_second": 1024}, "gc_pressure": {"bytes_per_second": 1024}, "cpu_burn": {"cores": 0.01},
	}
	for service := range shop.admin {
		t.Run(service, func(t *testing.T) {
			c := shop.faultClient(service)
			status, err := c.Status(t.Context())
			if err != nil || status.Service != service {
				t.Fatalf("%+v, %v", status, err)
			}
			shown := 0
			for _, kind := range kinds.All() {
				if !kind.ShownBy(service) {
					continue
				}
				shown++
				if err := c.Begin(t.Context(), kind.Name, fault.Spec{Kind: kind.Name, Params: required[kind.Name]}, time.Minute); err != nil {
					t.Error(err)
				}
				if err := c.End(t.Context(), kind.Name); err != nil {
					t.Error(err)
				}
			}
			if status, err = c.Status(t.Context()); err != nil || len(status.Active) > 0 || len(status.Kinds) != shown || shown < 6 {
				t.Errorf("after %d faults: status %+v, %v", shown, status, err)
			}
		})
	}
	for name, url := range shop.admin {
		machinetest.Await(t, name+" is ready after the faults", ready(url))
	}
	shipOne(t, shop)
}

// A service stops without an error even if faults are active.
func TestShopStopsWithActiveFaults(t *testing.T) {
	shop := wholeShop(t) // its cleanup checks the exit code
	for service, kinds := range map[string][]string{
		"orders": {"pool_exhaustion", "slow_query", "lock_contention", "goroutine_leak"}, "bank": {"errors", "unready"}, "shipping": {"pool_exhaustion"},
	} {
		for _, kind := range kinds {
			if err := shop.faultClient(service).Begin(t.Context(), kind, fault.Spec{Kind: kind}, client.MaxLease); err != nil {
				t.Error(err)
			}
		}
	}
}

// relay forwards connections to another address and counts them.
func relay(t *testing.T, to string) (addr string, passed *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	passed = new(atomic.Int64)
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			passed.Add(1)
			for a, b := range map[net.Conn]net.Conn{in: out, out: in} {
				go func() {
					_, _ = io.Copy(a, b)
					a.Close()
				}()
			}
		}
	}()
	return l.Addr().String(), passed
}

// A reroute applies to all connections of a service: to other services, to the
// broker and to the telemetry backends.
func TestRerouteAppliesToAllConnections(t *testing.T) {
	shop := wholeShop(t)
	host := func(url string) string { return strings.TrimPrefix(url, "http://") }
	orders := shop.faultClient("orders")
	detours := map[string]*atomic.Int64{}
	for name, from := range map[string]string{
		"payments": shop.addr("payments"), "catalog": shop.addr("catalog"), "broker": shop.addr("broker"), "telemetry": host(shop.backend.URL),
	} {
		to, passed := relay(t, from)
		spec := fault.Spec{Kind: "reroute", Params: map[string]any{"from": from, "to": to}}
		if err := orders.Begin(t.Context(), name, spec, time.Minute); err != nil {
			t.Fatal(err)
		}
		detours[name] = passed
	}
	shipOne(t, shop)
	for name, passed := range detours {
		machinetest.Await(t, "orders connects to "+name+" through the relay", func() (string, bool) { return "no connection", passed.Load() > 0 })
	}
	if err := orders.EndAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := detours["payments"].Load()
	shipOne(t, shop)
	if got := detours["payments"].Load(); got != before {
		t.Errorf("%d more connections through the relay after the end", got-before)
	}
}

// Events that cannot be processed are dropped after some attempts, and orders
// are still shipped.
func TestPoisonMessages(t *testing.T) {
	shop := wholeShop(t)
	orders := shop.faultClient("orders")
	spec := fault.Spec{Kind: "poison_message", Params: map[string]any{"count": 2, "per_second": 100}}
	if err := orders.Begin(t.Context(), "a", spec, time.Minute); err != nil {
		t.Fatal(err)
	}
	shipOne(t, shop)
	machinetest.Await(t, "two events are dropped", func() (string, bool) {
		n := telemetrytest.Series(t, scrape(t, shop.admin["shipping"]), "shop_shipping_events_total")["outcome=dropped"]
		return fmt.Sprint(n), n == 2
	})
	failed := 0
	machinetest.Await(t, "the trace shows failed consumer spans", func() (string, bool) {
		failed = 0
		for _, span := range shop.backend.Spans() {
			if span.Name == "process orders.confirmed" && span.Status.GetCode() == 2 {
				failed++
			}
		}
		return strconv.Itoa(failed), failed >= 10
	})
}

// The public listeners do not serve /faults.
func TestFaultsAreNotPublic(t *testing.T) {
	shop := wholeShop(t)
	for _, url := range []string{shop.gateway, "http://" + shop.addr("orders")} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/faults", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer token")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s/faults: %d, want 404", url, resp.StatusCode)
		}
	}
}

// The bank has no telemetry but can show faults. Payments sees them.
func TestBankFails(t *testing.T) {
	shop := wholeShop(t)
	bank := shop.faultClient("bank")
	if err := bank.Begin(t.Context(), "a", fault.Spec{Kind: "errors", Params: map[string]any{"route": "POST /charges"}, Told: true}, time.Minute); err != nil {
		t.Fatal(err)
	}
	s := &shopper{base: shop.gateway, name: "user-0001", http: http.DefaultClient}
	if err := s.login(t.Context()); err != nil {
		t.Fatal(err)
	}
	order := json.RawMessage(`{"lines":[{"product_id":"p-001","quantity":1}]}`)
	status, answer, err := s.call(t.Context(), http.MethodPost, "/orders", "first", order)
	if err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("while the bank fails: %d %s, %v", status, answer, err)
	}
	if err := bank.EndAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	machinetest.Await(t, "the order is confirmed after the fault", func() (string, bool) {
		status, answer, err := s.call(context.WithoutCancel(t.Context()), http.MethodPost, "/orders", "first", order)
		return fmt.Sprint(status, string(answer), err), status == http.StatusCreated
	})
}
