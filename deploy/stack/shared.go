package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"firedrill/deploy/config"
)

// This file has what the native stack shares with deploy/compose, which runs the same components in containers.

// Runtimes of a copy.
const (
	Native  = ""        // processes of this machine
	Compose = "compose" // containers
)

// Components returns the components of a copy and their addresses, with Grafana, in the order in which people
// see them. Their commands lack the paths of the programs.
func (s Settings) Components() []Component {
	return s.components(programs{grafana: grafana{binary: "grafana"}})
}

// Values returns the values for the configuration of the upstream programs in the native stack.
func (s Settings) Values() config.Values { return s.values() }

// Record returns the record of the last start, or nil if nothing was started.
func (s Settings) Record() (*Record, error) { return readState(s) }

// Keep stores the record of a start.
func (s Settings) Keep(r Record) error { return writeState(s, r) }

// Forget removes the record after the copy was stopped.
func (s Settings) Forget() error {
	if err := os.Remove(s.statePath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("tidy up after the stack: %w", err)
	}
	return nil
}

// Lock ensures that only one command at a time changes the copy. If another command holds the lock, it writes
// so to out and waits.
func (s Settings) Lock(ctx context.Context, out io.Writer) (release func(), err error) {
	return lock(ctx, s, out)
}

// Secret returns the copy's secret of that name, 64 hexadecimal digits. The first call creates it.
func (s Settings) Secret(name string) (string, error) {
	return jwtKey(filepath.Join(s.runDir(), name))
}

// ConfigDir returns the folder of the rendered configuration.
func (s Settings) ConfigDir() string { return s.configDir() }

// RunFile returns the path of a file about the running copy.
func (s Settings) RunFile(name string) string { return filepath.Join(s.runDir(), name) }

// CheckPorts returns a *PortsError if other processes hold ports of the components.
func (s Settings) CheckPorts(ctx context.Context, components []Component) error {
	return checkPorts(ctx, components, s.Offset)
}

// Look probes each component. runs tells by name which components have a process.
func (s Settings) Look(ctx context.Context, components []Component, runs map[string]bool) []ComponentStatus {
	processes := map[string]supervised{}
	for name, does := range runs {
		processes[name] = supervised{IsRunning: does}
	}
	return s.lookAll(ctx, components, processes)
}
