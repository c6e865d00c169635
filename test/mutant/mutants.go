package main

// mutant is one planted bug: in file, old becomes new.
type mutant struct{ name, file, old, new string }

var mutants = []mutant{
	{"clock-set-back", "internal/zone/zone.go", "			return late, true\n", "			return early, true\n"},
	{"late-equal", "engine/ingress.go", "case t < wm || t < part.floor:", "case t <= wm && wm != stream.MinTime || t < part.floor:"},
	{"watermark-last-row", "engine/ingress.go", "part.maxTime = max(part.maxTime, t)", "part.maxTime = t"},
	{"partition-ties", "engine/ingress.go", "return r.partition < o.partition", "return r.partition > o.partition"},
	{"run-merge-tie", "engine/ingress.go", "n = sort.Search(n, func(i int) bool { return keys[i]+base > head || keys[i]+base == head && !first })", "n = sort.Search(n, func(i int) bool { return keys[i]+base > head })"},
	{"null-time-kept", "engine/source_decode.go", "case col.IsNull(i):", "case col.IsNull(i) && i%2 == 0:"},
	{"row-number-lost", "engine/dispatch/cutter.go", "c.first += int64(n)", "c.first += int64(min(n, 1))"},
	{"watermark-overtakes", "engine/dispatch/cutter.go", "	t.Watermark = c.watermark\n", "	t.Watermark = c.tail\n"},
	{"cutter-not-restored", "engine/dispatch/cutter.go", "c.first, c.watermark, c.tail = r.Int(), r.Int(), r.Int()", "_, c.watermark, c.tail = r.Int(), r.Int(), r.Int()"},
	{"ingress-not-restored", "engine/ingress.go", "in.parts[i] = partition{maxTime: r.Int(),", "in.parts[i] = partition{maxTime: min(r.Int(), stream.MinTime),"},
	{"window-last", "stream/window/window.go", "	k, _ := floorDiv(p, g.Slide)\n	return k", "	k, r := floorDiv(p, g.Slide)\n	if r == 0 {\n		k--\n	}\n	return k"},
	{"window-first", "stream/window/window.go", "if rp >= rs {", "if rp > rs {"},
	{"pane-edge", "stream/window/window.go", "			from = edge\n", "			from = edge / 2\n"},
	{"slider-undo", "operator/aggregate_slide.go", "		log.undo(groups, lo, s.front[c])\n", "		if c != 1 {\n			log.undo(groups, lo, s.front[c])\n		}\n"},
	{"residence-order", "operator/aggregate_slide.go", "if s.refs[g] > 0 {\n			kept = append(kept, g)", "if s.refs[g] > 0 {\n			kept = append([]int32{g}, kept...)"},
	{"average-of-all", "operator/accumulator_sum.go", "c.F64[at+i] = s.float() / float64(s.n)", "c.F64[at+i] = s.float() / float64(s.n+s.n%2)"},
	{"sum-wraps", "operator/accumulator_sum.go", "func (s *intSum) fits() bool { return s.hi == int64(s.lo)>>63 }", "func (s *intSum) fits() bool { return true }"},
	{"count-nulls", "operator/accumulator.go", "		n[s] += int64(c.Valid[i>>6] >> (uint(i) & 63) & 1)\n	}\n}\n\nfunc (a *counts) merge", "		n[s] += 1 + 0*int64(i)\n	}\n}\n\nfunc (a *counts) merge"},
	{"and-null", "operator/expr_logic.go", "valid[i] = decided | known", "valid[i] = known"},
	{"overflow-unseen", "operator/expr_arithmetic.go", "(a[i]^b[i])&(a[i]^o[i]) < 0", "(a[i]^b[i])&(b[i]^o[i]) < 0"},
	{"instant-expiry", "operator/instant_lane.go", "side.time[row] <= time-w.Size;", "side.time[row] < time-w.Size;"},
	{"instant-cancel", "operator/instant_merge.go", "		m.cancel()\n", ""},
	{"join-null-keys", "operator/intake.go", "	if bad == nil && !in.anyNull(s.whole) {", "	if bad == nil {"},
	{"source-position", "engine/source.go", "		w.Int(p.Offset)\n", "		w.Int(max(0, p.Offset-1))\n"},
	{"union-tie", "operator/union.go", "if input < i {", "if input > i {"},
	{"join-window-early", "operator/joinside.go", "		return s.frontier >= number\n	}\n	return s.frontier >= s.grid.End(number)", "		return s.frontier >= number-1\n	}\n	return s.frontier+1 >= s.grid.End(number)"},
	{"needed-filter", "operator/chain.go", "		st.mark(op.Filter...)\n", "		st.mark(op.Filter[:1]...)\n"},
	{"commuting-window", "bind/reads.go", "found = found || columns[c]", "found = found || columns[c] && c < 0"},
	{"local-quiet", "operator/aggregate_local_run.go", "if w.next >= w.quiet {", "if w.next > w.quiet {"},
	{"local-order", "operator/aggregate_local_run.go", "		if w.next == w.renewal {\n", "		if w.next == w.renewal && w.next%2 != 0 {\n"},
	{"lanes-renewal", "operator/aggregate_local_lanes.go", "		sortLanes(t.order[at:live], &t.panes[i].First)\n", "		sortLanes(t.order[at:at], &t.panes[i].First)\n"},
	{"lanes-spill", "operator/aggregate_local_lanes.go", "		w.rows[k] = t.rows[g]\n", "		w.rows[k] = t.rows[g] + 1\n"},
	{"base-of-edges", "operator/aggregate_pane.go", "lo, f.panes[n-1].Last-base)", "lo, f.panes[n-1].Last)"},
	{"base-of-values", "operator/chain_run.go", "vec.AddInt64(times, ch.Cols[c.raw].I64, s.base)", "vec.AddInt64(times, ch.Cols[c.raw].I64, s.base/2)"},
	{"peak-null", "operator/peak.go", "best != best) && valid.Get(i)", "best != best) || !valid.Get(i)"},
	{"self-join-filter", "optimize/selfjoin.go", "		if op.Kind == model.FilterOp {\n			return fmt.Sprintf(\"filter %s stands", "		if op.Kind == model.FilterOp && len(op.Filter) > 9 {\n			return fmt.Sprintf(\"filter %s stands"},
	{"after-errors", "operator/after.go", "	a.errors = append(a.errors, a.serial.takeErrors()...)\n", ""},
	{"second-result", "engine/share.go", "!s.run.queue.Done(p, u, s.work(own), busy) {", "!s.run.queue.Done(p, u, s.work(own), busy) && false {"},
	{"late-keys", "operator/aggregate_table.go", "late[col-width] = false", "late[col-width] = true"},
	{"returned-lost", "engine/accelerate.go", "	q.Return(a.id, t.unit)", "	q.Done(a.id, t.unit, 0, 0)"},
	{"errors-lost", "engine/function.go", "	if err := b.errors.send(sl.partial.Errors); err != nil {\n		return err\n	}\n	if sl.task.End", "	if sl.task.End"},
	{"pairs-early", "engine/pairs.go", "	return p.jobs[0].finished\n", "	return true\n"},
	{"pairs-not-held", "operator/joinshared.go", "			p.uses.Add(1)\n", "			p.uses.Add(0)\n"},
}

// replayed are planted where Batch goes on with what was computed elsewhere.
var replayed = []mutant{
	{"replayed-matches", "operator/chain_offload.go", "s.chunk.found = in.TableRows[from:to]", "s.chunk.found = in.TableRows[:to-from]"},
	{"replayed-groups", "operator/chain_offload.go", "p.pairs[1] = append(p.pairs[1][:0], rows...)", "p.pairs[1] = append(p.pairs[1][:0], make([]int32, len(rows))...)"},
	{"replayed-failures", "operator/chain_offload.go", "		again = emit\n", ""},
	{"carried-elsewhere", "operator/chain_offload.go", "rows[k]-int32(at.first-span.From)", "rows[k]-int32(at.first)+int32(span.From/2)"},
}
