package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"firedrill/internal/yamlfile"
)

// remoteStack holds the addresses of a stack that is not a copy on this machine, such as one in Kubernetes.
// Drills can inject faults into its services, but cannot reach its processes and network connections.
type remoteStack struct {
	Prometheus    string                   `yaml:"prometheus"`
	Loki          string                   `yaml:"loki"`
	Tempo         string                   `yaml:"tempo"`
	Notifications string                   `yaml:"notifications"`
	Services      map[string]remoteService `yaml:"services"`
}

// remoteService holds the addresses of one service: for users, and for operators.
type remoteService struct {
	URL   string `yaml:"url"`
	Admin string `yaml:"admin"`
}

// readRemote reads a remoteStack from a YAML file.
func readRemote(path string) (*remoteStack, error) {
	text, err := yamlfile.ReadText(path)
	if err != nil {
		return nil, fmt.Errorf("%w: --remote: %w", errUsage, err)
	}
	var r remoteStack
	if _, err := yamlfile.Decode(path, text, &r); err != nil {
		return nil, fmt.Errorf("%w: --remote: %w", errUsage, err)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(r.places())) {
		if url := r.places()[name]; !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
			errs = append(errs, fmt.Errorf("%w: --remote %s: %s: %q is no URL", errUsage, path, name, url))
		}
	}
	if r.Services["gateway"].URL == "" {
		errs = append(errs, fmt.Errorf("%w: --remote %s: services.gateway is missing: load goes there", errUsage, path))
	}
	return &r, errors.Join(errs...)
}

// places returns the values of ${NAME} in a drill.
func (r *remoteStack) places() map[string]string {
	places := map[string]string{
		"prometheus": r.Prometheus, "loki": r.Loki, "tempo": r.Tempo, "notifications": r.Notifications,
	}
	for name, s := range r.Services {
		places[name], places[name+".admin"] = s.URL, s.Admin
	}
	return places
}

func (r *remoteStack) admins() map[string]string {
	admins := map[string]string{}
	for name, s := range r.Services {
		admins[name] = s.Admin
	}
	return admins
}
