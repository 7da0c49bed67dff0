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
)

// file is the description of the containers.
func (p Project) file() string { return filepath.Join(p.Root, "deploy", "compose", "compose.yaml") }

// Variables are what compose.yaml asks for, as NAME=value. They hold the copy's secrets.
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
	whole.Load = true // its container is to be found also when this command's LOAD=off
	for _, c := range whole.Components() {
		for _, port := range c.Ports {
			all = append(all, fmt.Sprintf("PORT_%d=%d", port-p.Offset, port))
		}
	}
	return all, nil
}

// name is the project's: copies with other data are other projects.
func (p Project) name() string {
	return fmt.Sprintf("firedrill-%x", sha256.Sum256([]byte(p.Data)))[:len("firedrill-")+8]
}

// tag makes a version fit to tag an image with.
func tag(version string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("._-", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, cmp.Or(version, "local"))
}

// Where the containers find what is mounted into them.
const (
	rulesIn = "/etc/prometheus/rules"
	loadIn  = "/etc/prometheus/load"
)

// dataOf is the folder in whose sub-folder of the program's name it keeps its data: the one that its image made for it.
func dataOf(setting string) string {
	if setting == "tempo.yaml" {
		return "/var"
	}
	return ""
}

// Values are what the settings of the upstream programs say in containers: what they say natively, with other addresses and
// folders.
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
			_, port, _ := net.SplitHostPort(t.Addr) // ours
			targets[i].Addr = net.JoinHostPort(t.Job, port)
		}
	}
	v.Load = loadIn + "/*.json"
	v.Drills = "/etc/prometheus/drill/*.json" // none: drills break processes of this machine
	v.Rules = []string{rulesIn + "/stack/*.yaml", rulesIn + "/own/*.yaml", rulesIn + "/generated/*.yaml"}
	return v
}

// Setting renders the named setting ("loki.yaml") for a container.
func Setting(name string, s stack.Settings) ([]byte, error) {
	v := Values(s)
	v.Data = dataOf(name)
	return config.Render(name, v)
}

// backgroundLoad tells Prometheus where the background load serves its metrics, in the format of its file_sd.
func backgroundLoad() ([]byte, error) {
	return json.Marshal([]map[string]any{{"targets": []string{"load:8107"}, "labels": map[string]string{"tier": stack.TierBackground}}})
}

// Render writes what the containers mount, and the variables for people who call docker compose themselves.
func (p Project) Render() error {
	for _, dir := range []string{filepath.Join(p.ConfigDir(), "load"), filepath.Join(p.Data, "rules")} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
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
	if err := os.WriteFile(p.RunFile("compose.env"), []byte(text), 0o600); err != nil {
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

// writeReadable writes a file that others may read: a container's program is another user, and nothing here is secret.
func writeReadable(path string, text []byte) error {
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("write setting: %w", err)
	}
	return readable(path, 0o644)
}

func readable(path string, mode os.FileMode) error {
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("let containers read %s: %w", path, err)
	}
	return nil
}
