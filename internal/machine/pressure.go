package machine

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// pressureFile is the file in which Linux reports how long processes wait for a processor. See
// https://docs.kernel.org/accounting/psi.html.
const pressureFile = "/proc/pressure/cpu"

// pressure returns how long at least one process has waited for a processor since the machine started. ok is
// false if the system does not report it, as on macOS and on kernels without pressure stall information.
func pressure() (total time.Duration, ok bool) {
	text, err := os.ReadFile(pressureFile)
	if err != nil {
		return 0, false
	}
	return parsePressure(string(text))
}

// parsePressure returns the total of the line "some", which is in microseconds.
func parsePressure(text string) (total time.Duration, ok bool) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "some" {
			continue
		}
		for _, field := range fields[1:] {
			value, found := strings.CutPrefix(field, "total=")
			if !found {
				continue
			}
			us, err := strconv.ParseInt(value, 10, 64)
			return time.Duration(us) * time.Microsecond, err == nil && us >= 0
		}
	}
	return 0, false
}
