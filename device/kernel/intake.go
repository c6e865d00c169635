package kernel

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// intake is the columns that a program reads of its task's rows: what is copied to pinned
// memory, and the code that reads it. NULLs of column i of the list are announced in bit i
// of the scalar "nulls"; if it is not set, no validity is moved.
type intake struct {
	names   inputNames
	texts   *texts
	columns []inputColumn
	rows    int // the scalars that it sets: number of rows, NULLs
	nulls   int
	room    int // an input buffer that nobody reads, of a byte a row; -1: there are columns that tell
}

// ErrTooManyRows is what Load returns, wrapped, of a task that has more rows than the slot has
// room for. It has not touched the slot.
var ErrTooManyRows = errors.New("more rows than the slot has room for")

// inputNames are what one input is called in code: its buffers, the value of a column, the
// row that is read, and the scalars.
type inputNames struct{ buffer, value, row, rows, nulls string }

var (
	onlyInput  = inputNames{"in", "v", "g", "n", "nulls"}
	leftInput  = inputNames{"left", "v", "row", "rows", "left_nulls"}
	rightInput = inputNames{"right", "r", "other", "m", "right_nulls"}
)

type inputColumn struct {
	column        int // of the relation
	t             stream.Type
	values, valid int // input buffers
}

// take adds the columns of a schema that are marked to a layout, and returns every column
// as code reads it. Parameters lists what entry points that read them need.
func (l *layout) take(names inputNames, schema *stream.Schema, reads []bool) (in *intake, columns []value, parameters []string, err error) {
	in = &intake{names: names, texts: l.texts, room: -1, rows: l.scalar(device.Int32Arg, names.rows), nulls: l.scalar(device.Int64Arg, names.nulls)}
	columns, parameters = make([]value, schema.Len()), []string{names.rows, names.nulls}
	for i, read := range reads {
		f := schema.Fields[i]
		switch {
		case !read:
			continue
		case !SupportsType(f.Type):
			return nil, nil, nil, refuse("column %s is %s, which devices do not have", f.Name, f.Type)
		case isText(f.Type) && l.texts == nil:
			return nil, nil, nil, refuse("column %s is text: devices have fixed-width values only", f.Name)
		case len(in.columns) == columnsMax:
			return nil, nil, nil, refuse("more than %d columns are read", columnsMax)
		}
		if isText(f.Type) {
			l.texts.read(l)
		}
		c, valid := names.buffers(i)
		store, _ := storage(f.Type)
		p, q := l.buffer(device.InputArg, c, store, columnSize(f.Type)), l.buffer(device.InputArg, valid, "u64", perWord())
		in.columns = append(in.columns, inputColumn{i, f.Type, p.arg.Index, q.arg.Index})
		parameters = append(parameters, c, valid)
		columns[i] = value{t: f.Type, value: fmt.Sprintf("%s%d", names.value, i), null: fmt.Sprintf("%s%d_null", names.value, i), fail: never}
		if f.NotNull {
			columns[i].null = never
		}
	}
	if !slices.ContainsFunc(in.columns, func(c inputColumn) bool { return c.t != stream.Boolean }) {
		in.room = l.buffer(device.InputArg, names.buffer+"_room", "u8", perRow(1)).arg.Index
	}
	return in, columns, parameters, nil
}

// checkRoom compares a task with the slot, whose size to the row a column of whole bytes tells.
func (in *intake) checkRoom(t *operator.Task, s device.Slot) error {
	rows := 0
	for _, span := range t.Spans {
		rows += span.To - span.From
	}
	fits := rows == t.Rows
	for _, c := range in.columns {
		fits = fits && columnSize(c.t).of(rows) <= len(s.Input(c.values))
	}
	if in.room >= 0 {
		fits = fits && rows <= len(s.Input(in.room))
	}
	if !fits {
		return fmt.Errorf("%d rows, %d in spans: %w", t.Rows, rows, ErrTooManyRows)
	}
	return nil
}

// buffers are the names of a column's buffers.
func (n inputNames) buffers(column int) (values, valid string) {
	return fmt.Sprintf("%s%d", n.buffer, column), fmt.Sprintf("%s%d_valid", n.buffer, column)
}

// read writes the code that reads a row.
func (in *intake) read(e *emitter, columns []value) {
	g := in.names.row
	for i, c := range in.columns {
		v := columns[c.column]
		values, valid := in.names.buffers(c.column)
		if c.t == stream.Boolean {
			e.line("const i32 %s = (i32)(%s[%s >> 6] >> (%s & 63) & 1);", v.value, values, g, g)
		} else {
			e.line("const %s %s = %s[%s];", ctype(c.t), v.value, values, g)
		}
		if v.null != never {
			e.line("const i32 %s = (%s >> %d & 1) ? (i32)(~%s[%s >> 6] >> (%s & 63) & 1) : 0;", v.null, in.names.nulls, i, valid, g, g)
		}
	}
}

// load copies a task's rows to a slot's input buffers and enters their sizes in the call.
func (in *intake) load(t *operator.Task, s device.Slot, call *device.Call) error {
	if err := in.checkRoom(t, s); err != nil {
		return err
	}
	if in.room >= 0 {
		call.InputBytes[in.room] = 0
	}
	var codes *coder
	if in.texts != nil && in.texts.places != nil {
		codes = in.texts.begin(s)
		defer in.texts.end(codes)
		call.InputBytes[in.texts.places.arg.Index] = 0
	}
	var nulls int64
	for i, c := range in.columns {
		values, valid := s.Input(c.values), s.Input(c.valid)
		var col stream.Column
		alias(&col, loaded(c.t), values, valid)
		n := 0
		for _, span := range t.Spans {
			src := &span.Batch.Cols[c.column]
			if src.Absent() {
				return fmt.Errorf("column %d is read but absent", c.column)
			}
			if isText(c.t) {
				coded, err := codes.column(src, c.column, span.From, span.To, n)
				if err != nil {
					return err
				}
				src = &coded
			}
			col.AppendRange(src, span.From, span.To, n)
			if span.Batch.Base != 0 && span.Batch.Based == c.column {
				for k := range col.I64[n:] {
					col.I64[n+k] += span.Batch.Base
				}
			}
			n += span.To - span.From
		}
		call.InputBytes[c.values], call.InputBytes[c.valid] = columnSize(c.t).of(n), 0
		if col.Valid != nil {
			nulls |= 1 << i
			call.InputBytes[c.valid] = 8 * stream.WordsFor(n)
		}
	}
	call.Scalars[in.rows], call.Scalars[in.nulls] = int64(t.Rows), nulls
	return nil
}

// loaded is the type of the values that lie in an input buffer.
func loaded(t stream.Type) stream.Type {
	if isText(t) {
		return stream.Integer
	}
	return t
}

// alias makes c an empty column whose buffers are the given memory.
func alias(c *stream.Column, t stream.Type, values, valid []byte) {
	*c = stream.Column{Type: t, Valid: view[uint64](valid)[:0]}
	switch ctype(t) {
	case "i64":
		c.I64 = view[int64](values)
	case "f32":
		c.F32 = view[float32](values)
	case "f64":
		c.F64 = view[float64](values)
	case "i32":
		if t == stream.Boolean {
			c.Bits = view[uint64](values)
		} else {
			c.I32 = view[int32](values)
		}
	}
	c.Reset(t) // empties all, and keeps the memory for validity until there is a NULL
}

// view is memory as values. Drivers align buffers to more than 8 bytes.
func view[T any](b []byte) []T {
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(t)))
}
