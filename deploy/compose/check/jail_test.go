package check

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"firedrill/deploy/compose"
	"firedrill/internal/prerequisite"
)

// jail imitates our containers without a container engine: a static program alone on a read-only file system.
// It runs as the image's user, cannot gain privileges, and has the variables and mounts of compose.yaml. Names
// of containers are replaced by the loopback address, and ports are shifted.
type jail struct {
	rootfs   string
	p        compose.Project
	services types.Services
}

// enter is a script that root runs in a separate mount namespace. It makes the folder $1 a read-only root with
// /tmp and /proc, binds pairs of folders up to a --, and runs the remaining arguments in it as the user $2.
const enter = `root=$1 user=$2; shift 2
mount --bind "$root" "$root" && mount -o remount,bind,ro "$root" || exit 99
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp" && mount --rbind /proc "$root/proc" || exit 99
while [ "$1" != -- ]; do mount --bind "$1" "$root$2" || exit 99; shift 2; done
shift
exec setpriv --no-new-privs chroot --userspec="$user" "$root" "$@"`

func newJail(t *testing.T) jail {
	t.Helper()
	if os.Getuid() != 0 || os.Getenv("TEST_DATABASE_URL") == "" {
		prerequisite.Missing(t, "needs root, and PostgreSQL as .ci/with-postgres starts it")
	}
	p := copyOf(t, 0)
	j := jail{rootfs: t.TempDir(), p: p, services: project(t, p).Services}
	for j.p.Offset = 24000; j.p.CheckPorts(t.Context(), j.p.Components()) != nil; j.p.Offset += 100 {
	}
	for dir := j.rootfs; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) { // the image's user needs access to it
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"tmp", "proc", "data"} {
		if err := os.Mkdir(filepath.Join(j.rootfs, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// As in the Dockerfile, but without -trimpath, which would rebuild all packages.
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-ldflags", "-s -w -X main.version=v1",
		"-o", j.rootfs, "./cmd/shop", "./cmd/firedrill")
	build.Dir, build.Env = p.Root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build what the images hold: %v\n%s", err, out)
	}
	return j
}

var hostPort = regexp.MustCompile(`\b(0\.0\.0\.0|[a-z]+):(\d{4})\b`)

// moved returns a value in which every own address or container name is replaced by the loopback address, at
// the copy's port.
func (j jail) moved(value string) string {
	return hostPort.ReplaceAllStringFunc(value, func(at string) string {
		port, _ := strconv.Atoi(at[len(at)-4:]) // the pattern has only digits there
		return fmt.Sprintf("127.0.0.1:%d", port+j.p.Offset)
	})
}

// command returns the command that runs the program as the container of the service would.
func (j jail) command(t *testing.T, service, program string, args ...string) *exec.Cmd {
	t.Helper()
	s, user := j.services[service], "65532:65532" // of the image
	if s.User != "" {
		user = s.User
	}
	words := []string{"--mount", "sh", "-c", enter, "sh", j.rootfs, user}
	for _, v := range s.Volumes {
		words = append(words, j.mount(t, v, user), v.Target)
	}
	cmd := exec.Command("unshare", append(append(words, "--", program), args...)...)
	cmd.Env = []string{"SHOP_DATA=/data", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"} // as in the image
	for name, value := range s.Environment {
		if name == "DATABASE_URL" {
			cmd.Env = append(cmd.Env, name+"="+os.Getenv("TEST_DATABASE_URL")+"&search_path="+filepath.Base(j.rootfs)+filepath.Base(j.p.Data))
			continue
		}
		cmd.Env = append(cmd.Env, name+"="+j.moved(*value))
	}
	return cmd
}

// mount returns the folder or file to mount at the volume's target, and creates the target. It is the source of
// a bind mount, or a new folder that belongs to the user.
func (j jail) mount(t *testing.T, v types.ServiceVolumeConfig, user string) string {
	t.Helper()
	target := filepath.Join(j.rootfs, v.Target)
	info, err := os.Stat(v.Source)
	if v.Type == types.VolumeTypeBind && err == nil && !info.IsDir() {
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return v.Source
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		t.Fatal(err)
	}
	if v.Type == types.VolumeTypeBind {
		return v.Source
	}
	source := filepath.Join(j.p.Data, "volumes", v.Source)
	if err := os.MkdirAll(source, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", user, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return source
}
