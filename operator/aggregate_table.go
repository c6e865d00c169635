package operator

import (
	"sync"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Groups by way of a table.
//
// When all keys of an aggregate are columns of a table that its rows have been joined
// with, the table's row decides the group. So the distinct keys among the table's rows
// are numbered once, and a row of the stream finds its group by two array reads - its
// table row's number, the group that the number has in this task - without looking at
// the keys. Only the first row of a group goes the ordinary way.
type tableGroups struct {
	step    int   // of the chain: the lookup
	columns []int // of the table, by key
	once    sync.Once
	number  []int32 // by row of the table; nil: too many
	count   int
	// late are the table's columns that only the first rows of groups are asked for.
	late []bool
}

// tableGroupsMax bounds the numbers that every task has to forget.
const tableGroupsMax = 1 << 14

// findTableGroups returns nil if a key is not a column of the last lookup's table, or if
// a step behind the lookup drops rows.
func findTableGroups(c *Chain, keys int) *tableGroups {
	g := &tableGroups{columns: make([]int, keys)}
	for i := range g.columns {
		g.columns[i] = i
	}
	for g.step = len(c.steps) - 1; g.step >= 0; g.step-- {
		st := &c.steps[g.step]
		switch st.kind {
		case model.WindowOp:
		case model.ProjectOp:
			if len(st.record.columns) > 0 || !g.through(st) {
				return nil
			}
		case model.LookupOp:
			for i, col := range g.columns {
				if g.columns[i] = col - len(st.reads); g.columns[i] < 0 {
					return nil
				}
			}
			return g
		default:
			return nil
		}
	}
	return nil
}

// through follows the columns through a projection.
func (g *tableGroups) through(st *step) bool {
	for i, col := range g.columns {
		if g.columns[i] = st.cols[col].column; g.columns[i] < 0 {
			return false
		}
	}
	return true
}

// findLate finds the key columns that nothing but the keys reads: exprs are those of the
// chain's last step, keys first, which is the only projection behind the lookup.
func (g *tableGroups) findLate(c *Chain, exprs []*model.Expr, keys int) {
	for _, st := range c.steps[g.step+1 : len(c.steps)-1] {
		if st.kind == model.ProjectOp {
			return
		}
	}
	width := len(c.steps[g.step].reads)
	late := make([]bool, len(c.steps[g.step].keeps)-width)
	for i, e := range exprs[:keys] {
		late[g.columns[i]] = !e.Type.IsFloat() // the form of a float is looked at in every row
	}
	for _, e := range exprs[keys:] {
		e.Columns(func(col int) {
			if col >= width && col-width < len(late) {
				late[col-width] = false
			}
		})
	}
	g.late = late
}

// prepare numbers the keys of a complete table.
func (g *tableGroups) prepare(a *aggregate) {
	t := a.chain.steps[g.step].table
	n := t.rows.rows.Len
	index, keys, coder := newGroupIndex(), newKeySet(&a.layout), keyCoder{}
	number, cols := make([]int32, n), make([]stream.Column, len(g.columns))
	for at := 0; at < n; at += ChunkRows {
		end := min(at+ChunkRows, n)
		for i, c := range g.columns {
			cols[i] = t.rows.rows.Cols[c].Slice(at, end)
		}
		index.ids(keys, &coder, cols, end-at, number[at:end])
		if keys.n > tableGroupsMax {
			return
		}
	}
	g.number, g.count = number, keys.n
}

// tableScratch is what a worker knows of the task's groups.
type tableScratch struct {
	number []int32 // the table's, while it is complete at the task's begin; else nil
	group  []int32 // by number; -1: none yet
	first  []int32 // rows of the table of those rows of the chunk that are the first of their group
	cols   []stream.Column
	ids    []int32
}

// begin forgets the groups.
func (s *tableScratch) begin(a *aggregate) {
	g := a.tables
	s.number = nil
	if g == nil || !a.chain.steps[g.step].table.complete {
		return
	}
	g.once.Do(func() { g.prepare(a) })
	s.number = g.number
	s.group = resize(s.group, g.count)
	for i := range s.group {
		s.group[i] = -1
	}
}

// late lets the lookup leave out, for one task, the keys that only first rows are asked for.
func (s *aggregateScratch) late(on bool) {
	g := s.a.tables
	switch {
	case g == nil:
	case on && s.table.number != nil:
		s.chain.steps[g.step].late = g.late
	default:
		s.chain.steps[g.step].late = nil
	}
}

// tableIDs finds the groups of a chunk's rows by the rows of the table.
func (s *aggregateScratch) tableIDs(c *Chunk) bool {
	g := s.a.tables
	if g == nil || s.table.number == nil {
		return false
	}
	rows := s.chain.steps[g.step].join.pairs[1][:c.Len]
	ids, group, number := s.ids[:c.Len], s.table.group, s.table.number
	some := int32(0)
	for i, r := range rows {
		id := group[number[r]]
		ids[i] = id
		some |= id
	}
	if some < 0 {
		s.newTableGroups(rows)
		for i, r := range rows {
			ids[i] = group[number[r]]
		}
	}
	return true
}

// newTableGroups enters the groups of the chunk that the task has not had.
func (s *aggregateScratch) newTableGroups(rows []int32) {
	t, number := &s.table, s.table.number
	t.first = t.first[:0]
	for _, r := range rows {
		if at := &t.group[number[r]]; *at == -1 {
			*at = -2
			t.first = append(t.first, r)
		}
	}
	if t.cols == nil {
		t.cols = make([]stream.Column, s.a.keys)
	}
	g := s.a.tables
	table := s.a.chain.steps[g.step].table.rows.rows
	for i := range t.cols {
		selectColumn(&t.cols[i], &table.Cols[g.columns[i]], t.first)
	}
	t.ids = resize(t.ids, len(t.first))
	s.index.ids(s.f.keys, &s.coder, t.cols, len(t.first), t.ids)
	for k, r := range t.first {
		t.group[number[r]] = t.ids[k]
	}
}
