package catalog

import (
	"context"
	"net/http"
	"reflect"
	"testing"

	"firedrill/apps/internal/storage/storagetest"
	"firedrill/apps/internal/web"
	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

// start runs the service until the test ends.
func start(t *testing.T, database string) (*Client, *telemetry.Telemetry) {
	t.Helper()
	tel := telemetrytest.New(t, telemetry.Config{Service: Name})
	s, err := New(t.Context(), Config{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Database: database}, Deps{Telemetry: tel})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return NewClient(s.URL(), http.DefaultClient), tel
}

func TestClientAndService(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		c, tel := start(t, database)
		ctx := t.Context()
		all, err := c.Products(ctx)
		if err != nil || len(all) != 50 {
			t.Fatalf("%d products, %v", len(all), err)
		}
		if p, err := c.Product(ctx, "p-001"); err != nil || p != all[0] {
			t.Errorf("got %+v, %v; want %+v", p, err, all[0])
		}
		if _, err := c.Product(ctx, "p-999"); web.CodeOf(err) != web.NotFound {
			t.Errorf("got %v, want %s", err, web.NotFound)
		}
		want := Reservation{OrderID: "1", Currency: Currency, TotalMinor: 3*all[0].PriceMinor + all[1].PriceMinor,
			Lines: []PricedLine{{Line{"p-001", 3}, all[0].PriceMinor}, {Line{"p-002", 1}, all[1].PriceMinor}}}
		for range 2 {
			if r, err := c.Reserve(ctx, "1", []Line{{"p-002", 1}, {"p-001", 3}}); err != nil || !reflect.DeepEqual(r, want) {
				t.Errorf("got %+v, %v; want %+v", r, err, want)
			}
		}
		for range 2 {
			if err := c.Release(ctx, "1"); err != nil {
				t.Error(err)
			}
		}
		for lines, code := range map[*Line]web.Code{
			{SoldOut, 1}:               web.OutOfStock,
			{"p-999", 1}:               web.UnknownProduct,
			{"p-001", 0}:               web.Malformed,
			{"p-001", MaxQuantity + 1}: web.Malformed,
		} {
			if _, err := c.Reserve(ctx, "2", []Line{*lines}); web.CodeOf(err) != code {
				t.Errorf("%+v: got %v, want %s", *lines, err, code)
			}
		}
		if _, err := c.Reserve(ctx, "1", []Line{{"p-001", 1}}); web.CodeOf(err) != web.Voided {
			t.Errorf("Reserve after Release: %v", err)
		}
		got := telemetrytest.Series(t, tel.Registry(), "shop_stock_reservations_total")
		wantSeries := map[string]float64{
			"outcome=reserved": 2, "outcome=released": 1, "outcome=out_of_stock": 1,
			"outcome=unknown_product": 1, "outcome=voided": 1, "outcome=error": 0,
		}
		if !reflect.DeepEqual(got, wantSeries) {
			t.Errorf("reservations %v, want %v", got, wantSeries)
		}
	})
}

func TestValidateLines(t *testing.T) {
	if err := ValidateLines([]Line{{"a", 1}, {"b", MaxQuantity}}); err != nil {
		t.Error(err)
	}
	if err := ValidateLines([]Line{{"a", 1}, {"a", 1}}); web.CodeOf(err) != web.Malformed {
		t.Errorf("same product twice: %v", err)
	}
}
