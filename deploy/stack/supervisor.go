package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"firedrill/internal/private"
)

// supervisor is a client of the process-compose of one copy, over its unix socket.
type supervisor struct {
	socket   string
	http     *http.Client
	patience time.Duration // timeout for requests that need no work
}

// supervised is process-compose's state of one component.
type supervised struct {
	Name      string  `json:"name"`
	Status    string  `json:"status"` // "Running", "Restarting", "Completed", …
	PID       int     `json:"pid"`
	Restarts  int     `json:"restarts"`
	ExitCode  int     `json:"exit_code"`
	RSS       int64   `json:"mem"` // bytes
	CPU       float64 `json:"cpu"` // percent of one core
	IsRunning bool    `json:"is_running"`
}

// stopped reports whether the component has no process and will get none until it is started.
func (p supervised) stopped() bool { return p.Status == "Completed" || p.Status == "Error" }

// maxSocketPath is the longest path of a socket in bytes, a little less than the kernels allow (108 on Linux,
// 104 on macOS).
const maxSocketPath = 100

// socketPath returns the path of the supervisor's socket. It is in the data folder, unless that path is too
// long for a socket. Then anybody can guess the path. So nothing is sent to a socket before its folder and its peer are
// checked; see dial.
func (s Settings) socketPath() string {
	path := filepath.Join(s.runDir(), "pc.sock")
	if len(path) <= maxSocketPath {
		return path
	}
	sum := sha256.Sum256([]byte(s.Data))
	return filepath.Join(os.TempDir(), fmt.Sprintf("firedrill-%d-%x", os.Getuid(), sum[:6]), "pc.sock")
}

// supervisor returns a client of the copy's supervisor, which may or may not run.
func (s Settings) supervisor() supervisor {
	socket := s.socketPath()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return s.dial(ctx) }
	return supervisor{
		socket: socket, patience: s.Machine.Patience(time.Second),
		http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}},
	}
}

// dial connects to the supervisor. It returns an error unless the socket is in a folder of this user, and its peer belongs
// to this user and is the supervisor that the copy started.
func (s Settings) dial(ctx context.Context) (net.Conn, error) {
	socket := s.socketPath()
	if err := private.Check(filepath.Dir(socket)); err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	if err := s.checkPeer(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// checkPeer returns an error unless the peer of a connection is the supervisor that the copy started. If the copy does not
// know which it started, the peer must belong to this user.
func (s Settings) checkPeer(conn net.Conn) error {
	local, ok := conn.(*net.UnixConn)
	if !ok {
		return fmt.Errorf("%s is no unix socket", conn.RemoteAddr())
	}
	uid, pid, err := peerOf(local)
	if err != nil {
		return err
	}
	boss, err := s.launched()
	switch {
	case err != nil:
		return err
	case uid != os.Geteuid():
		return fmt.Errorf("the socket %s is served by process %d of user %d, not by the supervisor of %s", s.socketPath(), pid, uid, s.Data)
	case !boss.IsZero() && (boss.PID != pid || !boss.Lives()):
		return fmt.Errorf("the socket %s is served by process %d, not by the supervisor of %s, which was process %d", s.socketPath(), pid, s.Data, boss.PID)
	}
	return nil
}

// processes returns the state of all components by name. An error means that no supervisor answers.
func (v supervisor) processes(ctx context.Context) (map[string]supervised, error) {
	ctx, cancel := context.WithTimeout(ctx, v.patience)
	defer cancel()
	var list struct{ Data []supervised }
	if err := v.call(ctx, http.MethodGet, "/processes", &list); err != nil {
		return nil, err
	}
	byName := make(map[string]supervised, len(list.Data))
	for _, p := range list.Data {
		byName[p.Name] = p
	}
	return byName, nil
}

// stop stops all components in order, and then process-compose itself.
func (v supervisor) stop(ctx context.Context) error {
	return v.call(ctx, http.MethodPost, "/project/stop", nil)
}

// restart stops the component, if it runs, and starts it.
func (v supervisor) restart(ctx context.Context, name string) error {
	return v.call(ctx, http.MethodPost, "/process/restart/"+name, nil)
}

func (v supervisor) start(ctx context.Context, name string) error {
	return v.call(ctx, http.MethodPost, "/process/start/"+name, nil)
}

// stopOne stops one component, which is then not restarted.
func (v supervisor) stopOne(ctx context.Context, name string) error {
	return v.call(ctx, http.MethodPatch, "/process/stop/"+name, nil)
}

// longestAnswer is the longest accepted answer of the supervisor in bytes, a thousand times the usual one.
const longestAnswer = 16 << 20

func (v supervisor) call(ctx context.Context, method, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://process-compose"+path, nil)
	if err != nil {
		return fmt.Errorf("ask process-compose %s: %w", path, err)
	}
	resp, err := v.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask process-compose %s: %w", path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer+1))
	if err != nil {
		return fmt.Errorf("read process-compose's answer to %s: %w", path, err)
	}
	if len(body) > longestAnswer {
		return fmt.Errorf("process-compose's answer to %s is longer than %d bytes", path, longestAnswer)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("process-compose answered %s to %s: %s", resp.Status, path, bytes.TrimSpace(body))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("decode process-compose's answer to %s: %w", path, err)
	}
	return nil
}
