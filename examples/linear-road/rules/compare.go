package rules

import (
	"fmt"
	"slices"
	"strings"
)

// Difference is how an output differs from what it should be.
type Difference struct {
	Query          Query
	Right          int // answers that are as they should be
	Missing, Wrong int // answers that are not there; that are there and should not be
	Examples       []string
}

const examplesMax = 5 // of a Difference, of each kind

// Compare holds answers against expected ones as multisets, query by query. It sorts both.
func Compare(expected, got *[Queries][]Answer) (d [Queries]Difference) {
	for q := range Queries {
		d[q] = compare(q, expected[q], got[q])
	}
	return d
}

func compare(q Query, expected, got []Answer) Difference {
	order := func(a, b Answer) int { return slices.Compare(a[:], b[:]) }
	slices.SortFunc(expected, order)
	slices.SortFunc(got, order)
	d := Difference{Query: q}
	for len(expected) > 0 || len(got) > 0 {
		c := 0
		switch {
		case len(got) == 0:
			c = -1
		case len(expected) == 0:
			c = 1
		default:
			c = order(expected[0], got[0])
		}
		switch {
		case c == 0:
			d.Right++
			expected, got = expected[1:], got[1:]
		case c < 0:
			d.note(&d.Missing, "missing", expected[0])
			expected = expected[1:]
		default:
			d.note(&d.Wrong, "wrong", got[0])
			got = got[1:]
		}
	}
	return d
}

func (d *Difference) note(count *int, what string, a Answer) {
	*count++
	if *count <= examplesMax {
		d.Examples = append(d.Examples, fmt.Sprintf("%s: %v", what, a[:d.Query.Columns()]))
	}
}

// Equal says whether there is no difference.
func (d *Difference) Equal() bool { return d.Missing == 0 && d.Wrong == 0 }

// String tells the difference in a line, with examples on lines of their own.
func (d *Difference) String() string {
	s := fmt.Sprintf("%-12s  %9d right, %d missing, %d wrong", d.Query, d.Right, d.Missing, d.Wrong)
	return strings.Join(append([]string{s}, d.Examples...), "\n    ")
}
