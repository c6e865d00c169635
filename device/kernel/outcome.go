package kernel

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/millrace/millrace/model"
)

// Rejected is a row that failed in a task: its index in the task, the operator and why.
type Rejected struct {
	Row    int
	Op     model.OpID
	Reason string
}

// Outcome is how a task ended.
type Outcome struct {
	Rejected []Rejected // in row order
	// Redo says why the result is not complete: the task has to be run on the CPU. Empty if
	// it is.
	Redo string
}

// tooManyFailed is the same of all tasks: reasons are counted.
var tooManyFailed = fmt.Sprintf("more than %d rows failed, which is what a device reports", ErrorRowsMax)

// read takes the failures of a task, of which output holds pairs of row and code, and
// returns their rows in place of those in to.
func (o *Outcome) read(l *layout, ops []model.OpID, failed int, output []byte, to []int32) []int32 {
	o.Redo, o.Rejected, to = "", o.Rejected[:0], to[:0]
	if failed > ErrorRowsMax {
		o.Redo = tooManyFailed
		return to
	}
	pairs := view[int32](output)[:2*failed]
	for i := 0; i < len(pairs); i += 2 {
		code := pairs[i+1]
		o.Rejected = append(o.Rejected, Rejected{int(pairs[i]), ops[code>>reasonBits], l.reasons.texts[code&(1<<reasonBits-1)-1]})
	}
	slices.SortFunc(o.Rejected, func(a, b Rejected) int { return cmp.Compare(a.Row, b.Row) })
	for _, r := range o.Rejected {
		to = append(to, int32(r.Row))
	}
	return to
}
