// Package storagetest runs a test on every supported database.
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

// Each runs test on SQLite. If TEST_DATABASE_URL is the URL of a PostgreSQL
// database, it also runs test there, in schemas of its own. The database passed
// to test is empty and can be used with storage.Open.
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

// prefixed returns the server's URL with a schema prefix for this test. The
// schemas are dropped when the test ends.
func prefixed(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("TEST_DATABASE_URL: %v", err)
	}
	prefix := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	t.Cleanup(func() {
		if err := drop(server, prefix); err != nil {
			t.Errorf("drop schemas of the test: %v", err)
		}
	})
	q := u.Query()
	q.Set("search_path", prefix)
	u.RawQuery = q.Encode()
	return u.String()
}

// drop drops every schema whose name starts with prefix.
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
