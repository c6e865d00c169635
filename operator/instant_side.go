package operator

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// sideCompactRows is how many rows that left a window are kept in its store before
// they are cleared away; they must also be the greater part.
const sideCompactRows = 1024

// laneSide is what one lane holds of one window. Rows stay where they were put until
// compact, so that whoever notes a row's place in a task may still look there.
type laneSide struct {
	window *model.Window
	rows   *stream.Batch
	index  []int64 // in the input
	time   []int64
	key    []int32 // id of the join key; 0 without keys
	bucket []uint16
	in     []bool // still in the window
	next   []int32
	prev   []int32
	head   int // rows before it have left
	live   int

	chains     []keyChain // by key id: its rows that are in the window, oldest first
	partitions map[string]*partition
	home       *partition // of the row at hand, if expire found one
}

// keyChain is a list through next and prev; -1 ends it.
type keyChain struct{ first, last int32 }

// partition is the last rows of one key, oldest first; row is -1 for one that did not
// pass the filters.
type partition struct {
	bucket uint16
	rows   []partitionRow
}

type partitionRow struct {
	index int64
	row   int32
}

func newLaneSide(w *model.Window, s *stream.Schema, need []bool) *laneSide {
	side := &laneSide{window: w, rows: stream.NewBatch(s, need)}
	if w.Kind == model.PartitionRows {
		side.partitions = map[string]*partition{}
	}
	return side
}

// add puts row i of some rows into the window and returns its place.
func (s *laneSide) add(rows *stream.Batch, i int, index, time int64, bucket uint16, key int32) int32 {
	row := int32(s.rows.Len)
	s.rows.AppendRange(rows, i, i+1)
	s.index = append(s.index, index)
	s.time = append(s.time, time)
	s.key = append(s.key, key)
	s.bucket = append(s.bucket, bucket)
	s.in = append(s.in, true)
	s.live++
	s.link(row, key)
	return row
}

func (s *laneSide) link(row, key int32) {
	for int(key) >= len(s.chains) {
		s.chains = append(s.chains, keyChain{-1, -1})
	}
	c := &s.chains[key]
	s.next, s.prev = append(s.next, -1), append(s.prev, c.last)
	if c.last >= 0 {
		s.next[c.last] = row
	} else {
		c.first = row
	}
	c.last = row
}

// remove takes a row out of the window.
func (s *laneSide) remove(row int32) {
	c := &s.chains[s.key[row]]
	if p := s.prev[row]; p >= 0 {
		s.next[p] = s.next[row]
	} else {
		c.first = s.next[row]
	}
	if n := s.next[row]; n >= 0 {
		s.prev[n] = s.prev[row]
	} else {
		c.last = s.prev[row]
	}
	s.in[row] = false
	s.live--
}

// first returns the oldest row of a key, or -1.
func (s *laneSide) first(key int32) int32 {
	if int(key) >= len(s.chains) {
		return -1
	}
	return s.chains[key].first
}

// oldest returns the oldest row in the window, or -1.
func (s *laneSide) oldest() int32 {
	for s.head < len(s.in) && !s.in[s.head] {
		s.head++
	}
	if s.head == len(s.in) {
		return -1
	}
	return int32(s.head)
}

// compact clears away rows that have left the window.
func (s *laneSide) compact() {
	n := s.rows.Len
	if n-s.live < sideCompactRows || n-s.live < s.live {
		return
	}
	place := make([]int32, n)
	sel := make([]int32, 0, s.live)
	for i, in := range s.in {
		place[i] = -1
		if in {
			place[i] = int32(len(sel))
			sel = append(sel, int32(i))
		}
	}
	rows := &stream.Batch{Schema: s.rows.Schema, Cols: make([]stream.Column, len(s.rows.Cols))}
	for c := range rows.Cols {
		rows.Cols[c].Reset(s.rows.Cols[c].Type)
	}
	rows.AppendSelected(s.rows, sel)
	s.rows, s.head = rows, 0
	move := func(links []int32) {
		for k, i := range sel {
			v := links[i]
			if v >= 0 {
				v = place[v]
			}
			links[k] = v
		}
	}
	move(s.next)
	move(s.prev)
	s.next, s.prev = s.next[:len(sel)], s.prev[:len(sel)]
	for k, i := range sel {
		s.index[k], s.time[k], s.key[k], s.bucket[k], s.in[k] = s.index[i], s.time[i], s.key[i], s.bucket[i], true
	}
	s.index, s.time, s.key, s.bucket, s.in = s.index[:len(sel)], s.time[:len(sel)], s.key[:len(sel)], s.bucket[:len(sel)], s.in[:len(sel)]
	for c := range s.chains {
		if chain := &s.chains[c]; chain.first >= 0 {
			chain.first, chain.last = place[chain.first], place[chain.last]
		}
	}
	for _, p := range s.partitions {
		for i := range p.rows {
			if r := &p.rows[i].row; *r >= 0 {
				*r = place[*r]
			}
		}
	}
}

// sizeBytes is about what the side occupies.
func (s *laneSide) sizeBytes() int64 {
	const perRow, perPartition = 35, 96
	return int64(s.rows.SizeBytes() + perRow*s.rows.Len + perPartition*len(s.partitions))
}

// keyIDs gives join keys small numbers while rows of the window have them.
type keyIDs struct {
	ids   map[string]int32
	names []string
	uses  []int32
	free  []int32
	last  int32 // id taken last: a row's key on both sides is often the same
}

func newKeyIDs() *keyIDs { return &keyIDs{ids: map[string]int32{}} }

// take returns the key's id for one more row.
func (k *keyIDs) take(key []byte) int32 {
	if int(k.last) < len(k.names) && k.uses[k.last] > 0 && k.names[k.last] == string(key) {
		k.uses[k.last]++
		return k.last
	}
	id, ok := k.ids[string(key)]
	if ok {
		k.uses[id]++
		k.last = id
		return id
	}
	name := string(key)
	if n := len(k.free); n > 0 {
		id = k.free[n-1]
		k.free = k.free[:n-1]
		k.names[id], k.uses[id] = name, 1
	} else {
		id = int32(len(k.names))
		k.names, k.uses = append(k.names, name), append(k.uses, 1)
	}
	k.ids[name], k.last = id, id
	return id
}

// give ends a row's use of its key.
func (k *keyIDs) give(id int32) {
	if k.uses[id]--; k.uses[id] == 0 {
		delete(k.ids, k.names[id])
		k.names[id] = ""
		k.free = append(k.free, id)
	}
}
