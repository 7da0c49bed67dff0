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

// This file is what the same components in containers (deploy/compose) share with the native stack.

// Runtimes of a copy.
const (
	Native  = ""        // processes of this machine
	Compose = "compose" // containers
)

// Components lists what a copy consists of and where it answers, Grafana included, in the order a person wants to read.
// Their commands lack the paths of the programs.
func (s Settings) Components() []Component {
	return s.components(programs{grafana: grafana{binary: "grafana"}})
}

// Values are what the settings of the upstream programs say for the native stack.
func (s Settings) Values() config.Values { return s.values() }

// Record returns what the copy left when it was started, or nil if nothing was.
func (s Settings) Record() (*Record, error) { return readState(s) }

// Keep leaves the record of a start.
func (s Settings) Keep(r Record) error { return writeState(s, r) }

// Forget removes the record: the copy was stopped.
func (s Settings) Forget() error {
	if err := os.Remove(s.statePath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("tidy up after the stack: %w", err)
	}
	return nil
}

// Lock makes sure that one command at a time changes the copy; it waits for another to end, and says so to out.
func (s Settings) Lock(ctx context.Context, out io.Writer) (release func(), err error) {
	return lock(ctx, s, out)
}

// Secret returns the copy's secret of that name, made at the first call: 64 hexadecimal digits.
func (s Settings) Secret(name string) (string, error) {
	return jwtKey(filepath.Join(s.runDir(), name))
}

// ConfigDir is the folder of the rendered settings.
func (s Settings) ConfigDir() string { return s.configDir() }

// RunFile is the path of a file about the running copy.
func (s Settings) RunFile(name string) string { return filepath.Join(s.runDir(), name) }

// CheckPorts returns a *PortsError when somebody else holds ports of the components.
func (s Settings) CheckPorts(ctx context.Context, components []Component) error {
	return checkPorts(ctx, components, s.Offset)
}

// Look probes each component; runs says of which there is a process.
func (s Settings) Look(ctx context.Context, components []Component, runs map[string]bool) []ComponentStatus {
	processes := map[string]supervised{}
	for name, does := range runs {
		processes[name] = supervised{IsRunning: does}
	}
	return s.lookAll(ctx, components, processes)
}
