package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"firedrill/alerts/slo"
	"firedrill/internal/yamlfile"
)

// Catalogue describes one period of a service: its traffic and its incidents.
type Catalogue struct {
	Name       string
	Rate       float64 // events per second, unless an incident changes it
	Background float64 // share of bad events outside incidents, 0 to 1
	Incidents  []Incident
}

// Incident is a time with more bad events or different traffic than usual.
type Incident struct {
	Name, About string
	Start       time.Duration // since the start of the catalogue
	Duration    time.Duration
	Shape       Shape
	Rate        float64 // events per second
	Swing       float64 // 0 to 1; traffic is Rate · (1 + Swing) at noon and Rate · (1 − Swing) at midnight
}

// End returns the time at which the incident ends, since the start of the catalogue.
func (i Incident) End() time.Duration { return i.Start + i.Duration }

// document is the file format of a catalogue.
type document struct {
	Name       string        `yaml:"name"`
	Traffic    string        `yaml:"traffic"`
	Background float64       `yaml:"background"`
	Incidents  []docIncident `yaml:"incidents"`
}

type docIncident struct {
	Name     string  `yaml:"name"`
	About    string  `yaml:"about"`
	Start    string  `yaml:"start"`
	Duration string  `yaml:"duration"`
	Shape    string  `yaml:"shape"`
	Size     float64 `yaml:"size"`
	On       string  `yaml:"on"`
	Every    string  `yaml:"every"`
	Traffic  string  `yaml:"traffic"`
	Swing    float64 `yaml:"swing"`
}

// LoadCatalogue reads a catalogue from a file.
func LoadCatalogue(file string) (Catalogue, error) {
	text, err := yamlfile.ReadText(file)
	if err != nil {
		return Catalogue{}, fmt.Errorf("read incidents: %w", err)
	}
	return ParseCatalogue(file, text)
}

// ParseCatalogue parses the text of a catalogue. file is the file's name for error messages. The
// error joins one slo.SpecError for each problem.
func ParseCatalogue(file string, text []byte) (Catalogue, error) {
	var doc document
	found, err := slo.Decode(file, text, &doc)
	if err != nil {
		return Catalogue{}, err
	}
	r := reader{Problems: found}
	c := Catalogue{Name: doc.Name, Rate: r.rate("traffic", doc.Traffic), Background: doc.Background}
	if c.Background < 0 || c.Background >= 1 {
		r.Add("background", "%v: want a share of events, from 0 to below 1", c.Background)
	}
	if len(doc.Incidents) == 0 {
		r.Add("incidents", "there is none")
	}
	for i, d := range doc.Incidents {
		c.Incidents = append(c.Incidents, r.incident(fmt.Sprintf("incidents[%d]", i), d, c.Rate))
	}
	r.order(c.Incidents)
	slices.SortFunc(c.Incidents, func(a, b Incident) int { return cmp.Compare(a.Start, b.Start) })
	return c, r.Err()
}

// reader converts a document to a Catalogue and collects the problems in it.
type reader struct{ *slo.Problems }

func (r reader) incident(path string, d docIncident, usual float64) Incident {
	in := Incident{
		Name: d.Name, About: d.About,
		Start:    r.duration(path+".start", d.Start),
		Duration: r.duration(path+".duration", d.Duration),
		Rate:     usual, Swing: d.Swing,
	}
	if d.Name == "" {
		r.Add(path+".name", "the incident has none")
	}
	if in.Duration <= 0 {
		r.Add(path+".duration", "%v: want above 0", in.Duration)
	}
	if d.Traffic != "" {
		in.Rate = r.rate(path+".traffic", d.Traffic)
	}
	if d.Swing < 0 || d.Swing > 1 {
		r.Add(path+".swing", "%v: want a share of the traffic, 0 to 1", d.Swing)
	}
	if d.Size < 0 || d.Size > 1 {
		r.Add(path+".size", "%v: want a share of events, 0 to 1", d.Size)
	}
	in.Shape = r.shape(path, d, in.Duration)
	return in
}

func (r reader) shape(path string, d docIncident, length time.Duration) Shape {
	if d.Shape != "flap" && (d.On != "" || d.Every != "") {
		r.Add(path, "on and every belong to shape flap")
	}
	switch d.Shape {
	case "", "constant":
		return Constant(d.Size)
	case "ramp":
		return Ramp{To: d.Size, Over: length}
	case "wave":
		return Wave(d.Size)
	case "flap":
		f := Flap{Size: d.Size, On: r.duration(path+".on", d.On), Every: r.duration(path+".every", d.Every)}
		if f.On <= 0 || f.On >= f.Every {
			r.Add(path+".on", "on %v of every %v: want 0 < on < every", f.On, f.Every)
		}
		return f
	}
	r.Add(path+".shape", "%q: want constant, ramp, wave or flap", d.Shape)
	return Constant(0)
}

// order checks that incidents are within the period, have different names and do not overlap,
// because every alert is assigned to one incident.
func (r reader) order(all []Incident) {
	for i, in := range all {
		path := fmt.Sprintf("incidents[%d]", i)
		if in.Start < 0 || in.End() > Period {
			r.Add(path+".start", "%s lasts from %s to %s: want within the period of %s",
				in.Name, slo.Format(in.Start), slo.Format(in.End()), slo.Format(Period))
		}
		for _, other := range all[:i] {
			if other.Name == in.Name {
				r.Add(path+".name", "%q is there twice", in.Name)
			}
			if in.Start < other.End() && other.Start < in.End() {
				r.Add(path+".start", "%s and %s overlap", other.Name, in.Name)
			}
		}
	}
}

// duration parses a duration such as 1d6h. It must be a multiple of the scrape interval, because a
// scrape cannot show what happened between two scrapes.
func (r reader) duration(path, text string) time.Duration {
	d, err := model.ParseDuration(text)
	if err != nil {
		r.Add(path, "%q is no duration: want one like 1d6h or 45s", text)
		return 0
	}
	if time.Duration(d)%Resolution != 0 {
		r.Add(path, "%s: want a multiple of %v", text, Resolution)
	}
	return time.Duration(d)
}

// units returns the unit of a rate in seconds.
func units() map[string]float64 { return map[string]float64{"s": 1, "m": 60, "h": 3600} }

// rate parses a rate such as 100/s or 10/h and returns events per second.
func (r reader) rate(path, text string) float64 {
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(number, 64)
	seconds := units()[unit]
	if err != nil || n < 0 || seconds == 0 {
		r.Add(path, "%q is no traffic: want events a second, minute or hour, like 100/s or 10/h", text)
		return 0
	}
	return n / seconds
}
