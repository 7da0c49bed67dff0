package compose

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"firedrill/deploy/config"
	"firedrill/deploy/stack"
	"firedrill/internal/private"
)

// unfit are the characters that a data folder must not have here: a colon ends the first part of a volume, and the others
// have a meaning in files of variables.
const unfit = `:$"'#`

// checkData returns an error if the data folder cannot be mounted.
func (p Project) checkData() error {
	if at := strings.IndexAny(p.Data, unfit); at >= 0 {
		return fmt.Errorf("%w: the data folder %q contains %c, which Docker Compose cannot take; use another folder", stack.ErrSettings, p.Data, p.Data[at])
	}
	return nil
}

// file returns the path of compose.yaml.
func (p Project) file() string { return filepath.Join(p.Root, "deploy", "compose", "compose.yaml") }

// Variables returns the variables of compose.yaml as NAME=value. They contain the copy's secrets.
func (p Project) Variables() ([]string, error) {
	key, err := p.Secret("jwt-key")
	if err != nil {
		return nil, err
	}
	password, err := p.Secret("postgres-password")
	if err != nil {
		return nil, err
	}
	faults, err := p.Secret("faults-token")
	if err != nil {
		return nil, err
	}
	all := []string{
		"COMPOSE_PROJECT_NAME=" + p.name(),
		"FIREDRILL_DATA=" + p.Data,
		"FIREDRILL_VERSION=" + tag(p.Version),
		fmt.Sprintf("LOAD_SCALE=%g", p.LoadScale()),
		"POSTGRES_PASSWORD=" + password,
		"SHOP_FAULTS_TOKEN=" + cmp.Or(p.Getenv("SHOP_FAULTS_TOKEN"), faults),
		"SHOP_JWT_KEY=" + cmp.Or(p.Getenv("SHOP_JWT_KEY"), key),
		"LOG_FORMAT=" + cmp.Or(p.Getenv("LOG_FORMAT"), "json"),
	}
	whole := p.Settings
	whole.Load = true // so that its container is found even if LOAD=off is set for this command
	for _, c := range whole.Components() {
		for _, port := range c.Ports {
			all = append(all, fmt.Sprintf("PORT_%d=%d", port-p.Offset, port))
		}
	}
	return all, nil
}

// name returns the name of the Compose project. Copies with different data folders have different names.
func (p Project) name() string {
	return fmt.Sprintf("firedrill-%x", sha256.Sum256([]byte(p.Data)))[:len("firedrill-")+8]
}

// tag returns a version with the characters replaced that an image tag must not have. It returns "local" for
// "".
func tag(version string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("._-", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, cmp.Or(version, "local"))
}

// Paths of mounted folders in the containers.
const (
	rulesIn = "/etc/prometheus/rules"
	loadIn  = "/etc/prometheus/load"
)

// dataOf returns the folder in which the program of a setting has its data folder, a sub-folder with the
// program's name. The image creates that sub-folder.
func dataOf(setting string) string {
	if setting == "tempo.yaml" {
		return "/var"
	}
	return ""
}

// Values returns the values for the configuration of the upstream programs in containers. They differ from the
// native ones only in addresses and folders.
func Values(s stack.Settings) config.Values {
	s.Offset = 0
	v := s.Values()
	for name, endpoints := range map[string][]*config.Endpoint{
		"prometheus": {&v.Prometheus}, "alertmanager": {&v.Alertmanager}, "notifications": {&v.Notifications},
		"loki": {&v.Loki, &v.LokiGRPC}, "tempo": {&v.Tempo, &v.TempoGRPC, &v.OTLPGRPC, &v.OTLPHTTP},
	} {
		for _, e := range endpoints {
			e.Listen, e.Host = "0.0.0.0", name
		}
	}
	for _, targets := range [][]config.Target{v.Services, v.Stack} {
		for i, t := range targets {
			_, port, _ := net.SplitHostPort(t.Addr) // an address of ours is always valid
			targets[i].Addr = net.JoinHostPort(t.Job, port)
		}
	}
	v.Load = loadIn + "/*.json"
	v.Drills = "/etc/prometheus/drill/*.json" // always empty: drills inject faults only into processes of this machine
	v.Rules = []string{rulesIn + "/stack/*.yaml", rulesIn + "/own/*.yaml", rulesIn + "/generated/*.yaml"}
	return v
}

// Setting renders the named configuration file ("loki.yaml") for a container.
func Setting(name string, s stack.Settings) ([]byte, error) {
	v := Values(s)
	v.Data = dataOf(name)
	return config.Render(name, v)
}

// backgroundLoad returns the scrape target of the background load, in the format of Prometheus' file_sd.
func backgroundLoad() ([]byte, error) {
	return json.Marshal([]map[string]any{{"targets": []string{"load:8107"}, "labels": map[string]string{"tier": stack.TierBackground}}})
}

// Render writes the files that the containers mount, and a file of the variables for people who run docker
// compose themselves.
func (p Project) Render() error {
	for _, dir := range []string{filepath.Join(p.ConfigDir(), "load"), filepath.Join(p.Data, "rules")} {
		if err := private.Folder(dir); err != nil {
			return fmt.Errorf("create folder of settings: %w", err)
		}
		if err := readable(dir, 0o755); err != nil {
			return err
		}
	}
	for _, name := range config.Names() {
		text, err := Setting(name, p.Settings)
		if err != nil {
			return err
		}
		if err := writeReadable(filepath.Join(p.ConfigDir(), name), text); err != nil {
			return err
		}
	}
	if err := p.renderLoad(); err != nil {
		return err
	}
	variables, err := p.Variables()
	if err != nil {
		return err
	}
	text := strings.Join(variables, "\n") + "\n"
	if err := private.WriteFile(p.RunFile("compose.env"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write variables of compose: %w", err)
	}
	return nil
}

func (p Project) renderLoad() error {
	path := filepath.Join(p.ConfigDir(), "load", "background.json")
	if !p.Load {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("remove target of the load: %w", err)
		}
		return nil
	}
	text, err := backgroundLoad()
	if err != nil {
		return err
	}
	return writeReadable(path, text)
}

// writeReadable writes a file that all users can read, because the program in a container runs as another user.
// The files contain no secrets.
func writeReadable(path string, text []byte) error {
	if err := private.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write setting: %w", err)
	}
	return nil
}

func readable(path string, mode os.FileMode) error {
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("let containers read %s: %w", path, err)
	}
	return nil
}
