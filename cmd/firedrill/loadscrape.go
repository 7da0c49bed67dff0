package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"firedrill/deploy/stack"
)

// scrapeTargets is the folder in which Prometheus of this copy looks for load tests to scrape; "" if there is none.
func (p program) scrapeTargets() string {
	executable, err := os.Executable()
	if err != nil {
		return ""
	}
	settings, err := stack.Resolve(stack.Flags{}, p.getenv, executable)
	if err != nil {
		return "" // no repository: nobody scrapes
	}
	if info, err := os.Stat(settings.LoadTargets()); err != nil || !info.IsDir() {
		return "" // never up
	}
	return settings.LoadTargets()
}

// announce tells Prometheus by a file that a load test serves metrics at addr. What it returns takes that back.
func (p program) announce(addr string) (takeBack func(), err error) {
	folder := p.scrapeTargets()
	if folder == "" {
		return func() {}, nil
	}
	return announceIn(folder, addr, "load")
}

// announceIn tells Prometheus, which watches the folder, of metrics at addr.
func announceIn(folder, addr, tier string) (takeBack func(), err error) {
	forgetDead(folder)
	text, err := json.Marshal([]map[string]any{{"targets": []string{addr}, "labels": map[string]string{"tier": tier}}})
	if err != nil {
		return nil, fmt.Errorf("tell Prometheus of metrics at %s: %w", addr, err)
	}
	path := filepath.Join(folder, strconv.Itoa(os.Getpid())+".json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("tell Prometheus of metrics at %s: %w", addr, err)
	}
	return func() { _ = os.Remove(path) }, nil // whoever comes next removes what stays
}

// forgetDead removes the files of load tests that were killed, or Prometheus would miss them for ever.
func forgetDead(folder string) {
	files, _ := filepath.Glob(filepath.Join(folder, "*.json")) // only a bad pattern is an error
	for _, path := range files {
		pid, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(path), ".json"))
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			_ = os.Remove(path) // another may have been faster
		}
	}
}
