//go:build e2e

package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"firedrill/apps/bank"
	"firedrill/apps/catalog"
	"firedrill/apps/orders"
	"firedrill/apps/shipping"
)

// books holds connections to the databases of the shop, which bypass the
// services.
type books struct{ catalog, orders, bank, shipping *sql.DB }

func openBooks(t *testing.T, f *fleet) books {
	t.Helper()
	open := func(name string) *sql.DB {
		driver, dsn := "sqlite", "file:"+filepath.Join(f.dir, "data", name+".db")+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)"
		if f.database != "" {
			u, err := url.Parse(f.database)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("search_path", q.Get("search_path")+"_"+name)
			u.RawQuery = q.Encode()
			driver, dsn = "pgx", u.String()
		}
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatalf("open database of %s: %v", name, err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	return books{catalog: open(catalog.Name), orders: open(orders.Name), bank: open(bank.Name), shipping: open(shipping.Name)}
}

// withSchemas returns the server's URL with a prefix for the shop's schemas.
// The schemas are dropped after the test.
func withSchemas(t *testing.T, server, prefix string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("TEST_DATABASE_URL: %v", err)
	}
	t.Cleanup(func() {
		db, err := sql.Open("pgx", server)
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		for _, p := range parts() {
			if _, err := db.Exec("DROP SCHEMA IF EXISTS " + prefix + "_" + p.name + " CASCADE"); err != nil {
				t.Errorf("drop schema of %s: %v", p.name, err)
			}
		}
	})
	q := u.Query()
	q.Set("search_path", prefix)
	u.RawQuery = q.Encode()
	return u.String()
}

// quiet reports whether all orders are finished and all events published.
func (b books) quiet() (string, bool) {
	var moving, unpublished int
	err := b.orders.QueryRow(`SELECT
		(SELECT COUNT(*) FROM orders WHERE state NOT IN ('shipped', 'failed')),
		(SELECT COUNT(*) FROM outbox WHERE published_at = 0)`).Scan(&moving, &unpublished)
	return fmt.Sprintf("%d unfinished orders, %d unpublished events, error %v", moving, unpublished, err),
		err == nil && moving == 0 && unpublished == 0
}

// kept is an order as it is stored.
type kept struct {
	state, reason string
	total         int64
	lines         []catalog.PricedLine
}

// check compares the databases of all services and returns a summary.
func (b books) check(t *testing.T, acknowledged map[string]orders.Order) string {
	t.Helper()
	all := b.keptOrders(t)
	b.checkAcknowledged(t, all, acknowledged)
	charged, undone := b.checkMoney(t, all)
	restocked := b.checkStock(t, all)
	b.checkShipments(t, all)
	outcomes := make(map[string]int)
	for _, o := range all {
		outcomes[o.state+" "+o.reason]++
	}
	return fmt.Sprintf("%d orders, %s; %d minor units charged and not refunded, %d charges refunded, %d pieces restocked",
		len(all), table(outcomes), charged, undone, restocked)
}

func (b books) keptOrders(t *testing.T) map[string]kept {
	t.Helper()
	all := make(map[string]kept)
	each(t, b.orders, "SELECT id, state, reason, total_minor, lines FROM orders", func(scan func(...any) error) error {
		var id, lines string
		var o kept
		if err := scan(&id, &o.state, &o.reason, &o.total, &lines); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(lines), &o.lines)
		all[id] = o
		return err
	})
	return all
}

func (b books) checkAcknowledged(t *testing.T, all map[string]kept, acknowledged map[string]orders.Order) {
	t.Helper()
	shipped := 0
	for id, ack := range acknowledged {
		if o, ok := all[id]; !ok || o.state != "shipped" || o.total != ack.TotalMinor {
			t.Errorf("order %s was acknowledged with total %d; stored: %v, state %s, total %d", id, ack.TotalMinor, ok, o.state, o.total)
		}
	}
	for _, o := range all {
		if o.state == "shipped" {
			shipped++
		}
	}
	// Every shopper repeats a request until the outcome is known, so every
	// shipped order was acknowledged.
	if shipped != len(acknowledged) {
		t.Errorf("%d orders were shipped, %d were acknowledged", shipped, len(acknowledged))
	}
	var keys int
	if err := b.orders.QueryRow("SELECT COUNT(*) FROM idempotency_keys").Scan(&keys); err != nil || keys != len(all) {
		t.Errorf("%d keys for %d orders (error %v)", keys, len(all), err)
	}
}

