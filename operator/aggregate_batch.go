package operator

import (
	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/window"
)

// fragment is what a task holds of every pane it touches: groups in order of first
// appearance with their accumulators. The groups of all panes have one list of keys.
type fragment struct {
	keys    *keySet
	panes   []paneFragment
	groups  []int32 // of each entry: its key's id; nil without keys (one entry a pane)
	entries int
	cells   []accumulator // by entry
	sets    []distinctFragment
	// residents is Assemble's: the resident group of each key, if it still is the
	// incarnation that born tells of.
	residents []int32
	born      []uint32
}

// paneFragment is the entries from, .. up to the next pane's.
type paneFragment struct {
	window.Pane
	run  carriedWindow
	from int
	hole bool // in no window: a gap between windows
}

// carriedWindow is a window that rows carry in columns, by role; unused roles are 0.
type carriedWindow [stream.WindowIndex + 1]int64

// end returns the first entry behind pane i.
func (f *fragment) end(i int) int {
	if i+1 < len(f.panes) {
		return f.panes[i+1].from
	}
	return f.entries
}

// fragmentsIdleMax bounds the fragments kept for reuse by one operator.
const fragmentsIdleMax = 64

func (a *aggregate) takeFragment() *fragment {
	a.pool.Lock()
	defer a.pool.Unlock()
	if n := len(a.pool.idle); n > 0 {
		f := a.pool.idle[n-1]
		a.pool.idle = a.pool.idle[:n-1]
		return f
	}
	f := &fragment{keys: newKeySet(&a.layout), sets: make([]distinctFragment, len(a.sets))}
	for _, c := range a.cells {
		f.cells = append(f.cells, c.empty.fresh())
	}
	for i, s := range a.sets {
		f.sets[i].values.Reset(s.t)
	}
	return f
}

func (a *aggregate) giveFragment(f *fragment) {
	f.keys.reset()
	f.panes, f.groups, f.entries = f.panes[:0], f.groups[:0], 0
	for _, c := range f.cells {
		c.resize(0)
	}
	for i := range f.sets {
		f.sets[i].reset()
	}
	a.pool.Lock()
	defer a.pool.Unlock()
	if len(a.pool.idle) < fragmentsIdleMax {
		a.pool.idle = append(a.pool.idle, f)
	}
}

// aggregateScratch is one worker's working memory.
type aggregateScratch struct {
	a      *aggregate
	chain  *ChainScratch
	task   *Task
	f      *fragment
	index  *groupIndex
	coder  keyCoder
	packed packedGroups
	table  tableScratch
	ids    []int32 // the chunk's rows: group in the task
	slots  []int32 // .. entry
	last   []int32 // of each group of the task: its latest entry
	pos    []int64
	ends   []int32 // without keys: where the chunk's runs end
	size   int     // rows of the pane before
	had    int     // .. of this one, in earlier chunks
	sets   []distinctScratch
	emit   func(*Chunk) error
}

func (a *aggregate) NewScratch() Scratch {
	s := &aggregateScratch{
		a: a, chain: a.chain.NewScratch(), index: newGroupIndex(),
		ids: make([]int32, ChunkRows), slots: make([]int32, ChunkRows), pos: make([]int64, ChunkRows),
		sets: make([]distinctScratch, len(a.sets)),
	}
	for i := range s.sets {
		s.sets[i].init(a.sets[i].t)
	}
	s.packed.init(a)
	s.emit = s.chunk
	return s
}

func (a *aggregate) Batch(t *Task, scratch Scratch) (Partial, error) {
	a.uses.add(usedAssembled)
	f, failed, err := a.fragmentOf(t, scratch.(*aggregateScratch))
	return Partial{Value: f, Errors: failed}, err
}

// fragmentOf groups a task's rows.
func (a *aggregate) fragmentOf(t *Task, s *aggregateScratch) (*fragment, []ErrorRow, error) {
	if t.Grouped != nil {
		return a.fragmentOfGroups(t, s)
	}
	s.task, s.f, s.last = t, a.takeFragment(), s.last[:0]
	s.had = 0
	s.index.reset()
	s.packed.begin()
	s.table.begin(a)
	for i := range s.sets {
		s.sets[i].reset()
	}
	s.late(true)
	failed, err := a.chain.Run(t, s.chain, s.emit)
	s.late(false)
	f := s.f
	s.task, s.f = nil, nil
	s.count(f)
	return f, failed, err
}

