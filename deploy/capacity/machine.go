package capacity

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine describes the machine: system, cores, processor, and its load average at the moment.
func machine() string {
	name := fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.SplitSeq(string(info), "\n") {
			if key, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name += " of " + strings.Join(strings.Fields(model), " ")
				break
			}
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		if fields := strings.Fields(string(load)); len(fields) > 0 {
			name += ", load average " + fields[0]
		}
	}
	return name
}
