// Package openslo converts objectives from OpenSLO v1 and from Pyrra to Firedrill's format as far as possible,
// and reports what cannot be converted.
//
// It must not know what rules are made of objectives.
// https://github.com/OpenSLO/OpenSLO
package openslo

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"firedrill/alerts/slo"
	"firedrill/internal/yamlfile"
)

const apiVersion = "openslo/v1"

// Result is the result of converting one or more OpenSLO documents.
type Result struct {
	Specs   map[string][]byte // files of objectives by service
	Changed []string          // what now has another meaning
	Skipped []string          // what cannot be expressed
}

// object is a document of OpenSLO. The kind determines which fields of the spec apply. Fields that
// Firedrill does not use are accepted and reported.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name        string         `yaml:"name"`
		DisplayName string         `yaml:"displayName"`
		Labels      map[string]any `yaml:"labels"`
	} `yaml:"metadata"`
	Spec spec `yaml:"spec"`
}

type spec struct {
	Description string `yaml:"description"`

	// Fields of an SLO.
	Service         string      `yaml:"service"`
	Indicator       *object     `yaml:"indicator"`
	IndicatorRef    string      `yaml:"indicatorRef"`
	TimeWindow      []window    `yaml:"timeWindow"`
	BudgetingMethod string      `yaml:"budgetingMethod"`
	Objectives      []objective `yaml:"objectives"`
	AlertPolicies   []any       `yaml:"alertPolicies"`

	// Fields of an SLI.
	RatioMetric     *ratio `yaml:"ratioMetric"`
	ThresholdMetric any    `yaml:"thresholdMetric"`

	// Fields of a DataSource.
	Type string `yaml:"type"`
}

type window struct {
	Duration  string `yaml:"duration"`
	IsRolling bool   `yaml:"isRolling"`
	Calendar  any    `yaml:"calendar"`
}

type objective struct {
	DisplayName   string   `yaml:"displayName"`
	Target        *float64 `yaml:"target"`
	TargetPercent *float64 `yaml:"targetPercent"`
	Indicator     any      `yaml:"indicator"`
	IndicatorRef  string   `yaml:"indicatorRef"`
}

type ratio struct {
	Counter *bool   `yaml:"counter"` // nil: the document does not say
	Good    *metric `yaml:"good"`
	Bad     *metric `yaml:"bad"`
	Total   *metric `yaml:"total"`
	Raw     *metric `yaml:"raw"`
	RawType string  `yaml:"rawType"`
}

type metric struct {
	MetricSource struct {
		Ref  string         `yaml:"metricSourceRef"`
		Type string         `yaml:"type"`
		Spec map[string]any `yaml:"spec"`
	} `yaml:"metricSource"`
}

// ImportFiles converts files of OpenSLO, which may refer to each other, and of Pyrra. It returns an error if a
// file is neither. What is valid and cannot be expressed is reported in the result.
func ImportFiles(files ...string) (Result, error) {
	var all documents
	for _, file := range files {
		text, err := yamlfile.ReadText(file)
		if err != nil {
			return Result{}, fmt.Errorf("read objectives: %w", err)
		}
		if err := all.read(file, text); err != nil {
			return Result{}, err
		}
	}
	return convert(all)
}

// documents are the documents of an import.
type documents struct {
	objects []object
	pyrra   []pyrraObject
}

// read adds the documents of a text.
func (d *documents) read(file string, text []byte) error {
	if isPyrra.Match(text) {
		more, err := readPyrra(file, text)
		d.pyrra = append(d.pyrra, more...)
		return err
	}
	more, err := read(file, text)
	d.objects = append(d.objects, more...)
	return err
}

// Import converts the documents in one text; see ImportFiles.
func Import(file string, text []byte) (Result, error) {
	var all documents
	if err := all.read(file, text); err != nil {
		return Result{}, err
	}
	return convert(all)
}

func convert(all documents) (Result, error) {
	objects := all.objects
	im := importer{
		indicators: map[string]object{}, sources: map[string]string{},
		services: map[string][]yaml.MapSlice{}, result: Result{Specs: map[string][]byte{}},
	}
	for _, o := range objects {
		switch o.Kind {
		case "SLI":
			im.indicators[o.Metadata.Name] = o
		case "DataSource":
			im.sources[o.Metadata.Name] = o.Spec.Type
		}
	}
	for _, o := range objects {
		switch o.Kind {
		case "SLO":
			im.slo(o)
		case "AlertPolicy", "AlertCondition", "AlertNotificationTarget":
			im.changed("%s %q: Firedrill makes its own alerts on the burn rate; where they go is Alertmanager's", o.Kind, o.Metadata.Name)
		case "SLI", "DataSource", "Service": // objectives refer to these
		default:
			im.skipped("%s %q: no such kind in %s", o.Kind, o.Metadata.Name, apiVersion)
		}
	}
	for _, o := range all.pyrra {
		im.pyrra(o)
	}
	return im.finish()
}

func read(file string, text []byte) ([]object, error) {
	objects, err := yamlfile.DecodeAll[object](file, text)
	if err != nil {
		return nil, fmt.Errorf("read OpenSLO: %w", err)
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("read OpenSLO in %s: there is no document", file)
	}
	for i, o := range objects {
		if o.APIVersion != apiVersion {
			return nil, fmt.Errorf("read OpenSLO in %s: document %d has apiVersion %q: want %q, or %q of Pyrra", file, i+1, o.APIVersion, apiVersion, pyrraVersion)
		}
	}
	return objects, nil
}

// importer collects the results of the documents.
type importer struct {
	indicators map[string]object
	sources    map[string]string // type by name
	services   map[string][]yaml.MapSlice
	result     Result
}

func (im *importer) changed(format string, args ...any) {
	im.result.Changed = append(im.result.Changed, fmt.Sprintf(format, args...))
}

func (im *importer) skipped(format string, args ...any) {
	im.result.Skipped = append(im.result.Skipped, fmt.Sprintf(format, args...))
}

// add adds an objective to the file of its service, if the objective is valid.
func (im *importer) add(service, name string, entry yaml.MapSlice) {
	alone, err := write(service, []yaml.MapSlice{entry})
	if err == nil {
		_, err = slo.Parse(service, alone)
	}
	if err != nil {
		im.skipped("SLO %q: %s", name, reasons(err))
		return
	}
	im.services[service] = append(im.services[service], entry)
}

// reasons returns the problems in a generated file. It omits line numbers, because the user has not
// seen the file.
func reasons(err error) string {
	var p *slo.SpecError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, one := range joined.Unwrap() {
			all = append(all, reasons(one))
		}
		return strings.Join(all, "; ")
	}
	if errors.As(err, &p) {
		return p.Reason
	}
	return err.Error()
}

func (im *importer) finish() (Result, error) {
	for service, slos := range im.services {
		text, err := write(service, slos)
		if err != nil {
			return Result{}, err
		}
		im.result.Specs[service] = text
	}
	return im.result, nil
}

// write returns the text of a file of objectives.
func write(service string, slos []yaml.MapSlice) ([]byte, error) {
	doc := yaml.MapSlice{
		{Key: "version", Value: "prometheus/v1"}, {Key: "service", Value: service}, {Key: "slos", Value: slos},
	}
	text, err := yaml.MarshalWithOptions(doc, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("write objectives of %q: %w", service, err)
	}
	return append([]byte("# Imported.\n"), text...), nil
}
