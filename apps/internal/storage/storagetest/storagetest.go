// Package storagetest runs a test on every kind of database.
package storagetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Each runs test on SQLite and, where TEST_DATABASE_URL names a server on which
// databases may be created, on PostgreSQL. The database given is empty, and fit
// for storage.Open.
func Each(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		test(t, filepath.Join(t.TempDir(), "test.db"))
	})
	t.Run("postgresql", func(t *testing.T) {
		server := os.Getenv("TEST_DATABASE_URL")
		if server == "" {
			t.Skip("TEST_DATABASE_URL is not set")
		}
		test(t, create(t, server))
	})
}

// create makes a database of its own for t and drops it afterwards.
func create(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("TEST_DATABASE_URL: %v", err)
	}
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	run := func(statement string) error {
		pool, err := sql.Open("pgx", server)
		if err != nil {
			return err
		}
		defer pool.Close()
		_, err = pool.ExecContext(context.Background(), fmt.Sprintf(statement, name))
		return err
	}
	if err := run("CREATE DATABASE %s"); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := run("DROP DATABASE IF EXISTS %s WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	u.Path = "/" + name
	return u.String()
}
