package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"firedrill/apps/bank"
	"firedrill/apps/gateway"
	"firedrill/telemetry"
)

// adminGap is the distance between a service's default port and its admin port.
const adminGap = 100

var ports = map[string]int{
	"gateway": 8000, "catalog": 8001, "orders": 8002, "payments": 8003, "shipping": 8004, "bank": 8005,
	"broker": 4222,
}

// brokerAdmin is the broker's admin port. It does not follow adminGap.
const brokerAdmin = 8106

// settings are the settings of all services, from the environment.
type settings struct {
	addr, admin, url map[string]string // by service
	data             string
	database         string // URL; "" for files under data
	nats             string // URL
	jwtKey           []byte
	tokenTTL         time.Duration
	origins          []string
	user, address    gateway.Rate
	cacheTTL         time.Duration
	giveUp           time.Duration
	bank             bank.Behaviour
	faultsToken      string // "": faults are off
	telemetry        telemetry.Config
}

// env reads variables and collects errors about invalid values.
type env struct {
	get  func(string) string
	errs []error
}

// parsed returns the parsed value of a variable, or def if it is not set.
func parsed[T any](e *env, key string, def T, parse func(string) (T, error)) T {
	text := e.get(key)
	if text == "" {
		return def
	}
	v, err := parse(text)
	if err != nil {
		e.errs = append(e.errs, fmt.Errorf("%s=%q: %w", key, text, plain(err)))
		return def
	}
	return v
}

// plain returns an error of strconv without the function's name and the text.
func plain(err error) error {
	var num *strconv.NumError
	if errors.As(err, &num) {
		return num.Err
	}
	return err
}

func number(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

// settingsFrom reads the environment. The error names every variable with an
// invalid value.
func settingsFrom(getenv func(string) string) (settings, error) {
	e := &env{get: getenv}
	offset := parsed(e, "FIREDRILL_PORT_OFFSET", 0, strconv.Atoi)
	mood := bank.DefaultBehaviour()
	s := settings{
		data:        parsed(e, "SHOP_DATA", filepath.Join(".data", "shop"), func(s string) (string, error) { return s, nil }),
		database:    getenv("DATABASE_URL"),
		faultsToken: getenv("SHOP_FAULTS_TOKEN"),
		tokenTTL:    parsed(e, "SHOP_TOKEN_TTL", 0, time.ParseDuration),
		cacheTTL:    parsed(e, "SHOP_CACHE_TTL", 0, time.ParseDuration),
		giveUp:      parsed(e, "SHOP_ORDER_GIVE_UP", 0, time.ParseDuration),
		user:        e.rate("SHOP_RATE_USER", gateway.Rate{PerSecond: 20, Burst: 40}),
		address:     e.rate("SHOP_RATE_ADDRESS", gateway.Rate{PerSecond: 2000, Burst: 4000}),
		bank: bank.Behaviour{
			Seed:    parsed(e, "SHOP_BANK_SEED", mood.Seed, func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }),
			Latency: parsed(e, "SHOP_BANK_LATENCY", mood.Latency, time.ParseDuration),
			Spread:  parsed(e, "SHOP_BANK_SPREAD", mood.Spread, number),
			Decline: parsed(e, "SHOP_BANK_DECLINE", mood.Decline, number),
		},
	}
	if origins := getenv("SHOP_CORS_ORIGINS"); origins != "" {
		s.origins = strings.Split(origins, ",")
	}
	s.addresses(e, offset)
	s.jwtKey = []byte(getenv("SHOP_JWT_KEY"))
	if len(s.jwtKey) == 0 {
		s.jwtKey = make([]byte, 32)
		if _, err := rand.Read(s.jwtKey); err != nil {
			e.errs = append(e.errs, fmt.Errorf("generate JWT key: %w", err))
		}
	}
	var err error
	s.telemetry, err = telemetry.ConfigFromEnv(getenv)
	return s, errors.Join(append(e.errs, err)...)
}

func (e *env) rate(key string, def gateway.Rate) gateway.Rate {
	return gateway.Rate{
		PerSecond: parsed(e, key, def.PerSecond, number),
		Burst:     parsed(e, key+"_BURST", def.Burst, strconv.Atoi),
	}
}

func (s *settings) addresses(e *env, offset int) {
	s.addr, s.admin, s.url = make(map[string]string), make(map[string]string), make(map[string]string)
	address := func(key string, port int) string {
		return parsed(e, key, net.JoinHostPort("127.0.0.1", strconv.Itoa(port+offset)), func(text string) (string, error) {
			_, _, err := net.SplitHostPort(text)
			return text, err
		})
	}
	for name, port := range ports {
		prefix := "SHOP_" + strings.ToUpper(name)
		admin := port + adminGap
		if name == "broker" {
			admin = brokerAdmin
		}
		s.addr[name] = address(prefix+"_ADDR", port)
		s.admin[name] = address(prefix+"_ADMIN_ADDR", admin)
		s.url[name] = strings.TrimSuffix(e.get(prefix+"_URL"), "/")
		if s.url[name] == "" {
			s.url[name] = "http://" + s.addr[name]
		}
	}
	s.nats = e.get("NATS_URL")
	if s.nats == "" {
		s.nats = "nats://" + s.addr["broker"]
	}
}

// databaseOf returns the database of a service: a URL or a path.
func (s *settings) databaseOf(name string) string {
	if s.database != "" {
		return s.database
	}
	return filepath.Join(s.data, name+".db")
}
