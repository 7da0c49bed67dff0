package check

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/docker/go-units"

	"firedrill/deploy/stack"
)

// No container has more rights than it needs.
func TestContainersAreConfined(t *testing.T) {
	for name, s := range project(t, copyOf(t, 0)).Services {
		if !s.ReadOnly || s.Privileged || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 {
			t.Errorf("%s: read-only %v, privileged %v, capabilities -%v +%v", name, s.ReadOnly, s.Privileged, s.CapDrop, s.CapAdd)
		}
		if !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s: security options %v", name, s.SecurityOpt)
		}
		if s.NetworkMode != "" || s.Pid != "" || s.Ipc != "" {
			t.Errorf("%s shares the machine's network %q, processes %q or memory %q", name, s.NetworkMode, s.Pid, s.Ipc)
		}
		if s.Logging == nil || s.Logging.Options["max-size"] == "" {
			t.Errorf("%s may fill the disk with its log", name)
		}
	}
}

// The sum of all memory limits is below 2 GiB. A Go program collects garbage before it reaches its own limit.
func TestMemory(t *testing.T) {
	sum := int64(0)
	for name, s := range project(t, copyOf(t, 0)).Services {
		limit := int64(s.MemLimit)
		if limit == 0 {
			t.Errorf("%s has no limit", name)
		}
		sum += limit
		if name == "postgres" {
			continue
		}
		heap, there := s.Environment["GOMEMLIMIT"]
		if !there {
			t.Errorf("%s has no GOMEMLIMIT", name)
			continue
		}
		bytes, err := units.RAMInBytes(strings.TrimSuffix(*heap, "iB"))
		if err != nil || bytes >= limit || bytes < limit*7/10 {
			t.Errorf("%s: GOMEMLIMIT %s, %v, want 70 to 99 %% of %s", name, *heap, err, units.BytesSize(float64(limit)))
		}
	}
	if sum >= 2<<30 {
		t.Errorf("together %s, want less than 2 GiB", units.BytesSize(float64(sum)))
	}
	t.Logf("together %s", units.BytesSize(float64(sum)))
}

// The shop's services and the database have health checks, and the services wait for the database.
func TestHealth(t *testing.T) {
	p := copyOf(t, 0)
	services := project(t, p).Services
	for _, c := range p.Components() {
		if c.Kind != stack.KindShop {
			continue
		}
		s := services[c.Name]
		if s.HealthCheck == nil || strings.Join(s.HealthCheck.Test, " ") != "CMD /shop healthcheck "+c.Name {
			t.Errorf("%s is checked by %v", c.Name, s.HealthCheck)
		}
		if got := s.DependsOn["postgres"].Condition; got != "service_healthy" {
			t.Errorf("%s waits until postgres is %q", c.Name, got)
		}
	}
	if test := services["postgres"].HealthCheck.Test; len(test) < 2 || test[1] != "pg_isready" {
		t.Errorf("postgres is checked by %v", test)
	}
	if got := services["prometheus"].DependsOn["history"].Condition; got != "service_completed_successfully" {
		t.Errorf("prometheus waits until history is %q", got)
	}
}

// Every upstream image has an exact version, the same as the native program.
func TestImages(t *testing.T) {
	p := copyOf(t, 0)
	tools, err := stack.Tools(p.Root)
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[string]string{}
	for _, tool := range tools {
		pinned[tool.Name] = tool.Version
	}
	native := map[string]string{
		"prometheus":   "prom/prometheus:" + releaseOf(t, pinned["prometheus"]),
		"alertmanager": "prom/alertmanager:" + pinned["alertmanager"],
		"loki":         "grafana/loki:" + strings.TrimPrefix(pinned["loki"], "v"),
		// The versions of Tempo's module are not its releases. The pinned version is a commit of May 2025,
		// between 2.8.0-rc.0 and 2.8.0.
		"tempo": map[string]string{"v1.5.1-0.20250529124718-87c2dc380cec": "grafana/tempo:2.8.4"}[pinned["tempo"]],
	}
	exact := regexp.MustCompile(`^[a-z/]+:v?\d+\.\d+(\.\d+)?(-alpine\d+\.\d+)?$`)
	for name, s := range project(t, p).Services {
		switch {
		case strings.HasPrefix(s.Image, "firedrill/"):
			if !strings.HasSuffix(s.Image, ":v1") || s.PullPolicy != "never" {
				t.Errorf("%s: image %s, pulled %q; want one that is built here", name, s.Image, s.PullPolicy)
			}
		case !exact.MatchString(s.Image):
			t.Errorf("%s: %s is no exact version", name, s.Image)
		case native[name] != "" && s.Image != native[name]:
			t.Errorf("%s: %s, but natively %s", name, s.Image, native[name])
		}
	}
}

