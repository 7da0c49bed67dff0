package result

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReadRefusesWhatOthersRelyOn(t *testing.T) {
	for want, change := range map[string]func(*Result){
		"slots of 3s":                 func(r *Result) { r.Timeline.Width = 3 * time.Second },
		"slots of 0s":                 func(r *Result) { r.Timeline.Width = 0 },
		"of 2 digits, want 3":         func(r *Result) { r.OwnLag = r.Timeline.Series[0].Slots[0].Response },
		"of 3 digits in a slot":       func(r *Result) { r.Timeline.Series[0].Slots[0].Response = r.OwnLag },
		"901 slots, the most are 900": func(r *Result) { r.Timeline.Series[0].Slots = make([]Slot, 901) },
	} {
		r := collect(meta(), 1, 1, 3*time.Second)
		change(r)
		if _, err := Read(strings.NewReader(written(t, r))); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestShardsOfDifferentWidthsMerge merges shards of different length. The timeline of the longer
// one has wider slots.
func TestShardsOfDifferentWidthsMerge(t *testing.T) {
	long, short := meta(), meta()
	long.Shards, long.ShardsOf = []int{1}, 2
	short.Shards, short.ShardsOf = []int{2}, 2
	a, b := collect(long, 1, 2, 901*time.Second), collect(short, 2, 2, 100*time.Second)
	if a.Timeline.Width != 2*time.Second || b.Timeline.Width != time.Second {
		t.Fatalf("widths %v and %v", a.Timeline.Width, b.Timeline.Width)
	}
	for _, parts := range [][]*Result{{a, b}, {b, a}} {
		merged, err := Merge(parts...)
		if err != nil {
			t.Fatal(err)
		}
		var sum Slot
		for _, s := range merged.Slots() {
			sum.Merge(&s)
		}
		if want := a.Total(nil).Requests + b.Total(nil).Requests; merged.Timeline.Width != 2*time.Second || sum.Due != want || sum.Response.Count() != want {
			t.Errorf("%d requests in slots of %v, want %d", sum.Due, merged.Timeline.Width, want)
		}
		if got, want := merged.Timeline.Intended[0], uint64(2*rate); got != want {
			t.Errorf("%d arrivals intended in the first slot, want %d", got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	r := New(meta(), Options{Intended: intended})
	r.Add(Sample{Scenario: "browse", Done: time.Millisecond, Status: 200, Failure: "status", TraceID: [16]byte{1}, Sampled: true})
	r.AddJourney(JourneySample{Scenario: "checkout", Done: time.Second})
	var b strings.Builder
	if err := r.Finish(Ending{Elapsed: time.Second}).Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Add(`{"version":1,"timeline":{"width_ns":1000000000}}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Read(strings.NewReader(text))
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		got.Slots()
		got.Total(nil)
		if _, err := Merge(got); err != nil && !errors.Is(err, ErrMerge) {
			t.Fatal(err)
		}
	})
}
