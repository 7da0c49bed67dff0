package storage_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"

	"firedrill/apps/internal/storage"
	"firedrill/apps/internal/storage/storagetest"
	"firedrill/internal/storetest"
	"firedrill/telemetry"
	"firedrill/telemetry/telemetrytest"
)

var first = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE things (id TEXT PRIMARY KEY, n BIGINT NOT NULL);\n")}

func TestOpenMigratesAndKeepsData(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		one := fstest.MapFS{"migrations/00001_a.sql": first}
		two := fstest.MapFS{"migrations/00001_a.sql": first,
			"migrations/00002_b.sql": &fstest.MapFile{Data: []byte("-- +goose Up\nALTER TABLE things ADD COLUMN note TEXT NOT NULL DEFAULT 'none';\n")}}
		db, err := storage.Open(t.Context(), "test", database, one, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "INSERT INTO things (id, n) VALUES ($1, $2)", "a", 7); err != nil {
			t.Fatal(err)
		}
		db.Close()
		db, err = storage.Open(t.Context(), "test", database, two, storage.Options{Telemetry: telemetrytest.New(t, telemetry.Config{})})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var n int
		var note string
		if err := db.QueryRowContext(t.Context(), "SELECT n, note FROM things WHERE id = $1", "a").Scan(&n, &note); err != nil || n != 7 || note != "none" {
			t.Errorf("got %d, %q, %v; want 7, none", n, note, err)
		}
	})
}

// TestFileNames checks that the path of a SQLite file may have any characters, and
// is the path of the file.
func TestFileNames(t *testing.T) {
	for _, folder := range []string{"with spaces", "a?b", "a?mode=memory", "50%", "%41", "a#b", "a&b=c", "'quoted'", `"twice"`, "é", "a;b", "$HOME", `a\b`} {
		path := filepath.Join(t.TempDir(), folder, "test.db")
		db, err := storage.Open(t.Context(), "test", path, fstest.MapFS{"migrations/00001_a.sql": first}, storage.Options{})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		db.Close()
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v: the database is elsewhere", path, info, err)
		}
	}
}

// TestFileSurvives checks that a committed row is there after a full disk and after a
// kill. The outbox and all other tables of the services are stored like this.
func TestFileSurvives(t *testing.T) {
	open := func(dir string) (*sql.DB, error) {
		return storage.Open(t.Context(), "test", filepath.Join(dir, "test.db"), fstest.MapFS{"migrations/00001_a.sql": first}, storage.Options{})
	}
	storetest.Survives(t, storetest.Store{
		Put: func(dir string, n int) error {
			db, err := open(dir)
			if err != nil {
				return err
			}
			defer db.Close()
			return storage.InTx(t.Context(), db, func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), "INSERT INTO things (id, n) VALUES ($1, $2)", uuid.NewString(), n)
				return err
			})
		},
		Get: func(dir string) ([]int, error) {
			db, err := open(dir)
			if err != nil {
				return nil, err
			}
			defer db.Close()
			rows, err := db.QueryContext(t.Context(), "SELECT n FROM things")
			if err != nil {
				return nil, err
			}
			defer rows.Close()
			var all []int
			for rows.Next() {
				var n int
				if err := rows.Scan(&n); err != nil {
					return nil, err
				}
				all = append(all, n)
			}
			return all, rows.Err()
		},
	})
}

func TestServicesHaveSeparateSchemas(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		if !strings.HasPrefix(database, "postgres") {
			t.Skip("each service has a file of its own") // skip-ok: on PostgreSQL the same test runs
		}
		files := fstest.MapFS{"migrations/00001_a.sql": first}
		for _, service := range []string{"one", "two"} {
			db, err := storage.Open(t.Context(), service, database, files, storage.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), "INSERT INTO things (id, n) VALUES ('a', 1)"); err != nil {
				t.Errorf("%s: %v: want a table without the other service's row", service, err)
			}
		}
	})
}

func TestInTx(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		db, err := storage.Open(t.Context(), "test", database, fstest.MapFS{"migrations/00001_a.sql": first}, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		insert := func(id string, fail error) func(*sql.Tx) error {
			return func(tx *sql.Tx) error {
				fresh, err := storage.Changed(tx.ExecContext(t.Context(), "INSERT INTO things (id, n) VALUES ($1, 1) ON CONFLICT DO NOTHING", id))
				if err != nil || !fresh {
					t.Errorf("insert %s: fresh %v, %v", id, fresh, err)
				}
				return fail
			}
		}
		if err := storage.InTx(t.Context(), db, insert("kept", nil)); err != nil {
			t.Error(err)
		}
		failure := errors.New("no")
		if err := storage.InTx(t.Context(), db, insert("dropped", failure)); !errors.Is(err, failure) || err.Error() != "no" {
			t.Errorf("got %v, want the function's error", err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := storage.InTx(ended, db, func(*sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: %v", err)
		}
		var ids string
		if err := db.QueryRowContext(t.Context(), "SELECT id FROM things").Scan(&ids); err != nil || ids != "kept" {
			t.Errorf("got %q, %v; want only kept", ids, err)
		}
	})
}

func TestOpenErrors(t *testing.T) {
	bad := fstest.MapFS{"migrations/00001_a.sql": &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE NONSENSE;\n")}}
	_, err := storage.Open(t.Context(), "orders", t.TempDir()+"/x.db", bad, storage.Options{})
	if err == nil || !strings.Contains(err.Error(), `prepare database of "orders": migrate`) {
		t.Errorf("got %v", err)
	}
	_, err = storage.Open(t.Context(), "orders", "postgres://me:hunter2@[", bad, storage.Options{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v: want an error without the password", err)
	}
}

// TestOptions checks that the wrapper is used, and that the dialer is used for
// PostgreSQL.
func TestOptions(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, database string) {
		var wrapped bool
		var dialled atomic.Int64
		var last atomic.Value
		db, err := storage.Open(t.Context(), "test", database, fstest.MapFS{"migrations/00001_a.sql": first}, storage.Options{
			Wrap: func(c driver.Connector) driver.Connector {
				wrapped = true
				return c
			},
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				dialled.Add(1)
				last.Store(addr)
				return new(net.Dialer).DialContext(ctx, network, addr)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		remote := strings.HasPrefix(database, "postgres")
		if !wrapped || remote != (dialled.Load() > 0) {
			t.Errorf("wrapped %v, dialled %d times, the last %v", wrapped, dialled.Load(), last.Load())
		}
	})
}
