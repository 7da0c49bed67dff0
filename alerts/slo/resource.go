package slo

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"firedrill/internal/yamlfile"
)

// resourceVersion is the apiVersion of Sloth's custom resource, PrometheusServiceLevel. It has the keys of Sloth's files in
// camel case, below spec.
// https://pkg.go.dev/github.com/slok/sloth/pkg/kubernetes/api/sloth/v1
const resourceVersion = "sloth.slok.dev/v1"

type resource struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   any    `yaml:"metadata"`
	Status     any    `yaml:"status"`
	Spec       struct {
		Service string            `yaml:"service"`
		Labels  map[string]string `yaml:"labels"`
		SLOs    []resourceSLO     `yaml:"slos"`
		Plugins any               `yaml:"sloPlugins"`
	} `yaml:"spec"`
}

type resourceSLO struct {
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Objective   float64           `yaml:"objective"`
	Labels      map[string]string `yaml:"labels"`
	Plugins     any               `yaml:"plugins"`
	SLI         struct {
		Raw *struct {
			ErrorRatioQuery string `yaml:"errorRatioQuery"`
		} `yaml:"raw"`
		Events *struct {
			ErrorQuery string `yaml:"errorQuery"`
			TotalQuery string `yaml:"totalQuery"`
		} `yaml:"events"`
		Plugin *docPlugin `yaml:"plugin"`
	} `yaml:"sli"`
	Alerting struct {
		Name        string            `yaml:"name"`
		Labels      map[string]string `yaml:"labels"`
		Annotations map[string]string `yaml:"annotations"`
		PageAlert   docAlert          `yaml:"pageAlert"`
		TicketAlert docAlert          `yaml:"ticketAlert"`
	} `yaml:"alerting"`
}

// document returns the resource as a file of objectives.
func (r resource) document() document {
	doc := document{Version: version, Service: r.Spec.Service, Labels: r.Spec.Labels, Plugins: r.Spec.Plugins}
	for _, s := range r.Spec.SLOs {
		one := docSLO{Name: s.Name, Description: s.Description, Objective: s.Objective, Labels: s.Labels, Plugins: s.Plugins}
		one.SLI.Plugin = s.SLI.Plugin
		if raw := s.SLI.Raw; raw != nil {
			one.SLI.Raw = &docRaw{raw.ErrorRatioQuery}
		}
		if events := s.SLI.Events; events != nil {
			one.SLI.Events = &docEvents{events.ErrorQuery, events.TotalQuery}
		}
		a := s.Alerting
		one.Alerting = docAlerting{a.Name, a.Labels, a.Annotations, a.PageAlert, a.TicketAlert}
		doc.SLOs = append(doc.SLOs, one)
	}
	return doc
}

// resourceKey returns the key of a resource that has the value of a key of a file.
func resourceKey(key string) string {
	if key == "version" {
		return "apiVersion"
	}
	parts := strings.Split(key, "_")
	for i, part := range parts[1:] {
		parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
	}
	return "spec." + strings.Join(parts, "")
}

// isResource matches a text that is a custom resource and not a file.
var isResource = regexp.MustCompile(`(?m)^apiVersion:`)

// otherFormat matches the apiVersion of OpenSLO and of Pyrra.
var otherFormat = regexp.MustCompile(`(?m)^apiVersion:\s*["']?(openslo|pyrra\.dev)/`)

// decode decodes one document of a file.
func decode(file string, text []byte) (resolver, error) {
	r := resolver{file: file}
	var err error
	if other := otherFormat.FindIndex(text); other != nil {
		line := bytes.Count(text[:other[0]], []byte("\n")) + 1
		return r, &SpecError{File: file, Line: line, Key: "apiVersion", Reason: "this is the format of another tool: turn it into objectives with \"firedrill slo import\""}
	}
	if !isResource.Match(text) {
		r.Problems, err = Decode(file, text, &r.doc)
		return r, err
	}
	var res resource
	if r.Problems, err = Decode(file, text, &res); err != nil {
		return r, err
	}
	if res.APIVersion != resourceVersion || res.Kind != "PrometheusServiceLevel" {
		r.Problems.Add("apiVersion", "%q with the kind %q: want %q with the kind %q, or a file with version: %s",
			res.APIVersion, res.Kind, resourceVersion, "PrometheusServiceLevel", version)
		return r, r.Err()
	}
	r.doc, r.rename = res.document(), resourceKey
	return r, nil
}

// separator matches the line between two documents of a file.
var separator = regexp.MustCompile(`(?m)^---[ \t]*(?:#.*)?\r?$`)

// blank matches a document without content.
var blank = regexp.MustCompile(`^(?:\s|#[^\n]*(?:\n|$))*$`)

// ParseAll reads the documents of a text. Each document is a file of objectives or Sloth's custom resource. The error
// joins one SpecError for each problem.
func ParseAll(file string, text []byte) ([]Spec, error) {
	if len(text) > yamlfile.MaxBytes {
		_, err := Parse(file, text) // says that it is too long
		return nil, err
	}
	var all []Spec
	var errs []error
	from := 0
	for _, to := range append(separator.FindAllIndex(text, -1), []int{len(text), len(text)}) {
		one := text[from:to[0]]
		if !blank.Match(one) {
			// Blank lines stand for what comes before, so that lines of errors are those of the file.
			lines := bytes.Repeat([]byte("\n"), bytes.Count(text[:from], []byte("\n")))
			spec, err := Parse(file, append(lines, one...))
			all, errs = append(all, spec), append(errs, err)
		}
		from = to[1]
	}
	if len(all) == 0 {
		return nil, &SpecError{File: file, Reason: "it has no objectives"}
	}
	for i := range all {
		all[i].Document, all[i].Documents = i+1, len(all)
	}
	return all, errors.Join(errs...)
}

// Name returns a name for what is generated from the document: that of its file, with the number of the document if the
// file has several.
func (s Spec) Name() string {
	base := filepath.Base(s.File)
	if s.Documents <= 1 {
		return base
	}
	name, extension := base, ""
	if at := strings.LastIndexByte(base, '.'); at > 0 {
		name, extension = base[:at], base[at:]
	}
	return fmt.Sprintf("%s-%d%s", name, s.Document, extension)
}
