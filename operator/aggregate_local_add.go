package operator

// add takes rows [lo, hi) of the chunk into the newest pane.
func (w *localWindows) add(lo, hi int) {
	w.logged += hi - lo
	if w.lanes.on {
		w.addLanes(lo, hi)
		return
	}
	if w.few() {
		w.addFew(lo, hi)
		return
	}
	lo += w.addKnown(lo, hi)
	if lo == hi {
		return
	}
	ids := w.chunkID[lo:hi]
	places := w.places[:len(ids)]
	if w.gapTo-w.gapFrom > len(w.id)/4 && len(w.id)+len(ids) > cap(w.id) {
		w.squeeze()
	}
	pos, next := w.localTable.pos, int32(len(w.id))
	fresh := w.moves[:0]
	for i, g := range ids {
		p := pos[g]
		if p < 0 {
			p = next
			next++
			pos[g] = p
			fresh = append(fresh, g)
		}
		places[i] = p
	}
	if w.moves = fresh; len(fresh) > 0 {
		w.enter(fresh)
	}
	w.log.appendRows(ids)
	if i := w.single(); i >= 0 {
		v := w.scaled[i][lo:hi]
		w.log.value[i] = append(w.log.value[i], v...)
		addSingle(w.rows, w.cells[i].sum, places, v)
		return
	}
	rows := w.rows
	for _, p := range places {
		rows[p]++
	}
	for i := range w.cells {
		w.addCell(i, places, lo, hi)
	}
}

// addKnown takes rows from lo on as long as their groups are live, in one pass, and returns
// how many that are; none if the accumulators need more than a sum.
func (w *localWindows) addKnown(lo, hi int) int {
	ids, pos, rows, n := w.chunkID[lo:hi], w.localTable.pos, w.rows, 0
	value := w.single()
	switch {
	case value >= 0:
		n = addLive(ids, pos, rows, w.cells[value].sum, w.scaled[value][lo:hi])
		w.log.value[value] = append(w.log.value[value], w.scaled[value][lo:lo+n]...)
	case w.plan.firstSum < 0 && w.onlyRows():
		n = countLive(ids, pos, rows)
	default:
		return 0
	}
	w.log.appendRows(ids[:n])
	return n
}

func addLive(ids, pos []int32, rows, sum, v []int64) int {
	v = v[:len(ids)]
	for i, g := range ids {
		p := pos[g]
		if p < 0 {
			return i
		}
		rows[p]++
		sum[p] += v[i]
	}
	return len(ids)
}

func countLive(ids, pos []int32, rows []int64) int {
	for i, g := range ids {
		p := pos[g]
		if p < 0 {
			return i
		}
		rows[p]++
	}
	return len(ids)
}

// onlyRows reports whether no cell counts by itself, now or in the chunk.
func (w *localWindows) onlyRows() bool {
	for c := range w.cells {
		if w.cells[c].n != nil || w.nulls[c] != nil {
			return false
		}
	}
	return true
}

// single is the cell with the only sum, if no cell counts by itself; else -1.
func (w *localWindows) single() int {
	if w.plan.onlySum >= 0 && w.onlyRows() {
		return w.plan.onlySum
	}
	return -1
}

func addSingle(rows, sum []int64, places []int32, v []int64) {
	v = v[:len(places)]
	for i, p := range places {
		rows[p]++
		sum[p] += v[i]
	}
}

func (w *localWindows) addCell(i int, places []int32, lo, hi int) {
	c, l := &w.cells[i], &w.log
	if w.nulls[i] != nil && c.n == nil {
		w.beginNulls(i, len(places))
	}
	if c.n != nil {
		n := c.n
		if w.nulls[i] == nil {
			l.null[i] = resizeZero(l.null[i], len(l.id))
			for _, p := range places {
				n[p]++
			}
		} else {
			null := w.nulls[i][lo:hi]
			l.null[i] = append(l.null[i], null...)
			for j, p := range places {
				n[p] += int64(1 - null[j])
			}
		}
	}
	if !w.plan.cells[i].sums {
		return
	}
	v := w.scaled[i][lo:hi]
	l.value[i] = append(l.value[i], v...)
	sum := c.sum
	v = v[:len(places)]
	for j, p := range places {
		sum[p] += v[j]
	}
}

