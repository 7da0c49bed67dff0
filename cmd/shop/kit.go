package main

import (
	"context"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"

	"firedrill/apps/fault"
	"firedrill/telemetry"
	"firedrill/telemetry/client"
)

// kit holds what every service is built with. Without a token for faults,
// faults and dialer are nil.
type kit struct {
	tel    *telemetry.Telemetry
	faults *fault.Set
	dialer *fault.Dialer
}

// newKit creates the kit of a part.
func newKit(ctx context.Context, p part, token string, cfg telemetry.Config) (k kit, err error) {
	faults := fault.Config{Service: p.name, Token: token}
	if token != "" {
		k.dialer = fault.NewDialer()
		faults.Dialer, cfg.DialContext = k.dialer, k.dialer.DialContext
	}
	if k.tel, err = telemetry.New(ctx, cfg); err != nil {
		return kit{}, err
	}
	if !p.noTelemetry {
		faults.Logger, faults.Registry = k.tel.Logger(), k.tel.Registry()
	}
	if k.faults, err = fault.New(faults); err != nil {
		flush(context.WithoutCancel(ctx), k.tel)
		return kit{}, err
	}
	return k, nil
}

// client returns an HTTP client for a peer. timeout limits each request; 0
// means no limit.
func (k kit) client(peer string, timeout time.Duration) (*http.Client, error) {
	opts := client.Options{Peer: peer, Timeout: timeout}
	if k.dialer != nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DialContext = k.dialer.DialContext
		opts.Base = t
	}
	return client.New(k.tel, opts)
}

// natsDialer is a nats.Option that sets the dialer.
func (k kit) natsDialer(o *nats.Options) error {
	if k.dialer != nil {
		o.CustomDialer, o.SkipHostLookup = k.dialer, true
	}
	return nil
}
