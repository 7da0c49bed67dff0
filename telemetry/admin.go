package telemetry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// AdminHandler returns the handler for operators. Users must not reach it, so
// serve it on a separate address.
//
//	GET /metrics            all metrics; OpenMetrics or protobuf on request
//	GET /debug/pprof/...    profiles
//	GET, PUT /log/level     the minimum level that is logged; PUT "debug" changes it
func (t *Telemetry) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		Registry:          t.registry,
		EnableOpenMetrics: true, // needed for exemplars
	}))
	mux.HandleFunc("GET /log/level", t.showLevel)
	mux.HandleFunc("PUT /log/level", t.setLevel)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func (t *Telemetry) showLevel(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, levelName(t.level.Level()))
}

func (t *Telemetry) setLevel(w http.ResponseWriter, r *http.Request) {
	const longest = 16 // bytes; level names are shorter
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longest))
	if err != nil {
		http.Error(w, "read the log level: "+err.Error(), http.StatusBadRequest)
		return
	}
	name := strings.TrimSpace(string(body))
	if err := t.level.UnmarshalText([]byte(name)); err != nil {
		http.Error(w, fmt.Sprintf("log level %q: want debug, info, warn or error", name), http.StatusBadRequest)
		return
	}
	t.showLevel(w, r)
}