// beginNulls counts a cell's values by themselves from now on: the chunk has a NULL. The
// rows of the newest pane, which come next, are counted in rows already.
func (w *localWindows) beginNulls(i, coming int) {
	c, l := &w.cells[i], &w.log
	c.n = append(c.n[:0], w.rows...)
	for _, p := range w.places[:coming] {
		c.n[p]--
	}
	l.null[i] = resizeZero(l.null[i], len(l.id)-coming)
	clear(l.null[i])
}

// resizeZero makes s n long; new elements are zero.
func resizeZero(s []uint8, n int) []uint8 {
	if s == nil {
		s = []uint8{}
	}
	return resizeSlots(s, n)
}

// subtract takes the logged rows [from, to) off their groups.
func (w *localWindows) subtract(from, to int) {
	ids, pos := w.log.id[from:to], w.localTable.pos
	var count []int32
	if len(w.log.rows) > 0 {
		count = w.log.rows[from:to]
	}
	if i := w.plan.onlySum; i >= 0 && w.counted() {
		w.leave(ids, count, w.cells[i].sum, w.log.value[i][from:to])
		return
	}
	if w.plan.firstSum < 0 && w.counted() {
		w.leaveRows(ids, count)
		return
	}
	for i := range w.cells {
		w.subtractCell(i, from, to)
	}
	rows := w.rows
	for i, g := range ids {
		p, k := pos[g], int64(1)
		if count != nil {
			k = int64(count[i])
		}
		rows[p] -= k
		w.logged -= int(k)
		if rows[p] == 0 {
			w.drop(g, p)
		}
	}
}

// counted reports whether no cell counts by itself.
func (w *localWindows) counted() bool {
	for c := range w.cells {
		if w.cells[c].n != nil {
			return false
		}
	}
	return true
}

// leave is subtract with one sum.
func (w *localWindows) leave(ids, count []int32, sum, v []int64) {
	pos, rows, logged := w.localTable.pos, w.rows, 0
	if count == nil {
		w.logged -= len(ids)
		v = v[:len(ids)]
		for i, g := range ids {
			p := pos[g]
			sum[p] -= v[i]
			rows[p]--
			if rows[p] == 0 {
				w.drop(g, p)
			}
		}
		return
	}
	count, v = count[:len(ids)], v[:len(ids)]
	for i, g := range ids {
		p, k := pos[g], int64(count[i])
		sum[p] -= v[i]
		left := rows[p] - k
		rows[p] = left
		logged += int(k)
		if left == 0 {
			w.drop(g, p)
		}
	}
	w.logged -= logged
}

// leaveRows is subtract without sums.
func (w *localWindows) leaveRows(ids, count []int32) {
	pos, rows, logged := w.localTable.pos, w.rows, 0
	if count == nil {
		w.logged -= len(ids)
		for _, g := range ids {
			p := pos[g]
			rows[p]--
			if rows[p] == 0 {
				w.drop(g, p)
			}
		}
		return
	}
	count = count[:len(ids)]
	for i, g := range ids {
		p, k := pos[g], int64(count[i])
		left := rows[p] - k
		rows[p] = left
		logged += int(k)
		if left == 0 {
			w.drop(g, p)
		}
	}
	w.logged -= logged
}

// drop notes that a group has left its position.
func (w *localWindows) drop(g, p int32) {
	w.localTable.pos[g] = -1
	w.dead++
	w.holes = append(w.holes, p)
}

func (w *localWindows) subtractCell(i, from, to int) {
	c, ids, pos := &w.cells[i], w.log.id[from:to], w.localTable.pos
	if c.n != nil {
		n, null := c.n, w.log.null[i][from:to]
		for j, g := range ids {
			k := int64(1 - null[j])
			if len(w.log.rows) > 0 {
				k *= int64(w.log.rows[from+j])
			}
			n[pos[g]] -= k
		}
	}
	if w.plan.cells[i].sums {
		sum, v := c.sum, w.log.value[i][from:to]
		for j, g := range ids {
			sum[pos[g]] -= v[j]
		}
	}
}
