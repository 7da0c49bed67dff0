package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
)

func TestLoadTestsAreAnnouncedToPrometheus(t *testing.T) {
	data := t.TempDir()
	p := program{getenv: func(name string) string { return map[string]string{"FIREDRILL_DATA": data}[name] }}
	takeBack, err := p.announce("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	takeBack() // without a copy that was ever started, there is nothing to announce or to remove

	folder := filepath.Join(data, "load")
	dead := filepath.Join(folder, strconv.Itoa(1<<30)+".json") // larger than every process id
	alive := filepath.Join(folder, strconv.Itoa(os.Getppid())+".json")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dead, alive} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if takeBack, err = p.announce("127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(folder, strconv.Itoa(os.Getpid())+".json")
	text, err := os.ReadFile(mine)
	if want := `[{"labels":{"tier":"load"},"targets":["127.0.0.1:1"]}]`; err != nil || string(text) != want {
		t.Errorf("told %s, %v, want %s", text, err, want)
	}
	want := []string{alive, mine}
	slices.Sort(want)
	if files, _ := filepath.Glob(filepath.Join(folder, "*")); !slices.Equal(files, want) {
		t.Errorf("files %v, want %v: those of the dead must go", files, want)
	}
	if _, err = p.announce("127.0.0.1:8107"); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(mine)
	if want := `[{"labels":{"tier":"background"},"targets":["127.0.0.1:8107"]}]`; err != nil || string(text) != want {
		t.Errorf("the background load told %s, %v, want %s", text, err, want)
	}
	takeBack()
	if files, _ := filepath.Glob(filepath.Join(folder, "*")); !slices.Equal(files, []string{alive}) {
		t.Errorf("files %v stay", files)
	}
}

func TestLoadWaits(t *testing.T) {
	var asked atomic.Int64
	url, sent := target(t, nil)
	ready, _ := target(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else if sent.Load() > 0 {
			t.Error("requests were sent before it was ready")
		}
	})
	firedrill(t.Context(), "load", "-rate", "50/s", "-duration", "100ms", "-wait", ready, url)
	if asked.Load() != 3 || sent.Load() != 5 {
		t.Errorf("asked %d times, then sent %d, want 3 and 5", asked.Load(), sent.Load())
	}
}
