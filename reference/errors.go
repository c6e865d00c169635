package reference

import (
	"slices"
	"strconv"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// log collects the error rows of one part of an operator.
type log struct {
	op   *model.Operator
	rows []Row
}

// logKey names a part of an operator that can fail. An operator's error rows are those
// of its parts one after another.
type logKey struct {
	op   model.OpID
	part int
}

// The parts. Keys of a join's or lookup's left rows, of its right rows, and pairs; for
// other operators rows (an aggregate's keys and arguments) and, of an aggregate,
// results.
const (
	leftPart  = 0
	rightPart = 1
	pairPart  = 2

	rowPart    = 0
	resultPart = 1

	parts = 3
)

// keep stores the log of a complete pass over an operator's rows. A spread relation is
// computed again for every reader and fails in the same way every time: the first pass
// counts.
func (r *run) keep(part int, l *log) {
	k := logKey{l.op.ID, part}
	if r.logs[k] == nil {
		r.logs[k] = l
	}
}

// add makes an error row of an operator's input row: its record shows the columns that
// exprs read, in column order.
func (l *log) add(reason string, schema *stream.Schema, exprs []*model.Expr, row Row) {
	read := make([]bool, len(row))
	for _, e := range exprs {
		e.Columns(func(c int) { read[c] = true })
	}
	var fields []stream.Field
	var values Row
	for i, ok := range read {
		if ok {
			fields, values = append(fields, schema.Fields[i]), append(values, row[i])
		}
	}
	l.addRecord(reason, fields, values)
}

// fallible returns the expressions that can fail. What others read says nothing about
// a failure.
func fallible(exprs []*model.Expr) []*model.Expr {
	return slices.DeleteFunc(slices.Clone(exprs), func(e *model.Expr) bool { return !e.MayErr() })
}

func (l *log) addRecord(reason string, fields []stream.Field, values Row) {
	record := []byte{'{'}
	for i, f := range fields {
		if i > 0 {
			record = append(record, ',')
		}
		record = append(stream.AppendJSONString(record, f.Name), ':')
		record = stream.AppendJSON(record, values[i])
	}
	record = append(record, '}')
	l.rows = append(l.rows, Row{
		stream.Text(l.op.Name), stream.Text(reason), stream.Text(string(record)),
		stream.NullOf(stream.Varchar), stream.NullOf(stream.BigInt),
	})
}

// lastPart is the part of an operator whose log is complete only when all of them are;
// ok is false for operators that make no error rows.
func lastPart(kind model.Kind) (part int, ok bool) {
	switch kind {
	case model.FilterOp, model.ProjectOp, model.UnnestOp:
		return rowPart, true
	case model.AggregateOp:
		return resultPart, true
	case model.JoinOp, model.LookupOp:
		return pairPart, true
	default:
		return 0, false
	}
}

// errorRows returns the Errors port of an operator that is not a source, having made
// sure that all of its rows were computed.
func (r *run) errorRows(op *model.Operator) (*relation, error) {
	last, may := lastPart(op.Kind)
	if may && r.logs[logKey{op.ID, last}] == nil {
		if err := r.drain(op); err != nil {
			return nil, err
		}
	}
	var rows []Row
	for part := range parts {
		if l := r.logs[logKey{op.ID, part}]; l != nil {
			rows = append(rows, l.rows...)
		}
	}
	return plain(-1, rows), nil
}

// errorText is an operator's error row as a message tells it.
func errorText(e Row) string {
	if e[2].S == "{}" {
		return e[1].S // a record of no column
	}
	return e[1].S + " in " + e[2].S
}

// mustNotFail reports whether a sink behind the operator says on_error = 'fail'.
func (r *run) mustNotFail(op *model.Operator) bool {
	if op.Kind == model.SinkOp {
		return op.Sink.OnError == model.ErrorsFail
	}
	for _, reader := range r.model.Consumers()[model.Edge{Op: op.ID, Port: model.Out}] {
		if r.mustNotFail(reader.Op) {
			return true
		}
	}
	return false
}

// drain computes all rows of an operator.
func (r *run) drain(op *model.Operator) error {
	if op.Relation.Instant() {
		op = r.emitOf(op)
		if op == nil {
			return nil // a region that nobody reads
		}
	}
	rel, err := r.relation(model.Edge{Op: op.ID, Port: model.Out})
	if err != nil {
		return err
	}
	for range rel.windows() {
		if r.ctx.Err() != nil {
			break
		}
	}
	return nil
}

// emitOf returns the operator that ends the instant region of op, nil if none does.
func (r *run) emitOf(op *model.Operator) *model.Operator {
	for _, reader := range r.model.Consumers()[model.Edge{Op: op.ID, Port: model.Out}] {
		if reader.Op.Kind == model.EmitOp {
			return reader.Op
		}
		if reader.Op.Kind == model.SinkOp {
			continue
		}
		if end := r.emitOf(reader.Op); end != nil {
			return end
		}
	}
	return nil
}

// place names a record in an error message.
func place(file string, line int64) string {
	if file == "" {
		return "line " + strconv.FormatInt(line, 10)
	}
	return file + ":" + strconv.FormatInt(line, 10)
}