// count says how the groups of a task's rows were found.
func (s *aggregateScratch) count(f *fragment) {
	switch {
	case f.keys.n == 0:
	case s.table.number != nil:
		s.a.uses.add(usedTableRows)
	case s.packed.on:
		s.a.uses.add(usedPacked)
	default:
		s.a.uses.add(usedIndex)
	}
}

// chunk adds a chunk's rows to the fragment.
func (s *aggregateScratch) chunk(c *Chunk) error {
	a, f := s.a, s.f
	s.ends = s.ends[:0]
	if a.keys > 0 {
		if !s.tableIDs(c) {
			s.keyIDs(c)
		}
		for len(s.last) < f.keys.n {
			s.last = append(s.last, -1)
		}
	}
	switch a.form {
	case rangePanes:
		s.paneRuns(c, c.Time, c.Base)
	case rowPanes:
		pos := s.pos[:c.Len]
		for i, p := range c.Positions() {
			pos[i] = s.task.First + int64(p)
		}
		s.paneRuns(c, pos, 0)
	case carriedRuns:
		s.carriedRuns(c)
	default:
		if len(f.panes) == 0 {
			f.panes = append(f.panes, paneFragment{})
		}
		s.run(c, 0, c.Len)
	}
	if a.keys > 0 {
		slots := s.slots[:c.Len]
		for i, cell := range f.cells {
			cell.resize(f.entries)
			cell.add(slots, a.argument(c, i, cell))
		}
	} else {
		s.addRuns(c)
	}
	for i := range a.sets {
		s.sets[i].add(&f.sets[i], s.slots[:c.Len], &c.Cols[a.sets[i].column])
	}
	return nil
}

// argument returns the values that cell number i of a fragment is to take, and tells it the
// second argument's.
func (a *aggregate) argument(c *Chunk, cell int, to accumulator) *stream.Column {
	if by := a.cells[cell].by; by >= 0 {
		to.(interface{ second(*stream.Column) }).second(&c.Cols[by])
	}
	if i := a.cells[cell].column; i >= 0 {
		return &c.Cols[i]
	}
	return nil
}

// carriedRuns cuts a chunk where the window columns change.
func (s *aggregateScratch) carriedRuns(c *Chunk) {
	f := s.f
	for lo := 0; lo < c.Len; {
		w := s.a.windowAt(c, lo)
		if n := len(f.panes); n == 0 || !f.panes[n-1].run.same(&w) {
			f.panes = append(f.panes, paneFragment{run: w, from: f.entries})
		}
		hi := lo + 1
		for ; hi < c.Len; hi++ {
			if next := s.a.windowAt(c, hi); !next.same(&w) {
				break
			}
		}
		s.run(c, lo, hi)
		lo = hi
	}
}

func (a *aggregate) windowAt(c *Chunk, row int) (w carriedWindow) {
	for r, col := range a.roles {
		if col >= 0 {
			w[r] = c.Cols[col].I64[row]
		}
	}
	return w
}

// same reports whether both are one window: equal start and end, or equal index.
func (w *carriedWindow) same(o *carriedWindow) bool { return *w == *o }

// run finds the entries of rows [lo, hi) of a chunk, which belong to the last pane.
func (s *aggregateScratch) run(c *Chunk, lo, hi int) {
	f := s.f
	from := f.panes[len(f.panes)-1].from
	if s.a.keys == 0 {
		s.ends = append(s.ends, int32(hi))
		f.entries = from + 1
		return
	}
	slots, ids := s.slots[lo:hi], s.ids[lo:hi]
	if len(f.panes) == 1 {
		s.firstPane(slots, ids, hi == c.Len)
		return
	}
	last, first, n := s.last, int32(from), int32(f.entries)
	for i, g := range ids {
		e := last[g]
		if e < first {
			e = n
			n++
			last[g] = e
			f.groups = append(f.groups, g)
		}
		slots[i] = e
	}
	f.entries = int(n)
}

// firstPane finds the entries of rows in the task's first pane: a group has the same
// number in the task and in the pane, both counting in order of first appearance.
func (s *aggregateScratch) firstPane(slots, ids []int32, whole bool) {
	f := s.f
	copy(slots, ids)
	n := f.entries
	if whole {
		n = f.keys.n
	} else {
		for _, g := range ids {
			n = max(n, int(g)+1)
		}
	}
	for g := f.entries; g < n; g++ {
		f.groups = append(f.groups, int32(g))
	}
	f.entries = n
}
