package operator

import (
	"slices"

	"github.com/millrace/millrace/stream"
)

// outputs collects an operator's output rows in batches of the pool.
type outputs struct {
	pool   *stream.Pool
	schema *stream.Schema
	need   []bool
	texts  bool // there are columns that grow by more than rows
	open   *stream.Batch
	rows   int64 // put out so far
}

func newOutputs(env Env, s *stream.Schema, need []bool) outputs {
	texts := slices.ContainsFunc(s.Fields, func(f stream.Field) bool { return f.Type.Storage() == stream.Varchar })
	return outputs{pool: env.Pool, schema: s, need: need, texts: texts}
}

// batch returns the batch that takes the next rows.
func (o *outputs) batch() *stream.Batch {
	if o.open == nil {
		o.open = o.pool.Get(o.schema, o.need)
	}
	return o.open
}

// room is how many rows the batch can still take.
func (o *outputs) room() int {
	if o.open == nil {
		return OutputRows
	}
	if o.texts && o.open.Len < OutputRows && o.open.SizeBytes() >= passBytesMax {
		return 0
	}
	return OutputRows - o.open.Len
}

// close gives the open batch back.
func (o *outputs) close() {
	if o.open != nil {
		o.open.Release()
		o.open = nil
	}
}

// take hands on what was collected; nil if there is nothing.
func (o *outputs) take() *stream.Batch {
	b := o.open
	if b == nil {
		return nil
	}
	o.open = nil
	if b.Len == 0 {
		b.Release()
		return nil
	}
	o.rows += int64(b.Len)
	return b
}
