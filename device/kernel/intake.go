package kernel

import (
	"fmt"
	"unsafe"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// intake is the columns that a program reads of its task's rows: what is copied to pinned
// memory, and the code that reads it. NULLs of column i of the list are announced in bit i
// of the scalar "nulls"; if it is not set, no validity is moved.
type intake struct {
	columns []inputColumn
	rows    int // the scalars that it sets: number of rows, NULLs
	nulls   int
}

type inputColumn struct {
	column        int // of the relation
	t             stream.Type
	values, valid int // input buffers
}

// take adds the columns of a schema that are marked to a layout, and returns every column
// as code reads it. Parameters lists what entry points that read them need.
func (l *layout) take(schema *stream.Schema, reads []bool) (in *intake, columns []value, parameters []string, err error) {
	in = &intake{rows: l.scalar(device.Int32Arg, "n"), nulls: l.scalar(device.Int64Arg, "nulls")}
	columns, parameters = make([]value, schema.Len()), []string{"n", "nulls"}
	for i, read := range reads {
		f := schema.Fields[i]
		switch {
		case !read:
			continue
		case f.Type == stream.Varchar:
			return nil, nil, nil, refuse("column %s is text: devices have fixed-width values only", f.Name)
		case len(in.columns) == columnsMax:
			return nil, nil, nil, refuse("more than %d columns are read", columnsMax)
		}
		c, valid := fmt.Sprintf("in%d", i), fmt.Sprintf("in%d_valid", i)
		store, _ := storage(f.Type)
		p, q := l.buffer(device.InputArg, c, store, columnSize(f.Type)), l.buffer(device.InputArg, valid, "u64", perWord())
		in.columns = append(in.columns, inputColumn{i, f.Type, p.arg.Index, q.arg.Index})
		parameters = append(parameters, c, valid)
		columns[i] = value{t: f.Type, value: fmt.Sprintf("v%d", i), null: fmt.Sprintf("n%d_in", i), fail: never}
		if f.NotNull {
			columns[i].null = never
		}
	}
	return in, columns, parameters, nil
}

// read writes the code that reads row g.
func (in *intake) read(e *emitter, columns []value) {
	for i, c := range in.columns {
		v := columns[c.column]
		if c.t == stream.Boolean {
			e.line("const i32 %s = (i32)(in%d[g >> 6] >> (g & 63) & 1);", v.value, c.column)
		} else {
			e.line("const %s %s = in%d[g];", ctype(c.t), v.value, c.column)
		}
		if v.null != never {
			e.line("const i32 %s = (nulls >> %d & 1) ? (i32)(~in%d_valid[g >> 6] >> (g & 63) & 1) : 0;", v.null, i, c.column)
		}
	}
}

// load copies a task's rows to a slot's input buffers and enters their sizes in the call.
// The slot has room for them.
func (in *intake) load(t *operator.Task, s device.Slot, call *device.Call) error {
	var nulls int64
	for i, c := range in.columns {
		values, valid := s.Input(c.values), s.Input(c.valid)
		var col stream.Column
		alias(&col, c.t, values, valid)
		n := 0
		for _, span := range t.Spans {
			src := &span.Batch.Cols[c.column]
			if src.Absent() {
				return fmt.Errorf("column %d is read but absent", c.column)
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
