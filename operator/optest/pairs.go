package optest

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

// FindPairs asks the reference about every pair of a job's windows, and adds to out those that
// the conditions hold for and those that they fail for.
func FindPairs(p operator.Pairs, w *operator.Windows, out *operator.Paired) {
	var rows [2][]reference.Row
	for i, spans := range w.Spans {
		for _, s := range spans {
			for at := s.From; at < s.To; at++ {
				rows[i] = append(rows[i], s.Batch.Row(at))
			}
		}
	}
	before := int32(0)
	for _, list := range w.List {
		for l := list.From[0]; l < list.To[0]; l++ {
			for r := list.From[1]; r < list.To[1]; r++ {
				holds, failed := pairUp(p, &list, rows[0][l], rows[1][r])
				left := before + l - list.From[0]
				switch {
				case failed:
					left = ^left
				case !holds:
					continue
				}
				out.Left, out.Right = append(out.Left, left), append(out.Right, r)
			}
		}
		before += list.To[0] - list.From[0]
	}
}

// pairUp: FALSE or NULL in any condition wins over a failure in another one.
func pairUp(p operator.Pairs, w *operator.WindowRows, left, right reference.Row) (holds, failed bool) {
	for k := range p.Keys[0] {
		v, _ := reference.Eval(model.Call("eq", stream.Boolean, model.Lit(left[p.Keys[0][k]]), model.Lit(right[p.Keys[1][k]])), nil)
		if !v.Truth() {
			return false, false
		}
	}
	row := append(append(reference.Row{}, left...), right...)
	for c, role := range p.Roles {
		if role != stream.NoRole {
			side := 0
			if c >= len(left) {
				side = 1
			}
			row[c] = stream.Time(w.Value(role, p.Sizes[side]))
			if role == stream.WindowIndex {
				row[c] = stream.Big(w.Value(role, p.Sizes[side]))
			}
		}
	}
	for _, e := range p.On {
		v, reason := reference.Eval(e, row)
		switch {
		case reason != "":
			failed = true
		case !v.Truth():
			return false, false
		}
	}
	return !failed, failed
}

// Finder finds the pairs of windows. nil without an error: somebody else has to, redo says why.
type Finder func(w *operator.Windows) (found *operator.Paired, redo string, err error)

// FindOnCPU asks the reference.
func FindOnCPU(p operator.Pairs) Finder {
	return func(w *operator.Windows) (*operator.Paired, string, error) {
		out := &operator.Paired{}
		FindPairs(p, w, out)
		return out, "", nil
	}
}

// Rand is a source of random numbers, old or new.
type Rand interface {
	Perm(n int) []int
	Uint64() uint64
}

// DoJobs does the jobs that a lane has left to its caller, in any order: each by one or two
// runners, of which some are given the pairs. found counts those.
func DoJobs(rng Rand, fn operator.Pairer, lane any, find Finder) (found int, err error) {
	jobs := fn.Jobs(lane)
	for _, i := range rng.Perm(len(jobs)) {
		first := fn.Hold(jobs[i])
		runners := []*operator.PairJob{first}
		if rng.Uint64()%2 == 0 {
			runners = append(runners, fn.Hold(jobs[i]))
		}
		for _, own := range runners {
			var known *operator.Paired
			if rng.Uint64()%2 == 0 {
				w := &operator.Windows{}
				own.Describe(w)
				if known, _, err = find(w); err != nil {
					return found, err
				}
			}
			if known != nil {
				found++
			}
			if err := fn.Pair(own, known); err != nil {
				return found, err
			}
		}
		fn.Finish(jobs[i], first)
		for _, own := range runners {
			fn.LetGo(own)
		}
	}
	return found, nil
}
