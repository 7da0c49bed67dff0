package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"firedrill/deploy/stack"
	"firedrill/internal/private"
)

// scrapeTargets returns this copy's settings and the folder in which its Prometheus looks for load tests to
// scrape. The folder is "" if there is none.
func (p program) scrapeTargets() (stack.Settings, string) {
	executable, err := os.Executable()
	if err != nil {
		return stack.Settings{}, ""
	}
	settings, err := stack.Resolve(stack.Flags{}, p.getenv, executable)
	if err != nil {
		return settings, "" // without a repository there is no Prometheus of ours
	}
	if info, err := os.Stat(settings.LoadTargets()); err != nil || !info.IsDir() {
		return settings, "" // the copy was never started
	}
	return settings, settings.LoadTargets()
}

// announce writes a file that makes Prometheus scrape a load test at addr. The background load is recognized by
// its address. The returned function removes the file. Prometheus notices this within 10 s; until then it
// reports the target as down.
func (p program) announce(addr string) (takeBack func(), err error) {
	settings, folder := p.scrapeTargets()
	if folder == "" {
		return func() {}, nil
	}
	if addr == settings.LoadAddr() {
		return announceIn(folder, addr, stack.TierBackground)
	}
	return announceIn(folder, addr, stack.TierLoad)
}

// announceIn writes a file with the scrape target addr into a folder that Prometheus watches.
func announceIn(folder, addr, tier string) (takeBack func(), err error) {
	stack.ForgetDead(folder)
	text, err := json.Marshal([]map[string]any{{"targets": []string{addr}, "labels": map[string]string{"tier": tier}}})
	if err != nil {
		return nil, fmt.Errorf("tell Prometheus of metrics at %s: %w", addr, err)
	}
	path := filepath.Join(folder, strconv.Itoa(os.Getpid())+".json")
	if err := private.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("tell Prometheus of metrics at %s: %w", addr, err)
	}
	return func() { _ = os.Remove(path) }, nil // the next start removes a file that is left
}
