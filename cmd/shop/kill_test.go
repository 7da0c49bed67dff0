//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"firedrill/apps/bank"
	"firedrill/apps/catalog"
	"firedrill/apps/orders"
	"firedrill/internal/machine/machinetest"
	"firedrill/internal/prerequisite"
)

// For a longer run:
//
//	go test -tags e2e -run TestNothingIsLostOrDoubled ./cmd/shop -v -kill-for 10m -timeout 60m
var (
	killFor  = flag.Duration("kill-for", 30*time.Second, "how long to kill services")
	killSeed = flag.Uint64("kill-seed", 1, "seed for the choice of kills and orders")
)

const (
	shoppers  = 8
	quietTime = 90 * time.Second // limit for settling all orders after the last kill, on the reference machine
	giveUp    = 2 * time.Second  // short, so that some orders are abandoned
)

// TestNothingIsLostOrDoubled kills services at random times under load, and
// then compares the databases of all of them. It runs on SQLite and, if
// TEST_DATABASE_URL is the URL of a PostgreSQL database, also there.
func TestNothingIsLostOrDoubled(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killUnderLoad(t, newFleet(t, "")) })
	t.Run("postgresql", func(t *testing.T) {
		server := os.Getenv("TEST_DATABASE_URL")
		if server == "" {
			prerequisite.Missing(t, "TEST_DATABASE_URL is not set; .ci/with-postgres sets it")
		}
		prefix := fmt.Sprintf("kill_%d", os.Getpid())
		killUnderLoad(t, newFleet(t, withSchemas(t, server, prefix)))
	})
}

func killUnderLoad(t *testing.T, fleet *fleet) {
	for _, name := range fleet.names {
		fleet.start(t, name)
	}
	for _, name := range fleet.names {
		machinetest.Await(t, name+" is ready", ready(fleet.admin[name]))
	}

	ctx, stop := context.WithTimeout(t.Context(), *killFor)
	defer stop()
	var mu sync.Mutex
	acknowledged := make(map[string]orders.Order)
	refused := make(map[int]int)
	var load sync.WaitGroup
	for i := range shoppers {
		load.Go(func() {
			buyer := &buyer{
				shopper: shopper{base: fleet.gateway, name: fmt.Sprintf("user-%04d", i+1), http: &http.Client{Timeout: 10 * time.Second}},
				random:  rand.New(rand.NewPCG(*killSeed, uint64(i)+1)),
			}
			buyer.shop(ctx, t, func(status int, o orders.Order) {
				mu.Lock()
				defer mu.Unlock()
				if status == http.StatusCreated {
					acknowledged[o.ID] = o
				} else {
					refused[status]++
				}
			})
		})
	}
	kills := fleet.harass(ctx, t, rand.New(rand.NewPCG(*killSeed, 0)))
	load.Wait()

	books := openBooks(t, fleet)
	if err := machinetest.Awaited(t, quietTime, books.quiet); err != nil {
		t.Fatalf("wait until every order is settled, published and shipped: %v", err)
	}
	for _, name := range slices.Backward(fleet.names) {
		fleet.stop(t, name)
	}
	report := books.check(t, acknowledged)
	t.Logf("%v, seed %d: %d orders acknowledged, rejected by status %v; %d kills: %s",
		*killFor, *killSeed, len(acknowledged), refused, total(kills), table(kills))
	t.Log(report)
	if len(acknowledged) == 0 || total(kills) == 0 {
		t.Error("no orders or no kills, so the test shows nothing")
	}
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func table(counts map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(all, ", ")
}

// buyer places orders one after another and repeats each until its outcome is
// known.
type buyer struct {
	shopper
	random *rand.Rand
}

func (b *buyer) shop(ctx context.Context, t *testing.T, report func(status int, o orders.Order)) {
	for n := 0; ctx.Err() == nil; n++ {
		key, basket := fmt.Sprintf("basket-%d", n), b.basket()
		err := machinetest.Awaited(t, time.Minute, func() (string, bool) {
			status, o, err := b.try(t.Context(), key, basket)
			if err != nil {
				return err.Error(), false
			}
			report(status, o)
			return "", true
		})
		if err != nil {
			t.Errorf("get outcome of order %s/%s: %v", b.name, key, err)
			return
		}
	}
}

// try sends an order. It returns an error if the response does not give the
// outcome.
func (b *buyer) try(ctx context.Context, key string, basket orders.PlaceRequest) (status int, o orders.Order, err error) {
	if b.token == "" {
		if err := b.login(ctx); err != nil {
			return 0, o, err
		}
	}
	status, answer, err := b.call(ctx, http.MethodPost, "/orders", key, basket)
	if err != nil {
		return 0, o, err
	}
	switch {
	case status == http.StatusCreated:
		return status, o, json.Unmarshal(answer, &o)
	case status == http.StatusPaymentRequired, status == http.StatusConflict && !bytes.Contains(answer, []byte("in-progress")):
		return status, o, nil
	}
	return status, o, fmt.Errorf("response %d %s", status, answer)
}

// basket returns one to three products. Sometimes one is sold out, or the card
// is declined.
func (b *buyer) basket() orders.PlaceRequest {
	var r orders.PlaceRequest
	for _, n := range b.random.Perm(50)[:1+b.random.IntN(3)] {
		r.Lines = append(r.Lines, catalog.Line{ProductID: fmt.Sprintf("p-%03d", n+1), Quantity: 1 + b.random.Int64N(9)})
	}
	if b.random.IntN(20) == 0 {
		r.Card = bank.CardDeclined
	}
	return r
}