func (b books) checkMoney(t *testing.T, all map[string]kept) (charged int64, undone int) {
	t.Helper()
	type account struct{ charges, refunds, sum int64 }
	accounts := make(map[string]account)
	query := `SELECT key, SUM(CASE kind WHEN 'charge' THEN 1 ELSE 0 END), SUM(CASE kind WHEN 'refund' THEN 1 ELSE 0 END),
		CAST(SUM(amount_minor) AS BIGINT) FROM ledger GROUP BY key`
	each(t, b.bank, query, func(scan func(...any) error) error {
		var id string
		var a account
		err := scan(&id, &a.charges, &a.refunds, &a.sum)
		accounts[id] = a
		return err
	})
	var owed int64
	for id, o := range all {
		a := accounts[id]
		want := int64(0)
		if o.state == "shipped" {
			want = o.total
		}
		if a.sum != want || a.charges > 1 || a.refunds > a.charges {
			t.Errorf("order %s is %s with total %d; the bank has %d from %d charges and %d refunds", id, o.state, o.total, a.sum, a.charges, a.refunds)
		}
		owed, charged, undone = owed+want, charged+a.sum, undone+int(a.refunds)
		delete(accounts, id)
	}
	if owed != charged {
		t.Errorf("the bank charged %d, shipped orders have a total of %d", charged, owed)
	}
	for id, a := range accounts {
		t.Errorf("the bank charged %d for %s, which is not an order", a.sum, id)
	}
	return charged, undone
}

func (b books) checkStock(t *testing.T, all map[string]kept) (restocked int64) {
	t.Helper()
	each(t, b.catalog, `SELECT p.id, p.on_hand, CAST(COALESCE(SUM(l.quantity), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE l.kind WHEN 'restock' THEN l.quantity ELSE 0 END), 0) AS BIGINT)
		FROM products p LEFT JOIN stock_ledger l ON l.product_id = p.id GROUP BY p.id, p.on_hand`,
		func(scan func(...any) error) error {
			var id string
			var onHand, booked, added int64
			err := scan(&id, &onHand, &booked, &added)
			if onHand != booked {
				t.Errorf("product %s: %d on hand, %d in the ledger", id, onHand, booked)
			}
			restocked += added
			return err
		})
	taken := make(map[string]int64) // by order and product
	each(t, b.catalog, "SELECT order_id, product_id, CAST(-SUM(quantity) AS BIGINT) FROM stock_ledger WHERE order_id IS NOT NULL GROUP BY order_id, product_id",
		func(scan func(...any) error) error {
			var order, product string
			var n int64
			err := scan(&order, &product, &n)
			if n != 0 {
				taken[order+" "+product] = n
			}
			return err
		})
	for id, o := range all {
		for _, l := range o.lines {
			if want, got := l.Quantity, taken[id+" "+l.ProductID]; o.state == "shipped" && got != want {
				t.Errorf("order %s: %d of %s taken from stock, want %d", id, got, l.ProductID, want)
			}
			if o.state == "shipped" {
				delete(taken, id+" "+l.ProductID)
			}
		}
	}
	for what, n := range taken {
		t.Errorf("%d taken from stock for %s, which was not shipped", n, what)
	}
	return restocked
}

func (b books) checkShipments(t *testing.T, all map[string]kept) {
	t.Helper()
	parcels := make(map[string]int)
	each(t, b.shipping, "SELECT order_id FROM shipments", func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		parcels[id]++
		return err
	})
	for id, o := range all {
		if want := map[bool]int{true: 1}[o.state == "shipped"]; parcels[id] != want {
			t.Errorf("order %s is %s and was shipped %d times", id, o.state, parcels[id])
		}
		delete(parcels, id)
	}
	for id := range parcels {
		t.Errorf("%s was shipped but is not an order", id)
	}
}

// each calls row for every row of a query.
func each(t *testing.T, db *sql.DB, query string, row func(scan func(...any) error) error) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
