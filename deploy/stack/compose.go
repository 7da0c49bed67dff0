package stack

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/goccy/go-yaml"

	"firedrill/internal/private"
)

func itoa(n int) string { return strconv.Itoa(n) }

// The part of process-compose's file format that the stack uses.
type (
	composeFile struct {
		Version             string                    `yaml:"version"`
		Name                string                    `yaml:"name"`
		LogLevel            string                    `yaml:"log_level"`
		IsStrict            bool                      `yaml:"is_strict"`
		IsTUIDisabled       bool                      `yaml:"is_tui_disabled"`
		DisableEnvExpansion bool                      `yaml:"disable_env_expansion"`
		OrderedShutdown     bool                      `yaml:"ordered_shutdown"`
		Environment         []string                  `yaml:"environment"`
		Processes           map[string]composeProcess `yaml:"processes"`
	}
	composeProcess struct {
		Namespace      string                       `yaml:"namespace"`
		Entrypoint     []string                     `yaml:"entrypoint"`
		WorkingDir     string                       `yaml:"working_dir"`
		Environment    []string                     `yaml:"environment,omitempty"`
		LogLocation    string                       `yaml:"log_location"`
		Log            composeLog                   `yaml:"log_configuration"`
		Availability   composeAvailability          `yaml:"availability"`
		ReadinessProbe composeProbe                 `yaml:"readiness_probe"`
		Shutdown       composeShutdown              `yaml:"shutdown"`
		DependsOn      map[string]composeDependency `yaml:"depends_on,omitempty"`
	}
	composeLog struct {
		Rotation      composeRotation `yaml:"rotation"`
		FieldsOrder   []string        `yaml:"fields_order"`
		DisableJSON   bool            `yaml:"disable_json"`
		NoColor       bool            `yaml:"no_color"`
		NoMetadata    bool            `yaml:"no_metadata"`
		FlushEachLine bool            `yaml:"flush_each_line"`
	}
	composeRotation struct {
		MaxSizeMB  int `yaml:"max_size_mb"`
		MaxBackups int `yaml:"max_backups"`
	}
	composeAvailability struct {
		Restart        string `yaml:"restart"`
		BackoffSeconds int    `yaml:"backoff_seconds"`
	}
	composeProbe struct {
		HTTPGet          composeHTTPGet `yaml:"http_get"`
		PeriodSeconds    int            `yaml:"period_seconds"`
		TimeoutSeconds   int            `yaml:"timeout_seconds"`
		FailureThreshold int            `yaml:"failure_threshold"`
	}
	composeHTTPGet struct {
		Host string `yaml:"host"`
		Port string `yaml:"port"`
		Path string `yaml:"path"`
	}
	composeShutdown struct {
		Signal         int `yaml:"signal"`
		TimeoutSeconds int `yaml:"timeout_seconds"`
	}
	composeDependency struct {
		Condition string `yaml:"condition"`
	}
)

// neverKill is a failure threshold that is never reached. Probes only show whether a component is ready. A
// service that is not ready, because a dependency is down or a drill pauses it, must not be restarted: alerts
// are to notice it. A process that exits is restarted.
const neverKill = 1 << 30

// stopSeconds is how many seconds a component has between SIGTERM and SIGKILL on the reference machine.
const stopSeconds = 2

func composeProcessOf(s Settings, c Component) (composeProcess, error) {
	ready, err := url.Parse(c.Ready)
	if err != nil {
		return composeProcess{}, fmt.Errorf("probe of %q: %w", c.Name, err)
	}
	p := composeProcess{
		Namespace: c.Kind, Entrypoint: c.Command, WorkingDir: s.Data, Environment: c.Env,
		LogLocation: s.LogPath(c.Name),
		Log: composeLog{
			Rotation:    composeRotation{MaxSizeMB: 20, MaxBackups: 2},
			FieldsOrder: []string{"message"}, // the lines unchanged
			DisableJSON: true, NoColor: true, NoMetadata: true, FlushEachLine: true,
		},
		Availability: composeAvailability{Restart: "always", BackoffSeconds: 1},
		ReadinessProbe: composeProbe{
			HTTPGet:       composeHTTPGet{Host: ready.Hostname(), Port: ready.Port(), Path: ready.Path},
			PeriodSeconds: 2, TimeoutSeconds: s.seconds(1), FailureThreshold: neverKill,
		},
		Shutdown: composeShutdown{Signal: 15, TimeoutSeconds: cmp.Or(c.Stop, s.seconds(stopSeconds))},
	}
	for _, name := range c.After {
		if p.DependsOn == nil {
			p.DependsOn = map[string]composeDependency{}
		}
		p.DependsOn[name] = composeDependency{Condition: "process_started"}
	}
	return p, nil
}

// writeCompose writes the configuration of process-compose. It contains secrets, so only the user can read it.
func writeCompose(s Settings, getenv func(string) string, components []Component) error {
	made, err := jwtKey(filepath.Join(s.runDir(), "jwt-key"))
	if err != nil {
		return err
	}
	file := composeFile{
		Version: "0.5", Name: "firedrill", LogLevel: "info",
		IsStrict: true, IsTUIDisabled: true, DisableEnvExpansion: true, OrderedShutdown: true,
		Environment: s.env(), Processes: map[string]composeProcess{},
	}
	faults, err := s.Secret(FaultsToken)
	if err != nil {
		return err
	}
	shop := append(s.shopEnv(getenv, made), "SHOP_FAULTS_TOKEN="+faults)
	for _, c := range components {
		switch c.Kind {
		case KindShop:
			c.Env = slices.Concat(shop, c.Env)
		case KindStack:
			c.Env = slices.Concat(stackEnv(), c.Env)
		}
		if file.Processes[c.Name], err = composeProcessOf(s, c); err != nil {
			return err
		}
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		return fmt.Errorf("write process-compose's file: %w", err)
	}
	if err := private.WriteFile(s.composePath(), text, 0o600); err != nil {
		return fmt.Errorf("write process-compose's file: %w", err)
	}
	return nil
}

// FaultsToken is the name of the secret that permits its holder to inject faults into services. Drills use it.
const FaultsToken = "faults-token"

// jwtKey returns the secret at path, and creates it if there is none. It stays the same, so that a restarted
// gateway accepts tokens that it issued before.
func jwtKey(path string) (string, error) {
	text, err := private.ReadFile(path)
	if err == nil && isKey(text) {
		return string(text), nil
	}
	if err == nil { // somebody wrote something else into it, or a crash left half of it
		_, err = private.Aside(path)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read key for tokens: %w", err)
	}
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // documented never to fail
	text = []byte(hex.EncodeToString(key))
	if err := private.WriteFile(path, text, 0o600); err != nil {
		return "", fmt.Errorf("write key for tokens: %w", err)
	}
	return string(text), nil
}

// keyBytes is the length of a secret.
const keyBytes = 32

// isKey reports whether a file holds a whole secret.
func isKey(text []byte) bool {
	key, err := hex.DecodeString(string(text))
	return err == nil && len(key) == keyBytes
}
