package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"firedrill/internal/userfile"
)

// Write writes the contract as JSON for Read.
func (c Contract) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(c)
}

// Markdown writes the contract as a table.
func (c Contract) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n")
	for _, m := range c.Metrics {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, labels, strings.ReplaceAll(m.Help, "|", "\\|"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Read reads a contract strictly. Unknown keys, invalid names, a wrong order, and anything else that Write does
// not write are errors.
func Read(r io.Reader) (Contract, error) {
	var c Contract
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Contract{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Contract{}, errors.New("more follows the contract")
	}
	var errs []error
	for i, m := range c.Metrics {
		if err := m.validate(); err != nil {
			errs = append(errs, fmt.Errorf("metric %d, %q: %w", i+1, m.Name, err))
		}
		if i > 0 && c.Metrics[i-1].Name >= m.Name {
			errs = append(errs, fmt.Errorf("metric %d, %q: want it before %q", i+1, m.Name, c.Metrics[i-1].Name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Contract{}, err
	}
	return c, nil
}

// longestContract is the maximum size of a contract, in bytes.
const longestContract = 16 << 20

// ReadFiles reads contracts and merges them into one.
func ReadFiles(paths ...string) (Contract, error) {
	var all []Metric
	for _, path := range paths {
		f, err := userfile.Open(path, longestContract)
		if err != nil {
			return Contract{}, fmt.Errorf("read contract: %w", err)
		}
		c, err := Read(f)
		f.Close()
		if err != nil {
			return Contract{}, fmt.Errorf("read contract %s: %w", path, err)
		}
		all = append(all, c.Metrics...)
	}
	return merge(all)
}

func (m Metric) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	known := false
	for _, kind := range types {
		known = known || kind == m.Type
	}
	check(model.LegacyValidation.IsValidMetricName(m.Name), "the name is none of Prometheus'")
	check(known, "type %q: want counter, gauge, histogram or summary", m.Type)
	check(m.Unit == unitOf(m.Name), "unit %q: the name says %q", m.Unit, unitOf(m.Name))
	check(m.Help != "", "it has no help")
	check(m.Labels != nil, "it has no list of labels")
	for i, l := range m.Labels {
		check(model.LegacyValidation.IsValidLabelName(l), "label %q is none of Prometheus'", l)
		check(i == 0 || m.Labels[i-1] < l, "label %q: want labels sorted and once each", l)
	}
	check(!slices.Contains(m.Labels, "le") && !slices.Contains(m.Labels, "quantile"), "le and quantile are no labels of its own")
	return errors.Join(errs...)
}
