package rules

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"firedrill/alerts/slo"
)

// defaultRetention is Prometheus's: less than the period of most objectives.
const defaultRetention = 15 * 24 * time.Hour

// Format is the form in which rules are written.
type Format string

// Formats.
const (
	FormatFile   Format = "file"           // a rules file of Prometheus
	FormatObject Format = "prometheusrule" // an object for the Prometheus operator
)

// Render writes the rules of a spec as a file, with a remark on where it is from
// and how fast its time runs.
func Render(spec slo.Spec, o Options) ([]byte, error) { return RenderAs(FormatFile, spec, o) }

// RenderAs is Render in another format. An object is called slo-NAME, after the spec's file.
func RenderAs(format Format, spec slo.Spec, o Options) ([]byte, error) {
	f, err := Build(spec, o)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	switch remark := remarkOn(spec, o); format {
	case FormatFile:
		err = f.Write(&out, remark)
	case FormatObject:
		base := filepath.Base(spec.File)
		err = f.WriteObject(&out, remark, "slo-"+strings.TrimSuffix(base, filepath.Ext(base)))
	default:
		err = fmt.Errorf("format %q: want %s or %s", format, FormatFile, FormatObject)
	}
	if err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// remarkOn says where a file is from and how fast its time runs.
func remarkOn(spec slo.Spec, o Options) string {
	remark := fmt.Sprintf("Made by \"firedrill slo generate\" from the objectives in %s: edit those.\n", filepath.Base(spec.File))
	if o.Clock.Scale == 1 {
		remark += "Scale 1, for production: windows are as long as they are called."
	} else {
		remark += fmt.Sprintf("Scale %s, for workshops: an hour of the objective is %s on the wall. Windows in names are the objective's.",
			slo.FormatScale(o.Clock.Scale), slo.Format(o.Clock.Wall(time.Hour)))
	}
	remark += fmt.Sprintf("\nScraped every %s, evaluated every %s, long windows every %s.",
		slo.Format(o.Clock.Scrape), slo.Format(o.Clock.Interval), slo.Format(o.Clock.LongInterval()))
	if period := o.Clock.Wall(o.Policy.Period); period > defaultRetention {
		remark += fmt.Sprintf("\nPrometheus must keep samples for more than %s (--storage.tsdb.retention.time); its default is %s.",
			slo.Format(period), slo.Format(defaultRetention))
	}
	return remark
}

// productionDir is where rules for production stand below those of the kit, so
// that the kit's Prometheus does not load them.
const productionDir = "production"

// Generate makes the files that the kit ships of its objectives, by their paths in
// alerts/generated: for the workshop at the top, for production below.
func Generate(specs []slo.Spec, policy slo.Policy) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, spec := range specs {
		name := filepath.Base(spec.File)
		for path, clock := range map[string]slo.Clock{
			name:                               slo.Workshop(),
			filepath.Join(productionDir, name): slo.Production(),
		} {
			text, err := Render(spec, Options{Policy: policy, Clock: clock})
			if err != nil {
				return nil, err
			}
			files[path] = text
		}
	}
	return files, nil
}

// GenerateObjects makes the objects for the Prometheus operator that the kit ships, by
// their file names: for production.
func GenerateObjects(specs []slo.Spec, policy slo.Policy) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, spec := range specs {
		text, err := RenderAs(FormatObject, spec, Options{Policy: policy, Clock: slo.Production()})
		if err != nil {
			return nil, err
		}
		files[filepath.Base(spec.File)] = text
	}
	return files, nil
}