// releaseOf returns the release for a version of Prometheus's module: v3.13.5 for v0.313.5.
func releaseOf(t *testing.T, module string) string {
	t.Helper()
	var major, patch int
	if n, err := fmt.Sscanf(module, "v0.%d.%d", &major, &patch); n != 2 {
		t.Fatalf("version of Prometheus's module %q: %v", module, err)
	}
	return fmt.Sprintf("v%d.%d.%d", major/100, major%100, patch)
}

// Programs in containers have the same flags as the native ones, except for addresses and folders.
func TestFlagsAreThoseOfTheNativePrograms(t *testing.T) {
	p := copyOf(t, 0)
	services := project(t, p).Services
	for _, c := range p.Components() {
		if c.Kind != stack.KindStack || c.Name == "grafana" {
			continue
		}
		var native []string
		for _, arg := range c.Command[1:] {
			native = append(native, plain(arg))
		}
		var contained []string
		for _, arg := range services[c.Name].Command {
			contained = append(contained, plain(arg))
		}
		if c.Name == "notifications" { // the native command has flag and value in separate arguments
			native = []string{"notifications", "--addr=ADDRESS", "--file=FILE"}
		}
		if !slices.Equal(native, contained) {
			t.Errorf("%s runs with %v, natively with %v", c.Name, contained, native)
		}
	}
}

// Grafana has the same variables as natively, except for addresses and folders.
func TestGrafanaIsSetUpAsNatively(t *testing.T) {
	p := copyOf(t, 0)
	own := project(t, p).Services["grafana"].Environment
	components := p.Components()
	grafana := components[slices.IndexFunc(components, func(c stack.Component) bool { return c.Name == "grafana" })]
	for _, variable := range grafana.Env {
		name, native, _ := strings.Cut(variable, "=")
		value, there := own[name]
		if !there || plain(name+"="+*value) != plain(name+"="+native) {
			t.Errorf("%s is not set as natively, to %q", name, native)
		}
	}
	if len(own) != len(grafana.Env)+1 { // GOMEMLIMIT
		t.Errorf("%d variables, natively %d", len(own), len(grafana.Env))
	}
}

var (
	aFile     = regexp.MustCompile(`=/.*$`)
	anAddress = regexp.MustCompile(`=(http://)?[a-z0-9.]+:\d+$|=\d+\.\d+\.\d+\.\d+$`)
)

// plain returns a setting with its address and its folder replaced by placeholders.
func plain(setting string) string {
	return anAddress.ReplaceAllString(aFile.ReplaceAllString(setting, "=FILE"), "=ADDRESS")
}

// Every variable that shop reads is mentioned in compose.yaml, under the same name.
func TestShopKnowsTheVariables(t *testing.T) {
	source, err := os.ReadFile(root(t) + "/cmd/shop/main.go")
	if err != nil {
		t.Fatal(err)
	}
	general := []string{"GOGC", "GOMEMLIMIT"}
	for name, s := range project(t, copyOf(t, 0)).Services {
		if !strings.HasPrefix(s.Image, "firedrill/shop:") {
			continue
		}
		for variable, value := range s.Environment {
			own := strings.Replace(variable, "SHOP_"+strings.ToUpper(name)+"_", "SHOP_<NAME>_", 1)
			url := strings.HasPrefix(variable, "SHOP_") && strings.HasSuffix(variable, "_URL")
			otel := strings.HasPrefix(variable, "OTEL_")
			if !url && !otel && !slices.Contains(general, variable) && !strings.Contains(string(source), own) {
				t.Errorf("%s gets %s, of which shop -h says nothing", name, variable)
			}
			if value == nil {
				t.Errorf("%s: %s has no value", name, variable)
			}
			if _, port, ok := strings.Cut(variable, "_ADDR"); ok && port == "" && !strings.HasPrefix(*value, "0.0.0.0:") {
				t.Errorf("%s listens at %s=%s, where nobody outside of its container reaches it", name, variable, *value)
			}
		}
	}
}
