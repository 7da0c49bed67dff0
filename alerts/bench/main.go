// Command bench writes the rules that Sloth makes of the simulation's objective, by Sloth's own library, to
// alerts/sim/sloth.yaml. It is a module of its own, so that the kit does not need Sloth.
//
// Run it in alerts/bench after a new version of Sloth, or a change of alerts/sim/spec.yaml:
//
//	go run .
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	sloth "github.com/slok/sloth/pkg/lib"
)

// Relative to this module.
const (
	spec  = "../sim/spec.yaml"
	rules = "../sim/sloth.yaml"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	text, err := generate(ctx, spec)
	if err != nil {
		return err
	}
	if err := os.WriteFile(rules, text, 0o644); err != nil { //nolint:gosec // rules are no secret
		return fmt.Errorf("write Sloth's rules: %w", err)
	}
	return nil
}

// generate makes the rules of a file of objectives, with Sloth's defaults.
func generate(ctx context.Context, file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the objective: %w", err)
	}
	generator, err := sloth.NewPrometheusSLOGenerator(sloth.PrometheusSLOGeneratorConfig{})
	if err != nil {
		return nil, fmt.Errorf("make a generator of Sloth's: %w", err)
	}
	made, err := generator.GenerateFromRaw(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("make rules of %s: %w", file, err)
	}
	var out bytes.Buffer
	if err := generator.WriteResultAsPrometheusStd(ctx, *made, &out); err != nil {
		return nil, fmt.Errorf("write rules of %s: %w", file, err)
	}
	return append(bytes.TrimSpace(out.Bytes()), '\n'), nil
}
