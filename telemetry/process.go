package telemetry

import (
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Native histograms: each bucket is at most 10 % wider than the previous one.
const (
	nativeFactor  = 1.1
	nativeBuckets = 100
)

// registerProcess registers the metrics that every service has: the Go runtime
// with GOMAXPROCS and GOMEMLIMIT, the process, and the build.
func registerProcess(registry *prometheus.Registry, cfg Config) {
	revision := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "telemetry_build_info",
		Help: "Always 1. The labels give the service, version, revision and Go version.",
		ConstLabels: prometheus.Labels{
			"service": cfg.Service, "version": cfg.Version, "revision": revision, "goversion": runtime.Version(),
		},
	})
	build.Set(1)
	limit := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "process_memory_limit_bytes",
		Help: "Memory limit of the container, from its cgroup; +Inf if there is no limit.",
	})
	limit.Set(containerMemory())
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build, limit,
	)
}

func containerMemory() float64 {
	bytes, err := memlimit.FromCgroup()
	if err != nil || bytes == 0 || bytes >= math.MaxInt64 {
		return math.Inf(1)
	}
	return float64(bytes)
}

// logLimits logs the CPU and memory limits of the runtime. They are the first
// things to check when a service is slow or killed.
func logLimits(logger *slog.Logger) {
	attrs := []any{slog.Int("gomaxprocs", runtime.GOMAXPROCS(0))}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		attrs = append(attrs, slog.Int64("gomemlimit_bytes", limit))
	}
	if limit := containerMemory(); !math.IsInf(limit, 1) {
		attrs = append(attrs, slog.Int64("container_memory_bytes", int64(limit)))
	}
	logger.Info("telemetry started", attrs...)
}
