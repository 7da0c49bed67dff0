package profile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"firedrill/loadgen/schedule"
)

// Maximum numbers of parts of a profile. The memory of a run grows with their product.
const (
	mostStages    = 200
	mostScenarios = 50
	mostSteps     = 50
)

func index(key string, i int) string { return key + "[" + strconv.Itoa(i) + "]" }

func (b *builder) stages() error {
	if n := len(b.doc.Stages); n == 0 || n > mostStages {
		return b.at("stages", "%d stages: want 1 to %d", n, mostStages)
	}
	var stages []schedule.Stage
	for i := range b.doc.Stages {
		st := &b.doc.Stages[i]
		key := index("stages", i)
		shape, said, err := b.shape(st, key)
		if err != nil {
			return err
		}
		switch st.Arrivals {
		case "", "even":
		case "poisson":
			said += ", Poisson arrivals"
		default:
			return b.at(key+".arrivals", "%q: want even or poisson", st.Arrivals)
		}
		name := st.Name
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		if shape.Seconds() > schedule.Forever.Seconds() && i < len(b.doc.Stages)-1 {
			return b.at(key, "only the last stage may last forever")
		}
		stages = append(stages, schedule.Stage{Shape: shape, Poisson: st.Arrivals == "poisson"})
		b.out.Stages = append(b.out.Stages, Stage{name, said})
	}
	var err error
	if b.out.Schedule, err = schedule.New(stages, b.out.Seed); err != nil {
		return b.at("stages", "%w", err)
	}
	return nil
}

// shape reads the shape of a stage, of which there must be exactly one. It also returns a
// description in words.
func (b *builder) shape(st *stage, key string) (schedule.Shape, string, error) {
	r := reader{b: b}
	var shape schedule.Shape
	var said string
	count := 0
	if c := st.Constant; c != nil {
		count++
		r.key = key + ".constant"
		l := schedule.Constant(r.rate("rate", c.Rate), r.lengthOrForever("for", c.For))
		shape, said = l, "constant "+say(l.From)
	}
	if c := st.Ramp; c != nil {
		count++
		r.key = key + ".ramp"
		l := schedule.Linear{From: r.rate("from", c.From), To: r.rate("to", c.To), For: r.length("for", c.For)}
		shape, said = l, "ramp "+say(l.From)+" to "+say(l.To)
	}
	if c := st.Step; c != nil {
		count++
		r.key = key + ".step"
		shape, said = r.stairs(c)
	}
	if c := st.Spike; c != nil {
		count++
		r.key = key + ".spike"
		shape, said = r.spike(c)
	}
	if c := st.Sine; c != nil {
		count++
		r.key = key + ".sine"
		shape, said = r.sine(c)
	}
	switch {
	case count != 1:
		return nil, "", b.at(key, "%d shapes: a stage has one of constant, ramp, step, spike and sine", count)
	case r.err != nil:
		return nil, "", r.err
	}
	return shape, said, nil
}

func say(rate float64) string { return strconv.FormatFloat(rate, 'g', 6, 64) + "/s" }

// reader reads the values of a shape. It keeps the first error.
type reader struct {
	b   *builder
	key string
	err error
}

func (r *reader) fail(key, format string, args ...any) {
	if r.err == nil {
		r.err = r.b.at(r.key+"."+key, format, args...)
	}
}

func (r *reader) rate(key, text string) float64 {
	if text == "" {
		r.fail(key, "is missing")
		return 0
	}
	v, err := ParseRate(text)
	if err != nil {
		r.fail(key, "%w", err)
	}
	if v *= r.b.out.Scale; v > schedule.MostRate {
		r.fail(key, "%s times %g is above the highest rate, %s", text, r.b.out.Scale, say(schedule.MostRate))
	}
	return v
}

func (r *reader) length(key, text string) time.Duration {
	if text == "" {
		r.fail(key, "is missing")
		return time.Second
	}
	v, err := parseLength(text)
	if err != nil {
		r.fail(key, "%w", err)
		return time.Second
	}
	return v
}

func (r *reader) lengthOrForever(key, text string) time.Duration {
	if strings.TrimSpace(text) == "forever" {
		return schedule.Forever
	}
	return r.length(key, text)
}

// optional reads a length of time that may be missing or 0.
func (r *reader) optional(key, text string) time.Duration {
	if text == "" || text == "0" || text == "0s" {
		return 0
	}
	return r.length(key, text)
}

func (r *reader) stairs(c *stairs) (schedule.Shape, string) {
	from, to, length := r.rate("from", c.From), r.rate("to", c.To), r.length("for", c.For)
	const most = 1000
	if c.Steps < 1 || c.Steps > most {
		r.fail("steps", "%d steps: want 1 to %d", c.Steps, most)
		return nil, ""
	}
	said := fmt.Sprintf("%d steps %s to %s", c.Steps, say(from), say(to))
	return schedule.Steps(from, to, c.Steps, length), said
}

func (r *reader) spike(c *spike) (schedule.Shape, string) {
	s := schedule.Spike{
		Base: r.rate("base", c.Base), Peak: r.rate("peak", c.Peak), At: r.optional("at", c.At),
		Rise: r.optional("rise", c.Rise), Hold: r.optional("hold", c.Hold), Fall: r.optional("fall", c.Fall),
		Length: r.length("for", c.For),
	}
	if used := s.At + s.Rise + s.Hold + s.Fall; used > s.Length {
		r.fail("for", "%v is shorter than at, rise, hold and fall together, %v", s.Length, used)
	}
	if s.Rise+s.Hold+s.Fall == 0 {
		r.fail("hold", "the spike has no length: give rise, hold or fall")
	}
	return s.Chain(), "spike " + say(s.Base) + " to " + say(s.Peak)
}

func (r *reader) sine(c *sine) (schedule.Shape, string) {
	s := schedule.Sine{
		Mean: r.rate("mean", c.Mean), Amplitude: r.rate("amplitude", c.Amplitude),
		Period: r.length("period", c.Period), For: r.lengthOrForever("for", c.For),
	}
	switch {
	case s.Mean == 0:
		r.fail("mean", "must be above 0")
	case s.Amplitude > s.Mean:
		r.fail("amplitude", "%s is above the mean of %s: the rate would be negative", say(s.Amplitude), say(s.Mean))
	}
	return s, fmt.Sprintf("wave of %v, %s to %s", s.Period, say(s.Mean-s.Amplitude), say(s.Mean+s.Amplitude))
}
