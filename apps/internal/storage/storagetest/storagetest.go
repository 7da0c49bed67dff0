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

	"firedrill/internal/prerequisite"
)

// Each runs test on SQLite and, where TEST_DATABASE_URL names a PostgreSQL
// database, in schemas of the test's own there. The database given is empty, and
// fit for storage.Open.
func Each(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		test(t, filepath.Join(t.TempDir(), "test.db"))
	})
	t.Run("postgresql", func(t *testing.T) {
		server := os.Getenv("TEST_DATABASE_URL")
		if server == "" {
			prerequisite.Missing(t, "TEST_DATABASE_URL is not set; .ci/with-postgres sets it")
		}
		test(t, prefixed(t, server))
	})
}

// prefixed is the server's URL with a prefix for the schemas of t, which are
// dropped afterwards.
func prefixed(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("TEST_DATABASE_URL: %v", err)
	}
	prefix := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	t.Cleanup(func() {
		if err := drop(server, prefix); err != nil {
			t.Errorf("drop the test's schemas: %v", err)
		}
	})
	q := u.Query()
	q.Set("search_path", prefix)
	u.RawQuery = q.Encode()
	return u.String()
}

// drop removes every schema whose name starts with the prefix.
func drop(server, prefix string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), fmt.Sprintf(`DO $$ DECLARE s TEXT; BEGIN
		FOR s IN SELECT nspname FROM pg_namespace WHERE starts_with(nspname, '%s') LOOP
			EXECUTE format('DROP SCHEMA %%I CASCADE', s);
		END LOOP;
	END $$`, prefix))
	return err
}
