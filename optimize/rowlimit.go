package optimize

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/model"
)

// This file is the part of reorder that turns a filter on the numbers of rows into a limit:
//
//	sort, number n ─ filter n <= 3 ─     =>   sort, number n, limit 3 ─ filter n <= 3 ─
//
// which is what SQL writes for the best of each window or group. The filter stays, because
// it may say more than a limit can, and costs little behind one.
//
// Safe when nobody else reads the numbered rows: nothing fails in a sort, and rows beyond
// the limit are dropped by the filter anyway.

// rowLimit is the Detail of a site of reorder.
const rowLimit = "row limit"

func rowLimitSites(m *model.Model) []Site {
	var out []Site
	for _, op := range m.Ops {
		if op.Kind != model.FilterOp || op.Inputs[0].Port != model.Out {
			continue
		}
		sort := m.Input(op, 0)
		if sort.Kind != model.SortOp || !sort.Sort.Number {
			continue
		}
		if n, ok := numbersUpTo(sort, op); ok && (!sort.Sort.Limited() || n < sort.Sort.Offset+sort.Sort.Limit) {
			out = append(out, Site{Ops: []model.OpID{op.ID, sort.ID}, Detail: rowLimit, Text: fmt.Sprintf("filter %s as a limit of sort %s", op.Name, sort.Name)})
		}
	}
	return out
}

// numbersUpTo is the greatest number of a row that the filter can let pass.
func numbersUpTo(sort, filter *model.Operator) (int64, bool) {
	most, found := int64(math.MaxInt64), false
	for _, e := range filter.Filter {
		if n, ok := numberBound(e, sort.Relation.Schema.Len()-1); ok {
			most, found = min(most, n), true
		}
	}
	return max(most, 0), found
}

// numberBound is the greatest value of a column for which a comparison is TRUE.
func numberBound(e *model.Expr, column int) (int64, bool) {
	if e.Kind != model.CallExpr || len(e.Args) != 2 {
		return 0, false
	}
	fn, a, b := e.Func, e.Args[0], e.Args[1]
	if a.Kind == model.LiteralExpr {
		a, b = b, a
		fn = map[string]string{"ge": "le", "gt": "lt", "eq": "eq"}[fn]
	}
	if a.Kind != model.ColumnExpr || a.Column != column || b.Kind != model.LiteralExpr || b.Literal.Null || !b.Type.IsInteger() {
		return 0, false
	}
	switch n := b.Literal.I; {
	case fn == "le" || fn == "eq":
		return n, true
	case fn == "lt" && n > math.MinInt64:
		return n - 1, true
	}
	return 0, false
}

func rowLimitSafe(m *model.Model, s Site) string {
	if readers := m.Consumers()[m.Ops[s.Ops[0]].Inputs[0]]; len(readers) > 1 {
		return fmt.Sprintf("%d operators read it before the filter", len(readers))
	}
	return ""
}

func rowLimitProfit(m *model.Model, s Site) Estimate {
	n, _ := numbersUpTo(m.Ops[s.Ops[1]], m.Ops[s.Ops[0]])
	return Estimate{Pays: true, Text: fmt.Sprintf("%d rows of each group are kept", n)}
}

func rowLimitApply(m *model.Model, s Site) *model.Model {
	w := newRewrite(m)
	op := w.ops[s.Ops[1]]
	n, _ := numbersUpTo(op, m.Ops[s.Ops[0]])
	limited := *op.Sort
	limited.Limit = max(n-limited.Offset, 0)
	op.Sort = &limited
	return w.model()
}
