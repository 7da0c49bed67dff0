package catalog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/storage/storagetest"
	"firedrill/apps/internal/web"
)

// shelves is a small catalog. Product a is restocked, b is not, and c is sold
// out.
var shelves = []seeded{
	{Product{"a", "A", "an a", "x", 100, Currency, false}, 300, 200, 300},
	{Product{"b", "B", "a b", "x", 250, Currency, false}, 10, 0, 0},
	{Product{"c", "C", "a c", "y", 999, Currency, false}, 0, 0, 0},
}

func eachStore(t *testing.T, test func(t *testing.T, s store)) {
	t.Helper()
	storagetest.Each(t, func(t *testing.T, database string) {
		db, err := storage.Open(t.Context(), Name, database, migrations, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		s := store{db: db, now: time.Now}
		for range 2 { // the second time adds nothing
			if err := s.seed(t.Context(), shelves); err != nil {
				t.Fatal(err)
			}
		}
		test(t, s)
	})
}

// stock returns the quantity on hand by product. It fails the test if the
// ledger has another sum.
func (s store) stock(t *testing.T) map[string]int64 {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), `SELECT p.id, p.on_hand, CAST(COALESCE(SUM(l.quantity), 0) AS BIGINT)
		FROM products p LEFT JOIN stock_ledger l ON l.product_id = p.id GROUP BY p.id, p.on_hand`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := make(map[string]int64)
	for rows.Next() {
		var id string
		var onHand, booked int64
		if err := rows.Scan(&id, &onHand, &booked); err != nil {
			t.Fatal(err)
		}
		if onHand != booked {
			t.Errorf("product %s: %d on hand, %d in the ledger", id, onHand, booked)
		}
		all[id] = onHand
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestReserveAndRelease(t *testing.T) {
	type op struct {
		release bool
		order   string
		lines   []Line
		code    web.Code // "" means success
		total   int64
	}
	reserve := func(order string, code web.Code, total int64, lines ...Line) op {
		return op{false, order, lines, code, total}
	}
	release := func(order string) op { return op{release: true, order: order} }
	for _, c := range []struct {
		name string
		ops  []op
		want map[string]int64
	}{
		{"two products", []op{reserve("1", "", 450, Line{"b", 1}, Line{"a", 2})}, map[string]int64{"a": 298, "b": 9, "c": 0}},
		{"repeated", []op{reserve("1", "", 250, Line{"b", 1}), reserve("1", "", 250, Line{"b", 1})}, map[string]int64{"a": 300, "b": 9, "c": 0}},
		{"repeated with other lines returns the first", []op{reserve("1", "", 250, Line{"b", 1}), reserve("1", "", 250, Line{"a", 5})}, map[string]int64{"a": 300, "b": 9, "c": 0}},
		{"all or none", []op{reserve("1", web.OutOfStock, 0, Line{"a", 1}, Line{"b", 11})}, map[string]int64{"a": 300, "b": 10, "c": 0}},
		{"rejected, then in stock", []op{reserve("1", web.OutOfStock, 0, Line{"b", 11}), reserve("1", "", 2500, Line{"b", 10})}, map[string]int64{"a": 300, "b": 0, "c": 0}},
		{"sold out", []op{reserve("1", web.OutOfStock, 0, Line{"c", 1})}, map[string]int64{"a": 300, "b": 10, "c": 0}},
		{"unknown product", []op{reserve("1", web.UnknownProduct, 0, Line{"a", 1}, Line{"z", 1})}, map[string]int64{"a": 300, "b": 10, "c": 0}},
		{"at the restock limit", []op{reserve("1", "", 10000, Line{"a", 100})}, map[string]int64{"a": 200, "b": 10, "c": 0}},
		{"below the restock limit", []op{reserve("1", "", 10000, Line{"a", 100}), reserve("2", "", 100, Line{"a", 1})}, map[string]int64{"a": 300, "b": 10, "c": 0}},
		{"released", []op{reserve("1", "", 250, Line{"b", 1}), release("1")}, map[string]int64{"a": 300, "b": 10, "c": 0}},
		{"released twice", []op{reserve("1", "", 250, Line{"b", 1}), release("1"), release("1")}, map[string]int64{"a": 300, "b": 10, "c": 0}},
		{"reserve after release", []op{reserve("1", "", 250, Line{"b", 1}), release("1"), reserve("1", web.Voided, 0, Line{"b", 1})}, map[string]int64{"a": 300, "b": 10, "c": 0}},
		{"release before reserve", []op{release("1"), reserve("1", web.Voided, 0, Line{"b", 1}), release("1")}, map[string]int64{"a": 300, "b": 10, "c": 0}},
		{"two orders", []op{reserve("1", "", 250, Line{"b", 1}), reserve("2", "", 500, Line{"b", 2}), release("1")}, map[string]int64{"a": 300, "b": 8, "c": 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachStore(t, func(t *testing.T, s store) {
				for i, op := range c.ops {
					if op.release {
						if _, err := s.release(t.Context(), op.order); err != nil {
							t.Fatalf("step %d: %v", i, err)
						}
						continue
					}
					r, err := s.reserve(t.Context(), op.order, op.lines)
					if web.CodeOf(err) != op.code || r.TotalMinor != op.total {
						t.Fatalf("step %d: total %d, %v; want %d, code %q", i, r.TotalMinor, err, op.total, op.code)
					}
				}
				if got := s.stock(t); !reflect.DeepEqual(got, c.want) {
					t.Errorf("stock %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestStockAddsUp reserves, repeats and releases concurrently. The order of
// products varies and would cause deadlocks if reserve did not sort them.
func TestStockAddsUp(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		var mu sync.Mutex
		held := make(map[string]int64)
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(worker)))
				for n := range 25 {
					order := fmt.Sprintf("%d-%d", worker, n)
					lines := []Line{{"a", 1 + random.Int64N(50)}, {"b", 1}}
					random.Shuffle(2, func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
					kept, err := buy(t.Context(), s, random, order, lines)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					for _, l := range kept {
						held[l.ProductID] += l.Quantity
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		stock := s.stock(t)
		if got := stock["b"]; got != 10-held["b"] {
			t.Errorf("%d of b left after %d of 10 were sold", got, held["b"])
		}
		if stock["a"] < 200 {
			t.Errorf("%d of a left, want at least 200 because of restocking", stock["a"])
		}
	})
}

// buy reserves once or twice, and perhaps releases. It returns the lines that
// stay reserved.
func buy(ctx context.Context, s store, random *rand.Rand, order string, lines []Line) ([]Line, error) {
	for range 1 + random.IntN(2) {
		if _, err := s.reserve(ctx, order, lines); web.CodeOf(err) == web.OutOfStock {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	if random.IntN(2) == 0 {
		_, err := s.release(ctx, order)
		return nil, err
	}
	return lines, nil
}

func TestProducts(t *testing.T) {
	eachStore(t, func(t *testing.T, s store) {
		all, err := s.list(t.Context(), "")
		if err != nil || len(all) != 3 {
			t.Fatalf("%d products, %v; want 3", len(all), err)
		}
		want := Product{"b", "B", "a b", "x", 250, Currency, true}
		if all[1] != want {
			t.Errorf("got %+v, want %+v", all[1], want)
		}
		if all[2].Available {
			t.Error("c is sold out but marked as available")
		}
		if p, err := s.product(t.Context(), "b"); err != nil || p != want {
			t.Errorf("got %+v, %v; want %+v", p, err, want)
		}
		if _, err := s.product(t.Context(), "z"); web.CodeOf(err) != web.NotFound {
			t.Errorf("got %v, want %s", err, web.NotFound)
		}
	})
}

func TestAssortment(t *testing.T) {
	all := assortment()
	if len(all) != 50 || !reflect.DeepEqual(all, assortment()) {
		t.Fatalf("%d products, want 50 that are always the same", len(all))
	}
	ids := make(map[string]bool)
	for _, p := range all {
		ids[p.ID] = true
		if soldOut := p.onHand == 0; soldOut != (p.ID == SoldOut) {
			t.Errorf("%s has %d on hand", p.ID, p.onHand)
		}
		if p.onHand > 0 && p.restockBelow < MaxQuantity {
			t.Errorf("%s is restocked below %d, which is less than the maximum order of %d", p.ID, p.restockBelow, MaxQuantity)
		}
	}
	if len(ids) != 50 {
		t.Errorf("%d ids, want 50", len(ids))
	}
}
