package run

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"
)

// TestJournalTakesAnyNumber checks that whatever a query may return is written and read again.
func TestJournalTakesAnyNumber(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, v := range []float64{0, 1.5, -2, 1e300, 5e-324, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)} {
		want := Journal{
			Drill: "d", Verdict: Pass,
			Probes: []ProbeRun{{Name: "p", Before: &v, Samples: []Sample{{At: at, Value: v, Holds: true}}}, {Name: "nothing before"}},
			Sights: []Sight{{Name: "s", Before: &v, During: &v, Seen: at}, {Name: "nothing"}},
			Charts: []Chart{{Title: "c"}},
		}
		text, err := json.Marshal(want)
		if err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		var got Journal
		if err := json.Unmarshal(text, &got); err != nil {
			t.Errorf("%v: %v in %s", v, err, text)
			continue
		}
		// NaN is not equal to itself, so the numbers are compared as texts.
		show := func(j Journal) string {
			return fmt.Sprint(j.Probes[0].Name, *j.Probes[0].Before, j.Probes[0].Samples, j.Probes[1], j.Sights[0].Name, *j.Sights[0].Before,
				*j.Sights[0].During, j.Sights[0].Seen, j.Sights[1], j.Charts)
		}
		if show(got) != show(want) {
			t.Errorf("read %s, want %s", show(got), show(want))
		}
	}
	for _, text := range []string{`{"value":"lunch"}`, `{"value":{}}`, `{"value":"`} {
		if err := json.Unmarshal([]byte(text), new(Sample)); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

// TestJournalKeepsItsNumbers finds each number of a journal that is not one of those above, so that the next one is not
// forgotten: it must be able to be written whatever its value, or be finite by its making.
func TestJournalKeepsItsNumbers(t *testing.T) {
	finite := map[string]string{
		"Journal.Scale": "checked before a drill", "Prediction.Ratio": "a ratio of counts that are not zero", "Point.Value": "package observe leaves out others",
	}
	handled := map[string]bool{"Sample.Value": true, "Sight.Before": true, "Sight.During": true, "ProbeRun.Before": true}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(at reflect.Type) {
		switch at.Kind() { //nolint:exhaustive // others hold no fields
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
			walk(at.Elem())
		case reflect.Struct:
			if seen[at] {
				return
			}
			seen[at] = true
			for i := range at.NumField() {
				f := at.Field(i)
				kind := f.Type
				if kind.Kind() == reflect.Pointer {
					kind = kind.Elem()
				}
				if name := at.Name() + "." + f.Name; kind.Kind() == reflect.Float64 && !handled[name] && finite[name] == "" {
					t.Errorf("%s may be NaN, with which no journal can be written", name)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[Journal]())
	if len(seen) < 10 {
		t.Errorf("only %d types were seen", len(seen))
	}
}
