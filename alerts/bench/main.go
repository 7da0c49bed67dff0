// Command bench generates Sloth's rules for the simulation's objective with Sloth's own library,
// and writes them to alerts/sim/sloth.yaml. It is a separate module, so that Firedrill does not
// depend on Sloth.
//
// Run it in alerts/bench after an upgrade of Sloth or a change of alerts/sim/spec.yaml:
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

// Paths relative to this module.
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

// generate returns the rules for a file of objectives, with Sloth's defaults.
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
