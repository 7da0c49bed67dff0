package kinds

// resourceKinds returns the kinds that take processor time or memory.
func resourceKinds() []Kind {
	return []Kind{cpuBurn(), gcPressure(), goroutineLeak(), memoryLeak()}
}

func cpuBurn() Kind {
	return Kind{
		Name: CPUBurn,
		Doc: "Keeps processor cores busy inside the service's process, as a hot loop would. Seen in process_cpu_seconds_total, in " +
			"CPU profiles, and as slower requests of everything that shares the machine once no core is left. With wait the service starves " +
			"itself: its callers see slow requests that its own spans do not show, for they begin when a request gets its turn.",
		Params: []Param{
			{Name: "cores", Type: Number, Unit: "cores", Min: 0.01, Max: 256, Default: 1.0,
				Doc: "Cores kept busy. The last may be a part of one."},
			{Name: "wait", Type: Duration, Min: 0, Max: 5, Default: "0s",
				Doc: "How long whoever has work in the process waits for its turn: instead of cores, as many hot loops as that takes on this machine."},
		},
	}
}

func gcPressure() Kind {
	return Kind{
		Name: GCPressure,
		Doc: "Allocates garbage at a rate, so that the collector runs more often and takes processor time and assists from requests. " +
			"Seen in go_gc_duration_seconds, go_memstats_alloc_bytes_total and process_cpu_seconds_total while the heap stays as it is.",
		Params: []Param{{Name: "bytes_per_second", Type: Number, Unit: "bytes/s", Min: 1024, Max: 16 << 30, Default: float64(256 << 20),
			Doc: "Garbage made."}},
	}
}

func goroutineLeak() Kind {
	return Kind{
		Name: GoroutineLeak,
		Doc: "Starts goroutines that wait for nothing, up to a limit, as requests to a peer without a time-out would. Seen in " +
			"go_goroutines and goroutine profiles, and slowly in memory. All end with the fault.",
		Params: []Param{
			{Name: "per_second", Type: Number, Unit: "goroutines/s", Min: 0.1, Max: 100_000, Default: 100.0, Doc: "Growth."},
			{Name: "limit", Type: Integer, Unit: "goroutines", Min: 1, Max: 1_000_000, Default: 10_000, Doc: "Most goroutines."},
		},
	}
}

func memoryLeak() Kind {
	return Kind{
		Name: MemoryLeak,
		Doc: "Takes memory steadily and keeps it, up to a limit, as a cache without bounds would. Seen in go_memstats_heap_inuse_bytes, " +
			"process_resident_memory_bytes and heap profiles, and in restarts where a limit kills the process. All is given back when it ends.",
		Params: []Param{
			{Name: "bytes_per_second", Type: Number, Unit: "bytes/s", Min: 1024, Max: 1 << 30, Default: float64(8 << 20), Doc: "Growth."},
			{Name: "limit", Type: Number, Unit: "bytes", Min: 1024, Max: 64 << 30, Default: float64(256 << 20), Doc: "Most memory taken."},
		},
	}
}
