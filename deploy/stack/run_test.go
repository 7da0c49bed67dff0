package stack

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckPortsNamesTheOwner(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	components := []Component{{Name: "loki", Ports: []int{port}}}

	var taken *PortsError
	if err := checkPorts(t.Context(), components, 5); !errors.As(err, &taken) {
		t.Fatalf("error %v, want a PortsError", err)
	}
	for _, want := range []string{
		fmt.Sprintf("%d, which loki needs, by ", port), fmt.Sprintf("(pid %d)", os.Getpid()), "PORT_OFFSET=10005",
	} {
		if !strings.Contains(taken.Error(), want) {
			t.Errorf("%q lacks %q", taken.Error(), want)
		}
	}
	_ = l.Close()
	if err := checkPorts(t.Context(), components, 5); err != nil {
		t.Errorf("the port is free again, but: %v", err)
	}
}

func TestCopyTail(t *testing.T) {
	long := strings.Repeat("x", 70<<10) // longer than one block that is read
	for _, tc := range []struct {
		name, text string
		n          int
		want       string
	}{
		{"empty", "", 3, ""},
		{"fewer than asked", "a\nb\n", 3, "a\nb\n"},
		{"as many as asked", "a\nb\nc\n", 3, "a\nb\nc\n"},
		{"the last ones", "a\nb\nc\n", 2, "b\nc\n"},
		{"without a newline at the end", "a\nb\nc", 2, "b\nc"},
		{"none", "a\nb\n", 0, ""},
		{"empty lines count", "a\n\n\n", 2, "\n\n"},
		{"across blocks", "a\n" + long + "\nz\n", 2, long + "\nz\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(path, []byte(tc.text), 0o644); err != nil {
				t.Fatal(err)
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			var out bytes.Buffer
			if err := copyTail(file, tc.n, &out); err != nil || out.String() != tc.want {
				t.Errorf("got %q, %v, want %q", out.String(), err, tc.want)
			}
		})
	}
}

func TestStatusUp(t *testing.T) {
	ready, not := ComponentStatus{State: Ready}, ComponentStatus{State: NotReady}
	for _, tc := range []struct {
		name string
		of   []ComponentStatus
		want bool
	}{
		{"nothing started is not up", nil, false},
		{"all ready", []ComponentStatus{ready, ready}, true},
		{"one is not", []ComponentStatus{ready, not}, false},
	} {
		if got := (Status{Components: tc.of}).Up(); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestStateIsReadBack(t *testing.T) {
	s := Settings{Data: t.TempDir()}
	if st, err := readState(s); st != nil || err != nil {
		t.Fatalf("before a start: %v, %v", st, err)
	}
	if err := os.MkdirAll(s.runDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	want := Record{Offset: 7, Components: []Component{{Name: "loki", Kind: KindStack, URL: "u", Ready: "r", Ports: []int{1}}}}
	if err := writeState(s, want); err != nil {
		t.Fatal(err)
	}
	got, err := readState(s)
	if err != nil || got.Offset != 7 || len(got.Components) != 1 || got.Components[0].Ready != "r" {
		t.Errorf("read %+v, %v", got, err)
	}
	if err := os.WriteFile(s.statePath(), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readState(s); err == nil || !strings.Contains(err.Error(), s.statePath()) {
		t.Errorf("error %v, want one that names the file", err)
	}
}
