package stack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"firedrill/internal/machine/machinetest"
	"firedrill/internal/prerequisite"
	"firedrill/internal/private"
	"firedrill/internal/proc"
)

// bossVar makes the test's binary play the supervisor. Its value is the path of the socket.
const bossVar = "STACK_TEST_BOSS"

func TestMain(m *testing.M) {
	if socket := os.Getenv(bossVar); socket != "" {
		bossMain(socket)
		return
	}
	os.Exit(m.Run())
}

// bossMain starts a component, prints its process id, and serves the supervisor's API until it is killed. The component
// "loki" is its own, "stray" is this process's parent, which it did not start.
func bossMain(socket string) {
	child := exec.Command("sleep", "3600")
	if err := child.Start(); err != nil {
		panic(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, child.Process.Pid)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"data":[{"name":"loki","is_running":true,"pid":%d},{"name":"stray","is_running":true,"pid":%d}]}`, child.Process.Pid, os.Getppid())
	})
	panic(http.Serve(l, handler))
}

// copyOf returns a copy whose folders exist.
func copyOf(t *testing.T, data string) Stack {
	t.Helper()
	root := t.TempDir()
	k := Stack{Settings: Settings{Root: root, Data: data, Bin: filepath.Join(root, ".bin", "stack")}, Out: io.Discard}
	if err := errors.Join(k.ownFolders(), private.Folder(filepath.Dir(k.socketPath()))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if filepath.Dir(k.socketPath()) != k.runDir() {
			_ = os.RemoveAll(filepath.Dir(k.socketPath()))
		}
	})
	return k
}

// startMarked starts a process with the mark of a copy, in a session of its own if leads is true.
func startMarked(t *testing.T, k Stack, leads bool, name string, args ...string) (proc.Identity, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), marker+"="+k.Data, bossVar+"="+k.socketPath())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: leads}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { _ = cmd.Wait(); close(over) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-over })
	i, err := proc.Identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return i, bufio.NewReader(out)
}

// startBoss starts a supervisor and its component.
func startBoss(t *testing.T, k Stack) (boss, component proc.Identity) {
	t.Helper()
	boss, out := startMarked(t, k, true, os.Args[0])
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err == nil {
		component, err = proc.Identify(pid)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = component.Send(syscall.SIGKILL) })
	return boss, component
}

// TestDownStopsItsOwn checks that Down ends what the copy started, and nothing else that carries its mark.
func TestDownStopsItsOwn(t *testing.T) {
	for _, tc := range []struct {
		name   string
		before func(t *testing.T, k Stack, boss proc.Identity)
	}{
		{"the supervisor answers not", func(*testing.T, Stack, proc.Identity) {}},
		{"the supervisor was killed", func(t *testing.T, _ Stack, boss proc.Identity) {
			if err := boss.Send(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			machinetest.Eventually(t, "the supervisor ends", func() bool { return !boss.Lives() })
		}},
		{"the supervisor is held still", func(t *testing.T, _ Stack, boss proc.Identity) {
			if err := boss.Send(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var said strings.Builder
			k := copyOf(t, t.TempDir())
			k.Out = &said
			boss, component := startBoss(t, k)
			if err := k.keepLaunched(boss); err != nil {
				t.Fatal(err)
			}
			strangers := []proc.Identity{}
			for _, leads := range []bool{true, false} { // such as a shell in which somebody exported the variable
				i, _ := startMarked(t, k, leads, "sleep", "3600")
				strangers = append(strangers, i)
			}
			tc.before(t, k, boss)
			if _, err := k.Down(t.Context()); err != nil {
				t.Fatal(err)
			}
			if boss.Lives() || component.Lives() {
				t.Error("the copy's own processes live")
			}
			for _, i := range strangers {
				if !i.Lives() {
					t.Errorf("%v was killed, though the copy did not start it", i)
				}
				if !strings.Contains(said.String(), i.String()) {
					t.Errorf("%q does not name %v, which was left alone", said.String(), i)
				}
			}
		})
	}
}

// TestMembersWithoutARecord checks that processes of a copy that does not know its supervisor are recognized by their
// programs, and not by their mark.
func TestMembersWithoutARecord(t *testing.T) {
	k := copyOf(t, t.TempDir())
	boss, component := startBoss(t, k) // the test's own binary, which counts as firedrill
	stranger, _ := startMarked(t, k, true, "sleep", "3600")
	if err := boss.Send(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	machinetest.Eventually(t, "the supervisor ends", func() bool { return !boss.Lives() })
	for _, tc := range []struct {
		name string
		bin  string
		own  []proc.Identity
	}{
		{"no program of the copy", k.Bin, nil},
		{"a program of the copy", filepath.Dir(component.Exe), []proc.Identity{component}},
	} {
		s := k.Settings
		s.Bin = tc.bin
		got, err := s.members()
		if err != nil || !slices.Equal(got.own, tc.own) || !slices.Contains(got.others, stranger) {
			t.Errorf("%s: %+v, %v, want %v and the other %v", tc.name, got, err, tc.own, stranger)
		}
	}
}

// TestProcessIsOneOfTheCopy checks that no process is handed out for a fault that the copy did not start, whatever the
// supervisor says.
func TestProcessIsOneOfTheCopy(t *testing.T) {
	k := copyOf(t, t.TempDir())
	boss, component := startBoss(t, k)
	if err := k.keepLaunched(boss); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Process(t.Context(), "loki"); err != nil || got != component {
		t.Errorf("got %v, %v, want %v", got, err, component)
	}
	if got, err := k.Process(t.Context(), "stray"); err == nil || !got.IsZero() || !strings.Contains(err.Error(), "did not start") {
		t.Errorf("got %v, %v, want an error: it is the supervisor's parent", got, err)
	}
}

// TestPeerIsChecked checks that nothing is asked of a socket that anybody else than the copy's supervisor serves.
func TestPeerIsChecked(t *testing.T) {
	answers := func(k Stack) error {
		_, err := k.supervisor().processes(t.Context())
		return err
	}
	for _, tc := range []struct{ name, data string }{
		{"data", t.TempDir()},
		{"temp", filepath.Join(t.TempDir(), strings.Repeat("long", 30))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("TMPDIR", sharedTemp(t))
			k := copyOf(t, tc.data)
			boss, _ := startBoss(t, k)
			if err := answers(k); err != nil {
				t.Errorf("a copy that does not know its supervisor: %v", err)
			}
			if err := k.keepLaunched(boss); err != nil {
				t.Fatal(err)
			}
			if err := answers(k); err != nil {
				t.Errorf("the supervisor: %v", err)
			}
			self, err := proc.Self()
			if err != nil {
				t.Fatal(err)
			}
			if err := k.keepLaunched(self); err != nil {
				t.Fatal(err)
			}
			if err := answers(k); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("served by process %d, not by", boss.PID)) {
				t.Errorf("another process of this user: %v, want an error that names it", err)
			}
			if err := os.Chmod(filepath.Dir(k.socketPath()), 0o777); err != nil {
				t.Fatal(err)
			}
			if unsafe := (*private.UnsafeError)(nil); !errors.As(answers(k), &unsafe) {
				t.Errorf("in a folder that all may write: %v", answers(k))
			}
		})
	}
}

// sharedTemp returns a folder for temporary files that all may write, as /tmp is. Tests that call it need a short name, as
// the path of a socket must be short.
func sharedTemp(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, os.ModeSticky|0o777)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPeerOfAnotherUser checks that the socket's peer must belong to this user.
func TestPeerOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		prerequisite.Missing(t, "only root can play another user")
	}
	socket := filepath.Join(sharedTemp(t), "pc.sock")
	const other = 65534
	if err := syscall.Seteuid(other); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err := errors.Join(err, syscall.Seteuid(0)); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if uid, pid, err := peerOf(conn.(*net.UnixConn)); err != nil || uid != other || pid != os.Getpid() {
		t.Errorf("peer is user %d, process %d, %v; want %d, %d", uid, pid, err, other, os.Getpid())
	}
	k := copyOf(t, t.TempDir())
	if err := k.checkPeer(conn); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("of user %d", other)) {
		t.Errorf("error %v, want one that names user %d", err, other)
	}
}
