package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"firedrill/apps/bank"
	"firedrill/apps/gateway"
	"firedrill/internal/machine/machinetest"
)

func getenvOf(env map[string]string) func(string) string {
	return func(key string) string { return env[key] }
}

func TestRunUsage(t *testing.T) {
	for _, c := range []struct {
		name           string
		args           []string
		env            map[string]string
		code           int
		stdout, stderr string // text that they must contain
	}{
		{name: "help", args: []string{"-h"}, code: exitOK, stdout: "Services, in start order"},
		{name: "version", args: []string{"-version"}, code: exitOK, stdout: "\n"},
		{name: "no service", code: exitMisuse, stderr: "missing argument: SERVICE"},
		{name: "unknown service", args: []string{"gateway", "till"}, code: exitMisuse, stderr: `unknown service "till"`},
		{name: "unknown flag", args: []string{"-x"}, code: exitMisuse, stderr: "-x"},
		{name: "bad number", args: []string{"bank"}, env: map[string]string{"FIREDRILL_PORT_OFFSET": "x"}, code: exitMisuse,
			stderr: `FIREDRILL_PORT_OFFSET="x": invalid syntax`},
		{name: "every bad variable in the error", args: []string{"bank"}, code: exitMisuse, stderr: `SHOP_BANK_DECLINE="y"`,
			env: map[string]string{"SHOP_TOKEN_TTL": "x", "SHOP_BANK_DECLINE": "y"}},
		{name: "bad telemetry", args: []string{"bank"}, env: map[string]string{"LOG_FORMAT": "xml"}, code: exitMisuse, stderr: "LOG_FORMAT"},
		{name: "service that cannot start", args: []string{"gateway"}, code: exitFailed, stderr: `start "gateway": configure gateway: the JWT key has 5 bytes`,
			env: map[string]string{"SHOP_JWT_KEY": "short", "LOG_FORMAT": "none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), c.args, getenvOf(c.env), &stdout, &stderr); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			if !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("stdout %q and stderr %q, want %q and %q", &stdout, &stderr, c.stdout, c.stderr)
			}
		})
	}
}

// The help text names every variable and every service.
func TestUsageIsComplete(t *testing.T) {
	var stdout bytes.Buffer
	run(t.Context(), []string{"-h"}, getenvOf(nil), &stdout, &stdout)
	asked := map[string]bool{}
	if _, err := settingsFrom(func(key string) string { asked[key] = true; return "" }); err != nil {
		t.Fatal(err)
	}
	for key := range asked {
		general := strings.HasPrefix(key, "OTEL_") || strings.HasSuffix(key, "_ADDR") || strings.HasSuffix(key, "_URL") || key == "LOKI_TENANT_ID"
		if !general && !strings.Contains(stdout.String(), key) {
			t.Errorf("-h does not mention %s", key)
		}
	}
	for _, p := range parts() {
		if !strings.Contains(stdout.String(), p.about) {
			t.Errorf("-h does not mention %s", p.name)
		}
	}
}

func TestSettings(t *testing.T) {
	s, err := settingsFrom(getenvOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"gateway":           {s.addr["gateway"], "127.0.0.1:8000"},
		"gateway's admin":   {s.admin["gateway"], "127.0.0.1:8100"},
		"bank's admin":      {s.admin["bank"], "127.0.0.1:8105"},
		"broker":            {s.addr["broker"], "127.0.0.1:4222"},
		"broker's admin":    {s.admin["broker"], "127.0.0.1:8106"},
		"URL":               {s.url["orders"], "http://127.0.0.1:8002"},
		"NATS":              {s.nats, "nats://127.0.0.1:4222"},
		"database":          {s.databaseOf("orders"), ".data/shop/orders.db"},
		"bank":              {s.bank, bank.DefaultBehaviour()},
		"length of the key": {len(s.jwtKey), 32},
	} {
		if pair[0] != pair[1] {
			t.Errorf("default of %s: %v, want %v", what, pair[0], pair[1])
		}
	}
	s, err = settingsFrom(getenvOf(map[string]string{
		"FIREDRILL_PORT_OFFSET": "1000", "SHOP_ORDERS_ADDR": "0.0.0.0:7", "SHOP_CATALOG_URL": "http://catalog:80/",
		"DATABASE_URL": "postgres://db/shop", "SHOP_RATE_USER": "2.5", "SHOP_RATE_USER_BURST": "7", "SHOP_ORDER_GIVE_UP": "30s",
		"SHOP_CORS_ORIGINS": "https://a,https://b", "SHOP_BANK_LATENCY": "1s",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]any{
		"gateway":        {s.addr["gateway"], "127.0.0.1:9000"},
		"broker's admin": {s.admin["broker"], "127.0.0.1:9106"},
		"orders":         {s.addr["orders"], "0.0.0.0:7"},
		"orders' URL":    {s.url["orders"], "http://0.0.0.0:7"},
		"catalog's URL":  {s.url["catalog"], "http://catalog:80"},
		"NATS":           {s.nats, "nats://127.0.0.1:5222"},
		"database":       {s.databaseOf("orders"), "postgres://db/shop"},
		"user's rate":    {s.user, gateway.Rate{PerSecond: 2.5, Burst: 7}},
		"patience":       {s.giveUp, 30 * time.Second},
		"origins":        {strings.Join(s.origins, " "), "https://a https://b"},
		"bank's latency": {s.bank.Latency, time.Second},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestChoose(t *testing.T) {
	names := func(all []part) string {
		var out []string
		for _, p := range all {
			out = append(out, p.name)
		}
		return strings.Join(out, " ")
	}
	for args, want := range map[string]string{
		"orders":            "orders",
		"gateway broker":    "broker gateway",
		"bank catalog bank": "bank catalog",
		"all":               "broker bank payments catalog orders shipping gateway",
		"all and others":    "broker bank payments catalog orders shipping gateway",
	} {
		got, err := choose(strings.Fields(args))
		if err != nil || names(got) != want {
			t.Errorf("%s: %s, %v; want %s", args, names(got), err, want)
		}
	}
}

// If a service fails, the others end, and the error names the service.
func TestFailedServiceStopsAll(t *testing.T) {
	taken := freeOffset(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	env := map[string]string{"FIREDRILL_PORT_OFFSET": itoa(taken), "SHOP_DATA": t.TempDir(), "LOG_FORMAT": "none"}
	first := make(chan int, 1)
	go func() { first <- run(ctx, []string{"catalog"}, getenvOf(env), &bytes.Buffer{}, &bytes.Buffer{}) }()
	machinetest.Await(t, "catalog is ready", ready(adminURLs(taken)["catalog"]))
	env["SHOP_DATA"] = t.TempDir()
	var stderr bytes.Buffer
	if code := run(ctx, []string{"all"}, getenvOf(env), &bytes.Buffer{}, &stderr); code != exitFailed || !strings.Contains(stderr.String(), `start "catalog": open public listener of "catalog"`) {
		t.Errorf("exit %d, %s", code, &stderr)
	}
	stop()
	if code := <-first; code != exitOK {
		t.Errorf("the first instance ended with %d", code)
	}
}
