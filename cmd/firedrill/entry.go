package main

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"firedrill/internal/cli"
	"firedrill/internal/wait"
)

func (p program) entryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "entry",
		Short: "Serve Loki or Tempo at one address when it runs as several processes",
		Long: `Listens where Loki or Tempo would listen as one process. Requests that push data go to the distributor at --write, all others
to the query front end at --read. It is ready when both are. "firedrill up --distributed" runs it.`,
		Example: `  firedrill entry --addr 127.0.0.1:3100 --write http://127.0.0.1:3110 --read http://127.0.0.1:3130`,
		Args:    cli.Args(),
	}
	f := cmd.Flags()
	addr := f.String("addr", "127.0.0.1:3100", "`address` to listen on")
	write := f.String("write", "", "`URL` of the distributor")
	read := f.String("read", "", "`URL` of the query front end")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		handler, err := newEntry(*write, *read)
		if err != nil {
			return cli.Misuse("%w", err)
		}
		return serve(cmd.Context(), *addr, handler)
	}
	return cmd
}

// newEntry returns a handler that forwards requests to the two URLs.
func newEntry(write, read string) (http.Handler, error) {
	mux := http.NewServeMux()
	for _, way := range []struct {
		name, url string
		paths     []string
	}{
		{"--write", write, []string{"POST /loki/api/v1/push", "POST /otlp/"}},
		{"--read", read, []string{"/"}},
	} {
		target, err := url.Parse(way.url)
		if err != nil || target.Host == "" {
			return nil, fmt.Errorf("%s %q: want http://host:port", way.name, way.url)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.FlushInterval = -1 // so that streams are forwarded without delay
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

// readyWithin is the timeout of the readiness probe of each of the two. It is shorter than the timeout of a
// probe of the entry.
const readyWithin = 400 * time.Millisecond
