package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Formats of a result.
const (
	FormatText = "text"
	FormatJSON = "json"
)

// Output is the format in which a command prints its result: the value of -o and --output.
type Output struct {
	format string
	other  func(value string) error // handles other values of the flag; nil if there are none
}

// AddOutput adds -o and --output to a command; the default is text. --json, the former spelling, still works and is not listed.
func AddOutput(cmd *cobra.Command) *Output {
	o := &Output{format: FormatText}
	cmd.Flags().VarP(o, "output", "o", "`format` of the result: text or json")
	formats := cobra.FixedCompletions([]string{FormatText, FormatJSON}, cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("output", formats) // it only fails for a flag that does not exist
	cmd.Flags().BoolFunc("json", "former spelling of --output json", func(string) error { return o.Set(FormatJSON) })
	cmd.Flags().Lookup("json").Hidden = true
	return o
}

// JSON reports whether the result must be printed as JSON.
func (o *Output) JSON() bool { return o.format == FormatJSON }

// Write writes a result: value as JSON, or the output of text.
func (o *Output) Write(w io.Writer, value any, text func(io.Writer) error) error {
	if o.JSON() {
		return WriteJSON(w, value)
	}
	return text(w)
}

// Set implements pflag.Value.
func (o *Output) Set(value string) error {
	switch {
	case value == FormatText, value == FormatJSON:
		o.format = value
		return nil
	case o.other != nil:
		return o.other(value)
	}
	return errors.New("want text or json")
}

// String implements pflag.Value.
func (o *Output) String() string { return o.format }

// Type implements pflag.Value.
func (o *Output) Type() string { return "format" }

// WriteJSON writes a value as indented JSON.
func WriteJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}
