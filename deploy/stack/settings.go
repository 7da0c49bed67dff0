// Package stack builds, starts, watches and stops the native deployment: the upstream programs, built from
// their Go modules, and the shop's services. process-compose supervises them all. The package must not know
// what the services do or what their signals mean. It knows programs, ports, and whether a component is ready.
package stack

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"firedrill/internal/machine"
	"firedrill/internal/topology"
)

// ErrSettings marks an error in the user's settings, in contrast to an error of the machine.
var ErrSettings = errors.New("settings")

// maxOffset is the largest port offset. With it, the highest port of the stack is still below 65536.
const maxOffset = 65535 - topology.PortHighest

// Settings describe one copy of the stack. Copies with different Data and Offset can run at the same time.
type Settings struct {
	Root      string // the repository, with the rules and the pinned versions of the upstream programs
	Data      string // folder of everything that the copy writes at run time
	Bin       string // folder of built upstream programs, which several copies may share
	Offset    int    // added to every port
	Retention string // how long Prometheus keeps samples
	Shop      bool   // whether the shop's services run too
	Load      bool   // whether the background load runs

	Distributed bool // whether Loki and Tempo run as several processes each

	// Machine is how much this machine can carry, as stored in the data folder. It is zero if unknown.
	// Deadlines and the rate of the background load depend on it.
	Machine machine.Capacity
}

// Flags are the settings on the command line. Zero values were not given.
type Flags struct {
	Data, Bin, Retention string
	Offset               *int
	NoShop, Distributed  bool
}

// Resolve returns the Settings. Flags take precedence over the environment, and the environment over the
// defaults. executable is the path of the running program: if it is in the folder .bin of a repository, that
// repository is the root.
func Resolve(f Flags, getenv func(string) string, executable string) (Settings, error) {
	root, err := Root(getenv, executable)
	if err != nil {
		return Settings{}, err
	}
	s := Settings{
		Root:      root,
		Data:      cmp.Or(f.Data, getenv("FIREDRILL_DATA"), filepath.Join(root, ".data")),
		Bin:       cmp.Or(f.Bin, getenv("FIREDRILL_STACK_BIN"), filepath.Join(root, ".bin", "stack")),
		Retention: cmp.Or(f.Retention, getenv("FIREDRILL_RETENTION"), "31d"),
		Shop:      !f.NoShop,
	}
	for _, dir := range []*string{&s.Data, &s.Bin} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return Settings{}, fmt.Errorf("resolve folder: %w", err)
		}
	}
	if err := s.checkPaths(); err != nil { // before anything in the folders is read
		return Settings{}, err
	}
	if s.Load, err = resolveSwitch("LOAD", getenv, true); err != nil {
		return Settings{}, err
	}
	s.Load = s.Load && s.Shop
	if s.Distributed, err = resolveSwitch("FIREDRILL_DISTRIBUTED", getenv, false); err != nil {
		return Settings{}, err
	}
	s.Distributed = s.Distributed || f.Distributed
	// A file that cannot be read counts as missing: the next start measures the machine again and replaces it.
	if known, ok, err := machine.Known(s.Data); err == nil && ok {
		s.Machine = known
	}
	s.Offset, err = s.resolveOffset(f.Offset, getenv("FIREDRILL_PORT_OFFSET"))
	return s, err
}

func resolveSwitch(name string, getenv func(string) string, unset bool) (bool, error) {
	switch text := getenv(name); text {
	case "":
		return unset, nil
	case "on", "off":
		return text == "on", nil
	default:
		return false, fmt.Errorf("%w: %s=%q: want on or off", ErrSettings, name, text)
	}
}

// resolveOffset returns the offset that the user gave, or else the offset of the copy that runs in the data
// folder.
func (s Settings) resolveOffset(flag *int, env string) (int, error) {
	offset := 0
	switch {
	case flag != nil:
		offset = *flag
	case env != "":
		n, err := strconv.Atoi(env)
		if err != nil {
			return 0, fmt.Errorf("%w: FIREDRILL_PORT_OFFSET=%q is not a whole number", ErrSettings, env)
		}
		offset = n
	default:
		if st, err := readState(s); err == nil && st != nil {
			offset = st.Offset
		}
	}
	if offset < 0 || offset > maxOffset {
		return 0, fmt.Errorf("%w: port offset %d is outside 0 to %d", ErrSettings, offset, maxOffset)
	}
	return offset, nil
}

// Root returns the repository's folder, as Resolve does. It looks at no other folder, so it works where there is no copy.
func Root(getenv func(string) string, executable string) (string, error) {
	return findRoot(getenv("FIREDRILL_ROOT"), executable)
}

// findRoot returns the repository's folder. It is told if that is set, or else the folder above the
// executable's .bin, or else the nearest repository at or above the working folder.
func findRoot(told, executable string) (string, error) {
	if told != "" {
		if !isRoot(told) {
			return "", fmt.Errorf("%w: FIREDRILL_ROOT=%q holds no firedrill repository", ErrSettings, told)
		}
		return filepath.Abs(told)
	}
	if resolved, err := filepath.EvalSymlinks(executable); err == nil {
		if root := filepath.Dir(filepath.Dir(resolved)); isRoot(root) {
			return root, nil
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if isRoot(dir) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%w: no firedrill repository around %s or the working folder; set FIREDRILL_ROOT",
				ErrSettings, executable)
		}
	}
}

func isRoot(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(text)), "module firedrill\n")
}

// The folders and files of one copy.
func (s Settings) runDir() string      { return filepath.Join(s.Data, "run") }
func (s Settings) logDir() string      { return filepath.Join(s.Data, "logs") }
func (s Settings) configDir() string   { return filepath.Join(s.Data, "config") }
func (s Settings) statePath() string   { return filepath.Join(s.runDir(), "stack.json") }
func (s Settings) composePath() string { return filepath.Join(s.runDir(), "process-compose.yaml") }

// LogPath returns the file with the output of the named component.
func (s Settings) LogPath(name string) string { return filepath.Join(s.logDir(), name+".log") }

// PrometheusDir returns the folder in which Prometheus stores its samples.
func (s Settings) PrometheusDir() string { return filepath.Join(s.Data, "prometheus") }
