package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"firedrill/internal/wait"
)

const entryUsage = `entry -addr ADDRESS -write URL -read URL

Stands where Loki or Tempo would as one process: what is pushed goes to the distributor at -write, all else to the query
front end at -read. It is ready when both are. "firedrill up -distributed" runs it.`

func entry(ctx context.Context, p program, args []string) error {
	fs := p.newFlags("entry", entryUsage)
	addr := fs.String("addr", "127.0.0.1:3100", "`address` to listen on")
	write := fs.String("write", "", "`URL` of the distributor")
	read := fs.String("read", "", "`URL` of the query front end")
	if err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	handler, err := newEntry(*write, *read)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return serve(ctx, *addr, handler)
}

// newEntry passes requests on to the two URLs.
func newEntry(write, read string) (http.Handler, error) {
	mux := http.NewServeMux()
	for _, way := range []struct {
		name, url string
		paths     []string
	}{
		{"-write", write, []string{"POST /loki/api/v1/push", "POST /otlp/"}},
		{"-read", read, []string{"/"}},
	} {
		target, err := url.Parse(way.url)
		if err != nil || target.Host == "" {
			return nil, fmt.Errorf("%s %q: want http://host:port", way.name, way.url)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.FlushInterval = -1 // what is streamed arrives as it comes
		for _, path := range way.paths {
			mux.Handle(path, proxy)
		}
	}
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		for _, url := range []string{write, read} {
			if err := wait.Probe(r.Context(), http.DefaultClient, url+"/ready", readyWithin); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		fmt.Fprintln(w, "ready")
	})
	return mux, nil
}

// readyWithin bounds the answer of one of the two; it is less than what a probe of both has.
const readyWithin = 400 * time.Millisecond
