package result

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// durations returns n durations spread over all octaves, so that they use every rule of the
// bucket layout.
func durations(seed uint64, n int) []time.Duration {
	random := rand.New(rand.NewPCG(seed, 1))
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = time.Duration(random.Int64N(1<<random.IntN(29))) * time.Microsecond
	}
	return list
}

func TestHistogramAgreesWithTheDenseLibrary(t *testing.T) {
	for _, digits := range []int{fineDigits, coarseDigits} {
		var own Histogram
		oracle := hdrhistogram.New(1, MaxLatency.Microseconds(), digits)
		for _, d := range durations(1, 50_000) {
			own.record(d, digits)
			if err := oracle.RecordValue(d.Microseconds()); err != nil {
				t.Fatal(err)
			}
		}
		for _, q := range []float64{0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999} {
			if got, want := own.Quantile(q).Microseconds(), oracle.ValueAtQuantile(q*100); got != want {
				t.Errorf("%d digits: quantile %v = %d µs, the library says %d", digits, q, got, want)
			}
		}
		bars := oracle.Distribution()
		for b := range own.Buckets() {
			for bars[0].Count == 0 {
				bars = bars[1:]
			}
			want := Bucket{time.Duration(bars[0].From) * time.Microsecond, time.Duration(bars[0].To+1) * time.Microsecond, uint64(bars[0].Count)}
			if b != want {
				t.Fatalf("%d digits: bucket %v, the library says %v", digits, b, want)
			}
			bars = bars[1:]
		}
	}
}

func TestHistogramKeepsItsPrecision(t *testing.T) {
	for _, d := range durations(2, 20_000) {
		var fine, coarse Histogram
		fine.Record(d)
		coarse.record(d, coarseDigits)
		for b := range fine.Buckets() {
			if b.Low > d || b.High <= d || b.High-b.Low > max(time.Microsecond, d/1000) {
				t.Fatalf("%v lies in %v", d, b)
			}
		}
		for b := range coarse.Buckets() {
			if b.Low > d || b.High <= d || b.High-b.Low > max(time.Microsecond, d/100) {
				t.Fatalf("%v lies in %v", d, b)
			}
		}
	}
}

func TestHistogramEdges(t *testing.T) {
	var h Histogram
	if h.Quantile(0.99) != 0 || h.Max() != 0 || h.Mean() != 0 {
		t.Error("an empty histogram is not 0")
	}
	h.Record(-time.Second)
	h.Record(time.Hour)
	if h.Min() != 0 || h.Max() != time.Hour || h.Quantile(1) != time.Hour || h.Mean() != 30*time.Minute {
		t.Errorf("min %v, max %v, q1 %v, mean %v", h.Min(), h.Max(), h.Quantile(1), h.Mean())
	}
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("median %v, want 0", got)
	}
}

func TestHistogramMergeIsRecordingAll(t *testing.T) {
	all, parts := Histogram{}, [3]Histogram{}
	for i, d := range durations(3, 9_000) {
		all.Record(d)
		parts[i%3].Record(d)
	}
	var merged Histogram
	for i := range parts {
		merged.Merge(&parts[i])
	}
	got, _ := json.Marshal(merged)
	if want, _ := json.Marshal(all); string(got) != string(want) {
		t.Errorf("merged %s, all %s", got, want)
	}
}

func TestHistogramSharesUntilWritten(t *testing.T) {
	var h Histogram
	h.Record(time.Millisecond)
	snapshot := h.share()
	before, _ := json.Marshal(snapshot)
	h.Record(time.Millisecond)
	h.Record(2 * time.Millisecond)
	if after, _ := json.Marshal(snapshot); string(after) != string(before) {
		t.Errorf("the snapshot became %s, was %s", after, before)
	}
	if h.Count() != 3 || h.Max() != 2*time.Millisecond {
		t.Errorf("the original has %d up to %v", h.Count(), h.Max())
	}
}

func TestHistogramRefusesBrokenForms(t *testing.T) {
	var good Histogram
	good.Record(time.Millisecond)
	other := hdrhistogram.New(1, 1000, 2)
	encoded, err := other.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	for name, form := range map[string]string{
		"not base64":   `{"count":1,"hdr":"%%%"}`,
		"nothing":      `{"count":1}`,
		"other range":  `{"count":0,"hdr":"` + string(encoded) + `"}`,
		"wrong count":  `{"count":7,"hdr":"` + encodedOf(t, good) + `"}`,
		"not a object": `[1]`,
	} {
		var h Histogram
		if err := json.Unmarshal([]byte(form), &h); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func encodedOf(t *testing.T, h Histogram) string {
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var form histogramJSON
	if err := json.Unmarshal(data, &form); err != nil {
		t.Fatal(err)
	}
	return form.HDR
}
