package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// delay measures how long processes wait for a processor while they have work to do.
type delay struct {
	pids func() []int // the processes to measure
	read func(pid int) map[string]schedule

	last map[string]schedule // by thread
}

// schedule is the kernel's record of a thread: how long it has run, and how long it was ready to run but
// waited.
type schedule struct{ ran, waited time.Duration }

// newDelay returns a measurement of the processes that pids returns. They may change between calls.
func newDelay(pids func() []int) *delay { return &delay{pids: pids, read: schedules} }

// leastWork is how long the processes must have run before their waiting means anything.
const leastWork = 10 * time.Millisecond

// Work is the piece of work to which a delay refers. It is about what one order costs in all services of the
// shop together.
const Work = 10 * time.Millisecond

// since returns how long a piece of Work waited for a processor since the last call, on average over the
// processes. known is false on the first call, if the processes did almost nothing, and on systems that do not
// report it.
func (d *delay) since() (waits time.Duration, known bool) {
	now := map[string]schedule{}
	for _, pid := range d.pids() {
		for thread, s := range d.read(pid) {
			now[thread] = s
		}
	}
	var ran, waited time.Duration
	for thread, s := range now {
		if before, there := d.last[thread]; there && s.ran >= before.ran && s.waited >= before.waited {
			ran += s.ran - before.ran
			waited += s.waited - before.waited
		}
	}
	d.last = now
	if ran < leastWork {
		return 0, false
	}
	return time.Duration(float64(waited) / float64(ran) * float64(Work)), true
}

// schedules returns Linux's records of a process's threads. It returns none if the process has ended or the
// system has no such records. See https://docs.kernel.org/scheduler/sched-stats.html.
func schedules(pid int) map[string]schedule {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return nil
	}
	all := make(map[string]schedule, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		if s, ok := parseSchedule(string(text)); ok {
			all[file] = s
		}
	}
	return all
}

// parseSchedule reads the first two numbers of a schedstat file, which are in nanoseconds.
func parseSchedule(text string) (s schedule, ok bool) {
	fields := strings.Fields(text)
	if len(fields) < 2 {
		return schedule{}, false
	}
	ran, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || ran < 0 {
		return schedule{}, false
	}
	waited, err := strconv.ParseInt(fields[1], 10, 64)
	return schedule{time.Duration(ran), time.Duration(waited)}, err == nil && waited >= 0
}
