package journey

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Source generates the values of a variable, one for each journey.
type Source interface {
	// Draw appends a value to dst.
	Draw(dst []byte, r *rand.Rand) []byte
}

// Numbers draws integers from From to To, inclusive, with equal probability.
type Numbers struct {
	From, To int64
	Format   string // format for fmt, such as "user-%04d"; "": the plain number
}

// Draw appends a number.
func (n Numbers) Draw(dst []byte, r *rand.Rand) []byte {
	v := n.From + r.Int64N(n.To-n.From+1)
	if n.Format == "" {
		return strconv.AppendInt(dst, v, 10)
	}
	return fmt.Appendf(dst, n.Format, v)
}

// Choice draws from a list, with equal probability.
type Choice []string

// Draw appends an element of the list.
func (c Choice) Draw(dst []byte, r *rand.Rand) []byte {
	return append(dst, c[r.IntN(len(c))]...)
}
