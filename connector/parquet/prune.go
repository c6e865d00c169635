package parquet

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Pruner chooses the rows of a file that have to be read, by the statistics of its row
// groups and pages: the others cannot satisfy conjuncts that some filter demands of every
// row. It may keep too much, never too little.
//
// Event time goes on over rows that are passed over, so that other rows are late or not
// as before: a run of rows is passed over only if the greatest event time in it is known.
// A group's is in its statistics. Within a group only whole pages of the event time
// column are passed over:
//
//	kept by the filter's column     | ---- | xxxx | ---- | ---- | ---- | xxxx |
//	pages of event time             | ------- | ------- | ------- | ------- |
//	kept                            | xxxxxxxxxxxxxxxxx | ------- | xxxxxxx |
type Pruner struct {
	conditions []condition
	time       int // column of event time, or -1
}

// NewPruner returns a pruner for conjuncts over the columns of a stream; time is the
// column of event time, or -1.
func NewPruner(conjuncts []*model.Expr, time int) *Pruner {
	return &Pruner{conditions: conditionsOf(conjuncts), time: time}
}

// Empty reports whether nothing can be passed over.
func (p *Pruner) Empty() bool { return len(p.conditions) == 0 }

// Range is rows [From, To) of a group, and the greatest event time among the rows passed
// over before it, since the range before or the group's start.
type Range struct {
	From, To int64
	Passed   int64 // stream.MinTime: none, or a stream without event time
}

// Group returns the ranges of a group that have to be read, ascending. If rows at the end
// are passed over, an empty range at the group's end stands for them.
func (p *Pruner) Group(f *File, r io.ReaderAt, n int) ([]Range, error) {
	g := &f.groups[n]
	whole := []Range{{To: g.rows, Passed: stream.MinTime}}
	if p.Empty() || g.rows == 0 {
		return whole, nil
	}
	time, ok := p.timeOf(f, g)
	if !ok {
		return whole, nil
	}
	keep := []Range{{To: g.rows}}
	for i := range p.conditions {
		c := &p.conditions[i]
		b := f.bound[c.column]
		if b.leaf < 0 {
			continue
		}
		chunk := &g.chunks[f.leaves[b.leaf].chunk]
		if !c.mayHold(boundsOf(b.read, &chunk.meta.MetaData)) {
			return []Range{{From: g.rows, To: g.rows, Passed: time.greatest(0, g.rows)}}, nil
		}
		pages, err := chunk.bounds(r, b.read, g.rows)
		if err != nil {
			return nil, fmt.Errorf("%s: row group %d, column %q: %w", f.Path, n, b.name, err)
		}
		if pages != nil {
			keep = intersect(keep, chunk.keep(pages, c))
		}
	}
	if err := time.load(r, g.rows); err != nil {
		return nil, fmt.Errorf("%s: row group %d: %w", f.Path, n, err)
	}
	return time.settle(keep, g.rows), nil
}

// bounds reads the column index of a chunk: bounds of each page, nil if there is none.
func (c *chunk) bounds(r io.ReaderAt, f form, rows int64) ([]bounds, error) {
	if c.meta.ColumnIndexOffset <= 0 || c.meta.ColumnIndexLength <= 0 || c.meta.OffsetIndexOffset <= 0 {
		return nil, nil
	}
	if err := c.load(r, rows); err != nil {
		return nil, err
	}
	data := make([]byte, c.meta.ColumnIndexLength)
	if err := readFull(r, data, c.meta.ColumnIndexOffset); err != nil {
		return nil, err
	}
	var index format.ColumnIndex
	if err := decodeThrift(data, &index); err != nil {
		return nil, fmt.Errorf("%w: its column index cannot be read: %w", errDamaged, err)
	}
	if n := len(c.pages); len(index.MinValues) != n || len(index.MaxValues) != n || len(index.NullPages) != n {
		return nil, nil // indexes of pages that hold no row
	}
	out := make([]bounds, len(c.pages))
	for i := range out {
		out[i] = f.bounds(index.MinValues[i], index.MaxValues[i])
		if index.NullPages[i] {
			out[i] = bounds{allNull: true}
		}
	}
	return out, nil
}

// keep lists the rows of the pages that may satisfy a condition.
func (c *chunk) keep(pages []bounds, condition *condition) []Range {
	var out []Range
	for i, p := range c.pages {
		if !condition.mayHold(pages[i]) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To == p.first {
			out[n-1].To = p.first + p.rows
			continue
		}
		out = append(out, Range{From: p.first, To: p.first + p.rows})
	}
	return out
}

func intersect(a, b []Range) []Range {
	var out []Range
	for len(a) > 0 && len(b) > 0 {
		if from, to := max(a[0].From, b[0].From), min(a[0].To, b[0].To); from < to {
			out = append(out, Range{From: from, To: to})
		}
		if a[0].To < b[0].To {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// times is what is known of event time in a group.
type times struct {
	chunk *chunk // nil: the stream has none
	form  form
	max   int64
	pages []bounds
}

// timeOf finds the greatest event time of a group; false: it is not known.
func (p *Pruner) timeOf(f *File, g *group) (*times, bool) {
	if p.time < 0 {
		return &times{max: stream.MinTime}, true
	}
	b := f.bound[p.time]
	if b.leaf < 0 {
		return nil, false // it is computed
	}
	t := &times{chunk: &g.chunks[f.leaves[b.leaf].chunk], form: b.read}
	known := boundsOf(b.read, &t.chunk.meta.MetaData)
	t.max = known.max.I
	return t, known.known
}

func (t *times) load(r io.ReaderAt, rows int64) (err error) {
	if t.chunk != nil {
		t.pages, err = t.chunk.bounds(r, t.form, rows)
	}
	return err
}

// greatest is the greatest event time in rows [from, to), which are whole pages or the
// whole group.
func (t *times) greatest(from, to int64) int64 {
	if t.pages == nil {
		return t.max
	}
	out := stream.MinTime
	for i, p := range t.chunk.pages {
		if p.first >= from && p.first < to && !t.pages[i].allNull {
			out = max(out, t.pages[i].max.I)
		}
	}
	return out
}

// settle widens ranges to pages of event time and notes how far it goes between them.
func (t *times) settle(keep []Range, rows int64) []Range {
	if t.chunk != nil {
		keep = t.widen(keep, rows)
	}
	out, at := make([]Range, 0, len(keep)+1), int64(0)
	for _, k := range keep {
		k.Passed = stream.MinTime
		if k.From > at {
			k.Passed = t.greatest(at, k.From)
		}
		out, at = append(out, k), k.To
	}
	if at < rows {
		out = append(out, Range{From: rows, To: rows, Passed: t.greatest(at, rows)})
	}
	return out
}

// widen makes ranges begin and end where pages of event time do.
func (t *times) widen(keep []Range, rows int64) []Range {
	if t.pages == nil || len(keep) == 0 {
		if len(keep) == 0 {
			return nil
		}
		return []Range{{To: rows}}
	}
	var out []Range
	for i, p := range t.chunk.pages {
		end := p.first + p.rows
		for len(keep) > 0 && keep[0].To <= p.first {
			keep = keep[1:]
		}
		needed := len(keep) > 0 && keep[0].From < end || !t.pages[i].known && !t.pages[i].allNull
		if !needed {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To == p.first {
			out[n-1].To = end
			continue
		}
		out = append(out, Range{From: p.first, To: end})
	}
	return out
}
