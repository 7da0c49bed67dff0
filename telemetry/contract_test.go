package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"firedrill/telemetry"
	"firedrill/telemetry/client"
	"firedrill/telemetry/db"
	"firedrill/telemetry/server"
	"firedrill/telemetry/telemetrytest"
)

var update = flag.Bool("update", false, "write the golden files")

// everything is the telemetry of a service that uses all of the library, after
// whatever gives a metric its labels has happened once.
func everything(t testing.TB) *telemetry.Telemetry {
	t.Helper()
	b := telemetrytest.NewBackend(t)
	tel := telemetrytest.New(t, b.Config("catalog"))
	tel.AdminHandler() // it counts what goes wrong with it

	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	if err := server.Instrument(app, tel, server.Options{}); err != nil {
		t.Fatal(err)
	}
	app.Get("/products/:id", func(*fiber.Ctx) error { return errors.New("no product") })
	resp, err := app.Test(httptest.NewRequest(http.MethodGet, "/products/7", nil), -1)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	peer, err := client.New(tel, client.Options{Peer: "bank"})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.CloseIdleConnections()
	req, err := http.NewRequestWithContext(client.WithAttempt(t.Context(), 1), http.MethodGet, b.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err = peer.Do(req); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	dsn := "file:" + filepath.Join(t.TempDir(), "catalog.db")
	pool, err := db.Open(tel, "sqlite", dsn, db.Options{Name: "catalog", System: "sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	if err := pool.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tel
}

// listed is a metric family as metrics.json lists it. The file's readers know the
// same format; this package must not import them.
type listed struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Unit   string   `json:"unit"` // the end of the name, "" for a plain number
	Help   string   `json:"help"`
	Labels []string `json:"labels"` // keys, sorted, without le and quantile
}

var unitInName = regexp.MustCompile(`_(seconds|bytes|ratio)(_total)?$`)

// metrics returns the metrics of a service that uses all of the library, in the
// order of their names.
func metrics(t testing.TB) []listed {
	t.Helper()
	families, err := everything(t).Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for _, f := range families {
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		unit := ""
		if end := unitInName.FindStringSubmatch(f.GetName()); end != nil {
			unit = end[1]
		}
		all = append(all, listed{
			Name: f.GetName(), Type: strings.ToLower(f.GetType().String()), Unit: unit,
			Help: f.GetHelp(), Labels: append([]string{}, slices.Sorted(maps.Keys(labels))...),
		})
	}
	return all
}

func TestMetricsAreThoseOfTheContract(t *testing.T) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string][]listed{"metrics": metrics(t)}); err != nil {
		t.Fatal(err)
	}
	golden(t, "metrics.json", b.Bytes())
}

// golden compares got with a file, or writes the file if -update is set.
func golden(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s is not current (-update writes it): file -, now +:\n%s", path, d)
	}
}

func TestMetricsPassPrometheusLint(t *testing.T) {
	telemetrytest.Lint(t, everything(t).Registry())
}
