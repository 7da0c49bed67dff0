package check

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"firedrill/deploy/compose"
	"firedrill/deploy/stack"
)

// root returns the folder of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// copyOf returns a copy with the given port offset and rendered configuration.
func copyOf(t *testing.T, offset int) compose.Project {
	t.Helper()
	p := compose.Project{
		Settings: stack.Settings{Root: root(t), Data: t.TempDir(), Offset: offset, Retention: "31d", Shop: true, Load: true},
		Version:  "v1", Getenv: func(string) string { return "" }, Out: os.Stderr,
	}
	release, err := p.Lock(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := p.Render(); err != nil {
		t.Fatal(err)
	}
	return p
}

// load reads compose.yaml as docker does, with these variables.
func load(ctx context.Context, root string, variables []string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "deploy", "compose", "compose.yaml")}, cli.WithEnv(variables))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(ctx)
}

func project(t *testing.T, p compose.Project) *types.Project {
	t.Helper()
	variables, err := p.Variables()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := load(t.Context(), p.Root, variables)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// Every component is a service that publishes the component's ports, plus the offset, only on the loopback.
func TestServicesPublishThePortsOfTheComponents(t *testing.T) {
	for _, offset := range []int{0, 6000} {
		p := copyOf(t, offset)
		services := project(t, p).Services
		published := 0
		for _, c := range p.Components() {
			service, there := services[c.Name]
			if !there {
				t.Errorf("%s has no container", c.Name)
			}
			var got []string
			for _, port := range service.Ports {
				got = append(got, fmt.Sprintf("%s:%s:%d", port.HostIP, port.Published, port.Target))
			}
			var want []string
			for _, port := range c.Ports {
				want = append(want, fmt.Sprintf("127.0.0.1:%d:%d", port, port-offset))
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("offset %d: %s publishes %v, want %v", offset, c.Name, got, want)
			}
			published += len(got)
		}
		all := 0
		for _, service := range services {
			all += len(service.Ports)
		}
		if all != published || len(services) != len(p.Components())+2 {
			t.Errorf("%d services publish %d ports, want those of the components (%d) and besides postgres and history, which publish none",
				len(services), all, published)
		}
	}
}

// The error names a variable that is missing and has no sensible default.
func TestVariablesThatAreMissing(t *testing.T) {
	p := copyOf(t, 0)
	all, err := p.Variables()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"FIREDRILL_DATA", "POSTGRES_PASSWORD", "SHOP_JWT_KEY"} {
		var rest []string
		for _, v := range all {
			if !strings.HasPrefix(v, name+"=") {
				rest = append(rest, v)
			}
		}
		if _, err := load(t.Context(), p.Root, rest); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: error %v, want one that names it", name, err)
		}
	}
}

// Mounted files and folders exist, and a volume is writable only for its own program.
func TestMounts(t *testing.T) {
	loaded := project(t, copyOf(t, 0))
	used := map[string]string{}
	for name, service := range loaded.Services {
		for _, v := range service.Volumes {
			switch v.Type {
			case types.VolumeTypeBind:
				if _, err := os.Stat(v.Source); err != nil || !v.ReadOnly {
					t.Errorf("%s mounts %s, read-only %v: %v", name, v.Source, v.ReadOnly, err)
				}
			case types.VolumeTypeVolume:
				used[v.Source] += name + " "
			default:
				t.Errorf("%s mounts a %s", name, v.Type)
			}
		}
	}
	for volume := range loaded.Volumes {
		users := len(strings.Fields(used[volume]))
		if want := map[bool]int{true: 2, false: 1}[volume == "prometheus"]; users != want {
			t.Errorf("volume %s is used by %q, want %d", volume, used[volume], want)
		}
	}
}
