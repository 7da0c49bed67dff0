package fault

import (
	"maps"
	"slices"
	"testing"

	"firedrill/apps/fault/kinds"
	"firedrill/apps/internal/web"
)

// TestEveryKindHasABuilder compares the catalogue with what can be shown.
func TestEveryKindHasABuilder(t *testing.T) {
	var names []string
	for _, k := range kinds.All() {
		names = append(names, k.Name)
	}
	if built := slices.Sorted(maps.Keys(builders())); !slices.Equal(built, names) {
		t.Errorf("effects are built for %v, the catalogue has %v", built, names)
	}
}

// TestCodesOfTheCatalogue compares the codes that a drill may name with those of the services.
func TestCodesOfTheCatalogue(t *testing.T) {
	var known []string
	for _, code := range web.Codes() {
		known = append(known, string(code))
	}
	if got := kinds.Codes(); !slices.Equal(got, known) {
		t.Errorf("the catalogue has codes %v, the services %v", got, known)
	}
}
