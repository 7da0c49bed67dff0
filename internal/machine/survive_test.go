package machine

import (
	"runtime"
	"testing"

	"firedrill/internal/storetest"
)

func TestCapacitySurvives(t *testing.T) {
	storetest.Survives(t, storetest.Store{
		Single: true,
		Put: func(dir string, n int) error {
			return Capacity{Cores: runtime.GOMAXPROCS(0), Speed: float64(n)}.Keep(dir)
		},
		Get: func(dir string) ([]int, error) {
			c, _, err := Known(dir)
			return []int{int(c.Speed)}, err
		},
	})
}
