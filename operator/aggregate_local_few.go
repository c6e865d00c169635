package operator

// Where there are few groups a slide has many rows of each. They are first added up by
// id, in tables that stay in registers' reach, so that the log and the live groups see
// one entry per group. Rows take turns between two tables: the next row of a group need
// not wait for the sum of the row before.

// fewGroups is the number of ids up to which that is done.
const fewGroups = 16

// fewSlot is what a part of a pane has of a group.
type fewSlot struct{ rows, sum int64 }

// appendRows logs rows.
func (l *localLog) appendRows(ids []int32) {
	l.id = append(l.id, ids...)
	if len(l.rows) > 0 {
		l.rows = append(l.rows, singles[:len(ids)]...)
	}
}

// countRows makes rows as long as id: entries that are more than a row will come.
func (l *localLog) countRows() {
	for len(l.rows) < len(l.id) {
		l.rows = append(l.rows, singles[:min(len(singles), len(l.id)-len(l.rows))]...)
	}
}

// singles are the row counts of entries that are rows.
var singles = func() (s [ChunkRows]int32) {
	for i := range s {
		s[i] = 1
	}
	return s
}()

// few reports whether rows are added up by group first.
func (w *localWindows) few() bool {
	if len(w.keys.word) > fewGroups {
		return false
	}
	for i := range w.cells {
		if w.cells[i].n != nil || w.nulls[i] != nil {
			return false
		}
	}
	return true
}

// addFew takes rows [lo, hi) of the chunk into the newest pane.
func (w *localWindows) addFew(lo, hi int) {
	first := len(w.log.id)
	w.log.countRows()
	values, n := w.plan.firstSum, len(w.keys.word)
	var even, odd [fewGroups]fewSlot
	if values < 0 {
		countFew(&even, w.chunkID[lo:hi])
	} else {
		sumFew(&even, &odd, w.chunkID[lo:hi], w.scaled[values][lo:hi])
	}
	left := 0
	for g := range n {
		if even[g&(fewGroups-1)].rows+odd[g&(fewGroups-1)].rows > 0 {
			left++
		}
	}
	// Entries stand in order of the groups' first rows, which are soon found.
	for _, g := range w.chunkID[lo:hi] {
		rows, sum := even[g&(fewGroups-1)].rows+odd[g&(fewGroups-1)].rows, even[g&(fewGroups-1)].sum+odd[g&(fewGroups-1)].sum
		if rows == 0 {
			continue
		}
		even[g&(fewGroups-1)].rows, odd[g&(fewGroups-1)].rows = 0, 0
		p := w.placeOf(g)
		w.rows[p] += rows
		w.log.id, w.log.rows = append(w.log.id, g), append(w.log.rows, int32(rows))
		if values >= 0 {
			w.cells[values].sum[p] += sum
			w.log.value[values] = append(w.log.value[values], sum)
		}
		if left--; left == 0 {
			break
		}
	}
	for i := range w.cells {
		if i != values && w.plan.cells[i].sums {
			w.addFewCell(i, lo, hi, first)
		}
	}
}

// placeOf returns the position of a group, which it enters if it has none.
func (w *localWindows) placeOf(g int32) int32 {
	if p := w.localTable.pos[g]; p >= 0 {
		return p
	}
	p := int32(len(w.id))
	w.localTable.pos[g] = p
	w.moves = append(w.moves[:0], g)
	w.enter(w.moves)
	return p
}

// addFewCell adds up another cell for the entries from first on.
func (w *localWindows) addFewCell(i, lo, hi, first int) {
	var even, odd [fewGroups]fewSlot
	sumFew(&even, &odd, w.chunkID[lo:hi], w.scaled[i][lo:hi])
	for _, g := range w.log.id[first:] {
		sum := even[g].sum + odd[g].sum
		w.cells[i].sum[w.localTable.pos[g]] += sum
		w.log.value[i] = append(w.log.value[i], sum)
	}
}

func countFew(t *[fewGroups]fewSlot, ids []int32) {
	for _, g := range ids {
		t[g&(fewGroups-1)].rows++
	}
}

func sumFew(even, odd *[fewGroups]fewSlot, ids []int32, v []int64) {
	v = v[:len(ids)]
	for len(ids) >= 2 && len(v) >= 2 {
		a, b := &even[ids[0]&(fewGroups-1)], &odd[ids[1]&(fewGroups-1)]
		a.rows++
		a.sum += v[0]
		b.rows++
		b.sum += v[1]
		ids, v = ids[2:], v[2:]
	}
	if len(ids) > 0 && len(v) > 0 {
		a := &even[ids[0]&(fewGroups-1)]
		a.rows++
		a.sum += v[0]
	}
}
