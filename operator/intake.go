package operator

import (
	"sync"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// orderKind says what a stored row's order number is.
type orderKind uint8

const (
	orderNone   orderKind = iota // 0
	orderTime                    // event time
	orderIndex                   // index in the input, filtered rows counted
	orderColumn                  // the value of a column
)

// intake is the parallel half of the operators that store rows: it sends a task
// through the side's steps and copies what survives into a rowPart, with order numbers
// and key hashes, so that the serial half only appends. It is immutable.
//
// Keys that are bare columns are read where they are; others are stored as columns
// behind those of the side's relation. Rows with a NULL key match nothing and are not
// stored, but for the left ones of an outer window join.
type intake struct {
	chain    *Chain
	schema   *stream.Schema // of the stored rows
	stored   []bool
	width    int // columns of the side's relation
	order    orderKind
	orderCol int
	keyCols  []int // column of the stored rows that holds each key
	keys     *Program
	record   record
	op       model.OpID // whose keys they are
	nulls    bool       // rows with a NULL key are stored
	parts    sync.Pool
}

// rowPart is what survives of one task.
type rowPart struct {
	rows  *stream.Batch
	order []int64
	hash  []uint64
}

type intakeScratch struct {
	chain *ChainScratch
	keys  *ProgramScratch
	sel   []int32
	bad   []int32 // rows of the chunk whose key failed
	hash  []uint64
	order []int64
	whole []stream.Column
}

// newIntake prepares a side of which the columns in need are stored; columns in absent
// (window columns that the side's own window would add) are not.
func newIntake(op model.OpID, side Side, need []bool, absent []bool, keys []*model.Expr, order orderKind, orderCol int) (*intake, error) {
	schema := side.Output().Schema
	in := &intake{op: op, width: schema.Len(), order: order, orderCol: orderCol}
	reads := append([]bool(nil), need...)
	if need == nil {
		reads = allOf(in.width)
	}
	fields := append([]stream.Field(nil), schema.Fields...)
	in.stored = make([]bool, in.width)
	for i, r := range reads {
		reads[i] = r && !(absent != nil && absent[i])
		in.stored[i] = reads[i]
	}
	var evaluated []*model.Expr
	for _, e := range keys {
		markColumns(reads, e)
		if e.Kind == model.ColumnExpr {
			in.keyCols = append(in.keyCols, e.Column)
			in.stored[e.Column] = true
			continue
		}
		in.keyCols = append(in.keyCols, len(fields))
		fields = append(fields, stream.Field{Name: "key", Type: e.Type, Hidden: true})
		in.stored = append(in.stored, true)
		evaluated = append(evaluated, e)
	}
	if order == orderColumn {
		reads[orderCol] = true
	}
	in.schema = stream.NewSchema(fields...)
	in.record = record{schema, referenced(schema, keys)}
	side.Need = reads
	var err error
	if in.chain, err = NewChain(side); err != nil {
		return nil, err
	}
	in.keys, err = Compile(evaluated, schema)
	return in, err
}

func (in *intake) newScratch() *intakeScratch {
	return &intakeScratch{chain: in.chain.NewScratch(), keys: in.keys.NewScratch(), whole: make([]stream.Column, in.schema.Len())}
}

func (in *intake) getPart() *rowPart {
	if p, ok := in.parts.Get().(*rowPart); ok {
		clearBatch(p.rows)
		p.order, p.hash = p.order[:0], p.hash[:0]
		return p
	}
	return &rowPart{rows: stream.NewBatch(in.schema, in.stored)}
}

// put gives a part back.
func (in *intake) put(p *rowPart) { in.parts.Put(p) }

// run is the whole of Batch for one task.
func (in *intake) run(t *Task, s *intakeScratch) (*rowPart, []ErrorRow, error) {
	part := in.getPart()
	failed, err := in.chain.Run(t, s.chain, func(c *Chunk) error {
		in.take(t, part, s, c)
		return nil
	})
	return part, failed, err
}

// prepare evaluates and hashes the chunk's keys and returns the rows that are left:
// not those whose key fails (they become error rows) or, but for nulls, is NULL. all is
// true when that is every row.
func (in *intake) prepare(s *intakeScratch, c *Chunk) (sel []int32, all bool) {
	copy(s.whole, c.Cols)
	s.bad = s.bad[:0]
	if len(in.keyCols) == 0 {
		return nil, true
	}
	keys, bad := in.keys.Eval(s.keys, c.Cols, c.Len)
	copy(s.whole[in.width:], keys)
	if bad != nil {
		pos := c.Positions()
		bad.Rows.Each(c.Len, func(i int) {
			s.bad = append(s.bad, int32(i))
			s.chain.errors = append(s.chain.errors, chunkError{pos[i], ErrorRow{
				Op: in.op, Reason: bad.Reason(i), Record: in.record.json(c.Cols, i),
			}})
		})
	}
	s.hash = resize(s.hash, c.Len)
	clear(s.hash)
	for _, k := range in.keyCols {
		hashColumn(s.hash, &s.whole[k], c.Len)
	}
	if bad == nil && (in.nulls || !in.anyNull(s.whole)) {
		return nil, true
	}
	s.sel = s.sel[:0]
	for i := range c.Len {
		if (bad == nil || !bad.Rows.Get(i)) && (in.nulls || !in.nullKey(s.whole, i)) {
			s.sel = append(s.sel, int32(i))
		}
	}
	return s.sel, false
}

// take copies a chunk's rows.
func (in *intake) take(t *Task, part *rowPart, s *intakeScratch, c *Chunk) {
	sel, all := in.prepare(s, c)
	s.orders(in, t, c)
	keyed := len(in.keyCols) > 0
	if all {
		whole := Chunk{Cols: s.whole}
		whole.AppendTo(part.rows, 0, c.Len)
		part.order = append(part.order, s.order...)
		if keyed {
			part.hash = append(part.hash, s.hash...)
		}
		return
	}
	for _, i := range sel {
		part.order = append(part.order, s.order[i])
		if keyed {
			part.hash = append(part.hash, s.hash[i])
		}
	}
	for i := range part.rows.Cols {
		if col := &part.rows.Cols[i]; !col.Absent() {
			col.AppendSelected(&s.whole[i], sel, part.rows.Len)
		}
	}
	part.rows.Len += len(sel)
}

func (s *intakeScratch) orders(in *intake, t *Task, c *Chunk) {
	s.order = resize(s.order, c.Len)
	switch in.order {
	case orderTime:
		vec.AddInt64(s.order, c.Time, c.Base)
	case orderColumn:
		copy(s.order, c.Cols[in.orderCol].I64)
	case orderIndex:
		for i, p := range c.Positions() {
			s.order[i] = t.First + int64(p)
		}
	default:
		clear(s.order)
	}
}

func (in *intake) anyNull(cols []stream.Column) bool {
	for _, k := range in.keyCols {
		if cols[k].Valid != nil {
			return true
		}
	}
	return false
}

func (in *intake) nullKey(cols []stream.Column, row int) bool {
	for _, k := range in.keyCols {
		if cols[k].IsNull(row) {
			return true
		}
	}
	return false
}
