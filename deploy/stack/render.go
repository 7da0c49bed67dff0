package stack

import (
	"fmt"
	"os"
	"path/filepath"

	"firedrill/deploy/config"
)

// render creates the folders of a copy and writes its configuration.
func (k Stack) render(p plan) error {
	dirs := []string{k.logDir(), filepath.Join(k.Data, "rules"), filepath.Join(k.Data, "shop"), k.LoadTargets(), k.DrillTargets()}
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("create folder of the stack: %w", err)
		}
	}
	ForgetDead(k.LoadTargets())
	ForgetDead(k.DrillTargets())
	if err := os.MkdirAll(filepath.Dir(k.socketPath()), 0o700); err != nil {
		return fmt.Errorf("create folder of the socket: %w", err)
	}
	if err := config.Write(k.configDir(), k.values()); err != nil {
		return err
	}
	if k.Distributed {
		if err := k.writeTargets(); err != nil {
			return err
		}
	}
	return writeCompose(k.Settings, k.Getenv, p.components)
}
