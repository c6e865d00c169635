package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// record prints the input row of an expression that failed. It shows the columns that
// the failing operator's expressions reference, so that it does not depend on which
// other columns were pruned.
type record struct {
	schema  *stream.Schema
	columns []int // ascending
}

// referenced returns the columns that the expressions read, ascending.
func referenced(in *stream.Schema, exprs []*model.Expr) []int {
	marks := make([]bool, in.Len())
	markColumns(marks, exprs...)
	var out []int
	for i, m := range marks {
		if m {
			out = append(out, i)
		}
	}
	return out
}

func (r *record) json(cols []stream.Column, row int) string {
	return RecordJSON(r.schema, r.columns, cols, row)
}

// RecordJSON renders the given columns of a row as a JSON object, as NDJSON output
// prints them; absent columns are left out.
func RecordJSON(schema *stream.Schema, columns []int, cols []stream.Column, row int) string {
	out := []byte{'{'}
	for _, c := range columns {
		if cols[c].Absent() {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = stream.AppendJSONString(out, schema.Fields[c].Name)
		out = append(out, ':')
		out = stream.AppendJSON(out, cols[c].Value(row))
	}
	return string(append(out, '}'))
}

// ReferencedColumns returns the columns that expressions read, ascending: what
// RecordJSON shows of a row in which one of them failed.
func ReferencedColumns(in *stream.Schema, exprs ...*model.Expr) []int {
	return referenced(in, exprs)
}
