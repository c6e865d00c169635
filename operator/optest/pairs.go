package optest

import (
	"math/rand"

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

// DoJobs does the jobs that a lane has left to its caller, in any order: each by one or two
// runners, of which some are given the pairs. found counts those.
func DoJobs(rng *rand.Rand, fn operator.Pairer, lane any) (found int, err error) {
	jobs, pairs := fn.Jobs(lane), fn.Pairs()
	for _, i := range rng.Perm(len(jobs)) {
		first := fn.Hold(jobs[i])
		runners := []*operator.PairJob{first}
		if rng.Intn(2) == 0 {
			runners = append(runners, fn.Hold(jobs[i]))
		}
		for _, own := range runners {
			var known *operator.Paired
			if rng.Intn(2) == 0 {
				w := &operator.Windows{}
				known = &operator.Paired{}
				own.Describe(w)
				FindPairs(pairs, w, known)
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
