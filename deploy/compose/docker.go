package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// docker runs "docker compose" on one project. With the zero value, every call fails.
type docker struct {
	binary string
	file   string   // compose.yaml
	env    []string // in addition to the environment of the process
}

// stopWithin is how long docker may take to end after an interrupt.
const stopWithin = 10 * time.Second

var errNoDocker = errors.New("no docker")

// docker returns the docker command of this machine. The error says what is missing: the command, its compose
// plugin, or a running engine.
func (p Project) docker(ctx context.Context) (docker, error) {
	const otherwise = "\"make up\" without STACK=compose needs no containers"
	binary, err := exec.LookPath("docker")
	if err != nil {
		return docker{}, fmt.Errorf("STACK=compose needs Docker: %w; install it (https://docs.docker.com/engine/install); %s", err, otherwise)
	}
	for _, need := range []struct{ what, remedy, command string }{
		{"its compose plugin", "install it (https://docs.docker.com/compose/install/linux)", "compose version"},
		{"a running engine", "start it, or say by DOCKER_HOST where it is", "version --format {{.Server.Version}}"},
	} {
		out, err := exec.CommandContext(ctx, binary, strings.Fields(need.command)...).CombinedOutput()
		if err != nil {
			return docker{}, fmt.Errorf("STACK=compose needs %s: docker %s: %w: %s\n%s; %s",
				need.what, need.command, err, firstLine(out), need.remedy, otherwise)
		}
	}
	variables, err := p.Variables()
	if err != nil {
		return docker{}, err
	}
	return docker{binary: binary, file: p.file(), env: variables}, nil
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

func (d docker) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.binary, append([]string{"compose", "--file", d.file}, args...)...)
	cmd.Env = append(os.Environ(), d.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = stopWithin
	return cmd
}

// run runs docker compose and copies its output to out.
func (d docker) run(ctx context.Context, out io.Writer, args ...string) error {
	if d.binary == "" {
		return errNoDocker
	}
	cmd := d.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("docker compose %s: %w", args[0], err)
	}
	return nil
}

// output runs docker compose and returns its standard output.
func (d docker) output(ctx context.Context, args ...string) (string, error) {
	if d.binary == "" {
		return "", errNoDocker
	}
	cmd := d.command(ctx, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("docker compose %s: %w: %s", args[0], err, firstLine(complaint.Bytes()))
	}
	return string(out), nil
}

// running returns the names of the services that have a running container.
func (d docker) running(ctx context.Context) (map[string]bool, error) {
	lines, err := d.output(ctx, "ps", "--services", "--status", "running")
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range strings.FieldsSeq(lines) {
		names[name] = true
	}
	return names, nil
}
