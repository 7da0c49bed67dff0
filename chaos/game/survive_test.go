package game

import (
	"path/filepath"
	"testing"

	"firedrill/internal/storetest"
)

func TestStoreSurvives(t *testing.T) {
	store := func(dir string) Store { return Store{Path: filepath.Join(dir, "mystery.json")} }
	storetest.Survives(t, storetest.Store{
		Single: true,
		Put: func(dir string, n int) error {
			_, err := store(dir).Begin(t.Context(), Game{Drill: "d", Seed: uint64(n)})
			return err
		},
		Get: func(dir string) ([]int, error) {
			g, err := store(dir).Load()
			if err != nil {
				return nil, err
			}
			return []int{int(g.Seed)}, nil
		},
	})
}
