//go:build !race

// These tests take ten minutes with the race detector.

package sim

import "testing"

// TestEnginesAgreeOnTheCatalogue runs the three engines on the whole catalogue. The alerts of each
// rule set fire at the same evaluations in Prometheus's range queries and in the arithmetic.
// Prometheus's rule groups record the same bits and fire the same alerts around every change.
func TestEnginesAgreeOnTheCatalogue(t *testing.T) {
	published(t, agree(t, catalogue(t), Options{}))
}

func TestNothingThatWasTriedBeatsTheDefault(t *testing.T) {
	found, err := Tune(t.Context(), catalogue(t), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range found.Better {
		t.Errorf("%+v %+v beats the default: %+v", c.Policy.Page.Pairs, c.Policy.Ticket.Pairs, c.Judgement)
	}
	if !found.Default.beats(found.Book) {
		t.Errorf("the default does not beat the workbook's policy: %+v, %+v", found.Default.point(), found.Book.point())
	}
	if d, b := found.Default.Random, found.Book.Random; d.Detection > b.Detection || d.Precision < b.Precision || d.Recall < b.Recall {
		t.Errorf("on random months the default is worse than the workbook's policy: %v, %v, %v and %v, %v, %v",
			d.Detection, d.Precision, d.Recall, b.Detection, b.Precision, b.Recall)
	}
	if found.Tried < 100_000 || len(found.Front) < 3 {
		t.Errorf("%d tried, %d on the front", found.Tried, len(found.Front))
	}
}
