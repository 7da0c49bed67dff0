// Command shop runs services of the shop: one, several or all of them in one
// process.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// version is set by the linker.
var version string

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitMisuse = 2
)

const usage = `usage: shop [flags] SERVICE…
       shop [flags] healthcheck SERVICE…

Runs services of the shop until it is interrupted. Then they finish their active
requests. A second interrupt ends them at once. With healthcheck it checks whether
running services are ready, and exits with 1 if one is not.

Services, in start order:
%s  all        every service

Flags:
%s
Environment (flags override it):
  FIREDRILL_PORT_OFFSET     number added to every default port
  SHOP_<NAME>_ADDR          host:port of a service (SHOP_BROKER_ADDR: for NATS clients)
  SHOP_<NAME>_ADMIN_ADDR    host:port of its health checks, metrics and profiles
  SHOP_<NAME>_URL           URL at which other services call it; default http://ADDR
  SHOP_DATA                 folder of the databases and streams; default .data/shop
  DATABASE_URL              postgres://…: use PostgreSQL, with a schema for each service
  NATS_URL                  URL of the broker; default nats://SHOP_BROKER_ADDR
  SHOP_JWT_KEY              key that signs tokens, at least 32 bytes; default random
  SHOP_TOKEN_TTL            how long a token is valid; default 15m
  SHOP_CORS_ORIGINS         browser origins that may call, comma-separated; default *
  SHOP_RATE_USER            requests per second of a user; default 20
  SHOP_RATE_USER_BURST      burst of a user's requests; default 40
  SHOP_RATE_ADDRESS         requests per second of an address; default 2000
  SHOP_RATE_ADDRESS_BURST   burst of an address's requests; default 4000
  SHOP_CACHE_TTL            how long the catalog caches products; default 5s
  SHOP_ORDER_GIVE_UP        age at which an unfinished order is undone; default 2m
  SHOP_BANK_SEED            seed of the bank's random decisions; default 1
  SHOP_BANK_LATENCY         median latency of the bank; default 25ms
  SHOP_BANK_SPREAD          sigma of the logarithm of the bank's latency; default 0.5
  SHOP_BANK_DECLINE         share of the charges that the bank declines; default 0.01
  SHOP_FAULTS_TOKEN         token for breaking a service on purpose, at /faults of its
                            admin listener; default none, so faults are off
  LOG_LEVEL, LOG_FORMAT     debug, info, warn or error; json or none
  LOKI_URL                  URL to which logs are pushed, for example http://127.0.0.1:3100
  OTEL_…                    as in OpenTelemetry: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER, …

Users are user-0001 to user-1000 and staff-01 to staff-05. The password of NAME is
demo-NAME. Product p-050 is sold out. The card "card-declined" is declined.

Try (omit the first line if "make up" is running; with a port offset N use port 8000+N):
  shop all &
  TOKEN=$(curl -s 127.0.0.1:8000/login -d '{"user":"user-0001","password":"demo-user-0001"}' |
          sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -i 127.0.0.1:8000/orders -H "Authorization: Bearer $TOKEN" -H 'Idempotency-Key: first' \
       -d '{"lines":[{"product_id":"p-001","quantity":2}]}'
`

// run is the whole program. It returns the exit code. stdout must allow
// concurrent writes.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("shop", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // usage and errors are written below
	data := flags.String("data", "", "`folder` of the databases and streams")
	offset := flags.String("offset", "", "`number` added to every default port")
	showVersion := flags.Bool("version", false, "print the version and exit")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usageText(flags))
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "shop: %v\nTry: shop -h\n", err)
		return exitMisuse
	case *showVersion:
		fmt.Fprintln(stdout, versionText())
		return exitOK
	}
	env := overlay(getenv, map[string]string{"SHOP_DATA": *data, "FIREDRILL_PORT_OFFSET": *offset})
	names, act := flags.Args(), serve
	if len(names) > 0 && names[0] == "healthcheck" {
		names, act = names[1:], health
	}
	chosen, err := choose(names)
	if err != nil {
		fmt.Fprintf(stderr, "shop: %v\nTry: shop -h\n", err)
		return exitMisuse
	}
	cfg, err := settingsFrom(env)
	if err != nil {
		fmt.Fprintf(stderr, "shop: %v\nTry: shop -h\n", err)
		return exitMisuse
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the process
	if err := act(ctx, chosen, cfg, stdout); err != nil {
		fmt.Fprintf(stderr, "shop: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// overlay returns getenv with the non-empty variables of set in front.
func overlay(getenv func(string) string, set map[string]string) func(string) string {
	return func(key string) string {
		if v := set[key]; v != "" {
			return v
		}
		return getenv(key)
	}
}

func usageText(flags *flag.FlagSet) string {
	var services, options string
	for _, p := range parts() {
		services += fmt.Sprintf("  %-10s %s\n", p.name, p.about)
	}
	flags.VisitAll(func(f *flag.Flag) {
		kind, about := flag.UnquoteUsage(f)
		options += fmt.Sprintf("  -%-14s %s\n", f.Name+" "+kind, about)
	})
	return fmt.Sprintf(usage, services, options)
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
