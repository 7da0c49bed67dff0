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

// kit is what every service is built with. Without faults, both that and the
// dialer are nil.
type kit struct {
	tel    *telemetry.Telemetry
	faults *fault.Set
	dialer *fault.Dialer
}

// newKit makes what a part is built with.
func newKit(ctx context.Context, p part, token string, cfg telemetry.Config) (k kit, err error) {
	faults := fault.Config{Service: p.name, Token: token}
	if token != "" {
		k.dialer = fault.NewDialer()
		faults.Dialer, cfg.DialContext = k.dialer, k.dialer.DialContext
	}
	if k.tel, err = telemetry.New(ctx, cfg); err != nil {
		return kit{}, err
	}
	if !p.untold {
		faults.Logger, faults.Registry = k.tel.Logger(), k.tel.Registry()
	}
	if k.faults, err = fault.New(faults); err != nil {
		flush(context.WithoutCancel(ctx), k.tel)
		return kit{}, err
	}
	return k, nil
}

// client is for calls to a peer; timeout bounds each, 0 for no bound.
func (k kit) client(peer string, timeout time.Duration) (*http.Client, error) {
	opts := client.Options{Peer: peer, Timeout: timeout}
	if k.dialer != nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.DialContext = k.dialer.DialContext
		opts.Base = t
	}
	return client.New(k.tel, opts)
}

// natsDialer is an option of a connection to the broker.
func (k kit) natsDialer(o *nats.Options) error {
	if k.dialer != nil {
		o.CustomDialer, o.SkipHostLookup = k.dialer, true
	}
	return nil
}
