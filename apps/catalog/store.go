package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/web"
)

// store holds the products and the stock ledger.
type store struct {
	db  *sql.DB
	now func() time.Time
}

const productColumns = "id, name, description, category, price_minor, currency, on_hand > 0"

func (p *Product) scan(row interface{ Scan(...any) error }) error {
	return row.Scan(&p.ID, &p.Name, &p.Description, &p.Category, &p.PriceMinor, &p.Currency, &p.Available)
}

// list returns all products. The second argument is the cache's key and is not
// used.
func (s store) list(ctx context.Context, _ string) ([]Product, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT "+productColumns+" FROM products ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	defer rows.Close()
	var all []Product
	for rows.Next() {
		var p Product
		if err := p.scan(rows); err != nil {
			return nil, fmt.Errorf("read row of products: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// lister returns a function that lists the products. It reads them one by one
// while oneByOne returns true.
func (s store) lister(oneByOne func() bool) func(context.Context, string) ([]Product, error) {
	return func(ctx context.Context, key string) ([]Product, error) {
		if oneByOne() {
			return s.listOneByOne(ctx)
		}
		return s.list(ctx, key)
	}
}

// listOneByOne is like list, but uses one query for the ids and one for each
// product.
func (s store) listOneByOne(ctx context.Context) ([]Product, error) {
	ids, err := s.ids(ctx)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	all := make([]Product, len(ids))
	for i, id := range ids {
		if all[i], err = s.product(ctx, id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s store) ids(ctx context.Context) (all []string, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id FROM products ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		all = append(all, id)
	}
	return all, rows.Err()
}

func (s store) product(ctx context.Context, id string) (Product, error) {
	var p Product
	err := p.scan(s.db.QueryRowContext(ctx, "SELECT "+productColumns+" FROM products WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return p, web.Errorf(web.NotFound, "no product %q", id)
	}
	if err != nil {
		return p, fmt.Errorf("read product %q: %w", id, err)
	}
	return p, nil
}

// reserve takes all lines out of stock for an order, or none. A repeated call
// returns the first result. After a release it returns web.Voided.
func (s store) reserve(ctx context.Context, orderID string, lines []Line) (Reservation, error) {
	r := Reservation{OrderID: orderID, Currency: Currency}
	err := storage.InTx(ctx, s.db, func(tx *sql.Tx) error {
		known, err := s.earlier(ctx, tx, &r)
		if err != nil || known {
			return err
		}
		// All transactions take products in the same order, which prevents
		// deadlocks.
		lines = slices.SortedFunc(slices.Values(lines), func(a, b Line) int { return strings.Compare(a.ProductID, b.ProductID) })
		for _, line := range lines {
			price, err := s.take(ctx, tx, orderID, line)
			if err != nil {
				return err
			}
			r.Lines = append(r.Lines, PricedLine{line, price})
		}
		text, err := json.Marshal(r.Lines)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE reservations SET lines = $1 WHERE order_id = $2", string(text), orderID)
		return err
	})
	if err != nil {
		return Reservation{}, fmt.Errorf("reserve stock for order %s: %w", orderID, err)
	}
	for _, line := range r.Lines {
		r.TotalMinor += line.Quantity * line.PriceMinor
	}
	return r, nil
}

// earlier inserts the row of the order. If the row exists, earlier reads its
// lines into r and returns true.
func (s store) earlier(ctx context.Context, tx *sql.Tx, r *Reservation) (bool, error) {
	claimed, err := storage.Changed(tx.ExecContext(ctx,
		"INSERT INTO reservations (order_id, state, lines, at) VALUES ($1, 'reserved', '[]', $2) ON CONFLICT DO NOTHING",
		r.OrderID, s.now().UnixMicro()))
	if err != nil || claimed {
		return false, err
	}
	var state, lines string
	err = tx.QueryRowContext(ctx, "SELECT state, lines FROM reservations WHERE order_id = $1", r.OrderID).Scan(&state, &lines)
	if err != nil {
		return false, err
	}
	if state == "released" {
		return false, web.Errorf(web.Voided, "the stock of this order was released")
	}
	return true, json.Unmarshal([]byte(lines), &r.Lines)
}

// take takes one line out of stock, restocks the product if its rule requires
// it, and returns its price.
func (s store) take(ctx context.Context, tx *sql.Tx, orderID string, line Line) (priceMinor int64, err error) {
	var left, below, to int64
	err = tx.QueryRowContext(ctx,
		`UPDATE products SET on_hand = on_hand - $1 WHERE id = $2 AND on_hand >= $1
		 RETURNING price_minor, on_hand, restock_below, restock_to`,
		line.Quantity, line.ProductID).Scan(&priceMinor, &left, &below, &to)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, s.refuse(ctx, tx, line)
	}
	if err != nil {
		return 0, err
	}
	if err := s.book(ctx, tx, line.ProductID, orderID, "reserve", -line.Quantity); err != nil {
		return 0, err
	}
	if left >= below {
		return priceMinor, nil
	}
	if _, err := tx.ExecContext(ctx, "UPDATE products SET on_hand = $1 WHERE id = $2", to, line.ProductID); err != nil {
		return 0, err
	}
	return priceMinor, s.book(ctx, tx, line.ProductID, "", "restock", to-left)
}

func (s store) refuse(ctx context.Context, tx *sql.Tx, line Line) error {
	var there bool
	err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM products WHERE id = $1)", line.ProductID).Scan(&there)
	if err != nil {
		return err
	}
	if !there {
		return web.Errorf(web.UnknownProduct, "no product %q", line.ProductID)
	}
	return web.Errorf(web.OutOfStock, "not %d of product %q on hand", line.Quantity, line.ProductID)
}

// release returns the reserved stock of an order. It may be repeated. If it
// comes before the reserve, it prevents the reserve. released reports whether
// stock was returned.
func (s store) release(ctx context.Context, orderID string) (released bool, err error) {
	err = storage.InTx(ctx, s.db, func(tx *sql.Tx) error {
		var text string
		err := tx.QueryRowContext(ctx,
			"UPDATE reservations SET state = 'released' WHERE order_id = $1 AND state = 'reserved' RETURNING lines",
			orderID).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			_, err := tx.ExecContext(ctx,
				"INSERT INTO reservations (order_id, state, lines, at) VALUES ($1, 'released', '[]', $2) ON CONFLICT DO NOTHING",
				orderID, s.now().UnixMicro())
			return err
		}
		if err != nil {
			return err
		}
		released = true
		return s.putBack(ctx, tx, orderID, text)
	})
	if err != nil {
		return false, fmt.Errorf("release stock of order %s: %w", orderID, err)
	}
	return released, nil
}

func (s store) putBack(ctx context.Context, tx *sql.Tx, orderID, text string) error {
	var lines []PricedLine // sorted by product, as they were taken
	if err := json.Unmarshal([]byte(text), &lines); err != nil {
		return err
	}
	for _, line := range lines {
		_, err := tx.ExecContext(ctx, "UPDATE products SET on_hand = on_hand + $1 WHERE id = $2", line.Quantity, line.ProductID)
		if err != nil {
			return err
		}
		if err := s.book(ctx, tx, line.ProductID, orderID, "release", line.Quantity); err != nil {
			return err
		}
	}
	return nil
}

// book adds an entry to the stock ledger. orderID is "" if there is no order.
func (s store) book(ctx context.Context, tx *sql.Tx, productID, orderID, kind string, quantity int64) error {
	order := sql.NullString{String: orderID, Valid: orderID != ""}
	_, err := tx.ExecContext(ctx,
		"INSERT INTO stock_ledger (id, product_id, order_id, kind, quantity, at) VALUES ($1, $2, $3, $4, $5, $6)",
		uuid.NewString(), productID, order, kind, quantity, s.now().UnixMicro())
	return err
}

// seed adds the products that do not exist yet.
func (s store) seed(ctx context.Context, all []seeded) error {
	return storage.InTx(ctx, s.db, func(tx *sql.Tx) error {
		for _, p := range all {
			fresh, err := storage.Changed(tx.ExecContext(ctx,
				`INSERT INTO products (id, name, description, category, price_minor, currency, on_hand, restock_below, restock_to)
				 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
				p.ID, p.Name, p.Description, p.Category, p.PriceMinor, p.Currency, p.onHand, p.restockBelow, p.restockTo))
			if err != nil {
				return err
			}
			if !fresh {
				continue
			}
			if err := s.book(ctx, tx, p.ID, "", "initial", p.onHand); err != nil {
				return err
			}
		}
		return nil
	})
}
