package stack

import (
	"fmt"
	"path/filepath"

	"firedrill/deploy/config"
	"firedrill/internal/private"
)

// ownFolders creates the folders that every command needs, and checks that nobody else made or can change the copy's
// folders, also those that the upstream programs create.
func (s Settings) ownFolders() error {
	if err := private.Folder(s.Data); err != nil {
		return unsafeData(err)
	}
	for _, name := range dataNames() {
		if filepath.Ext(name) != "" {
			continue // a file, which is checked when it is opened
		}
		if err := private.Check(filepath.Join(s.Data, name)); err != nil {
			return unsafeData(err)
		}
	}
	if err := private.Folder(s.runDir()); err != nil {
		return unsafeData(err)
	}
	return nil
}

// unsafeData says which setting selects the folder that an error is about.
func unsafeData(err error) error {
	return fmt.Errorf("%w: the data folder is not safe: %w (make: DATA=…, firedrill: --data, FIREDRILL_DATA)", ErrSettings, err)
}

// render creates the folders of a copy and writes its configuration.
func (k Stack) render(p plan) error {
	// The upstream programs would create theirs as the user's umask says.
	for _, name := range []string{"alertmanager", "config", "drill", "grafana", "load", "logs", "loki", "prometheus", "rules", "shop", "tempo"} {
		if err := private.Folder(filepath.Join(k.Data, name)); err != nil {
			return fmt.Errorf("create folder of the stack: %w", err)
		}
	}
	ForgetDead(k.LoadTargets())
	ForgetDead(k.DrillTargets())
	if err := private.Folder(filepath.Dir(k.socketPath())); err != nil {
		return fmt.Errorf("create folder of the socket: %w; a shorter data folder needs none, another TMPDIR makes another", err)
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
