package journey

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Source gives the values of a variable: one a journey.
type Source interface {
	// Draw appends a value to dst.
	Draw(dst []byte, r *rand.Rand) []byte
}

// Numbers are whole numbers from From to To, both included, all as likely.
type Numbers struct {
	From, To int64
	Format   string // as fmt writes a number, such as "user-%04d"; "" is the number alone
}

// Draw appends one of the numbers.
func (n Numbers) Draw(dst []byte, r *rand.Rand) []byte {
	v := n.From + r.Int64N(n.To-n.From+1)
	if n.Format == "" {
		return strconv.AppendInt(dst, v, 10)
	}
	return fmt.Appendf(dst, n.Format, v)
}

// Choice is one of a list, all as likely.
type Choice []string

// Draw appends one of the list.
func (c Choice) Draw(dst []byte, r *rand.Rand) []byte {
	return append(dst, c[r.IntN(len(c))]...)
}
