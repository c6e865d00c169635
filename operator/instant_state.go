package operator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// The state of a per-instant region: what the windows contain, by input position, the
// partitions by bucket and key, and the rows that wait. It does not say which lane has
// what; Restore deals rows out by bucket.

// Snapshot implements state.Element.
func (f *instant) Snapshot(w *state.Writer) {
	w.Int(f.merge.out.rows)
	w.Int(f.merge.watermark)
	w.Int(f.lane[0].frontier)
	w.Bool(f.lane[0].begun)
	for i := range f.region.sides {
		f.snapshotSide(w, i)
	}
	for i := range f.lane[0].queues {
		f.lane[0].queues[i].snapshot(w)
	}
}

// held is a row of a window, wherever it is.
type held struct {
	lane int
	row  int32
}

func (f *instant) snapshotSide(w *state.Writer, side int) {
	var rows []held
	for id, l := range f.lane {
		for row, in := range l.sides[side].in {
			if in {
				rows = append(rows, held{id, int32(row)})
			}
		}
	}
	at := func(h held) *laneSide { return f.lane[h.lane].sides[side] }
	slices.SortFunc(rows, func(a, b held) int { return cmp.Compare(at(a).index[a.row], at(b).index[b.row]) })
	all := emptyLike(f.lane[0].sides[side].rows)
	for _, h := range rows {
		all.AppendRange(at(h).rows, int(h.row), int(h.row)+1)
	}
	w.Batch(all, 0, all.Len)
	for _, h := range rows {
		s := at(h)
		w.Int(s.index[h.row])
		w.Int(s.time[h.row])
		w.Int(int64(s.bucket[h.row]))
		if keys := f.lane[h.lane].keys; keys != nil {
			w.Text(keys.names[s.key[h.row]])
		}
	}
	f.snapshotPartitions(w, side)
}

// namedPartition is a partition and its key.
type namedPartition struct {
	name string
	*partition
}

func (f *instant) snapshotPartitions(w *state.Writer, side int) {
	var all []namedPartition
	for _, l := range f.lane {
		for name, p := range l.sides[side].partitions {
			all = append(all, namedPartition{name, p})
		}
	}
	slices.SortFunc(all, func(a, b namedPartition) int {
		if c := cmp.Compare(a.bucket, b.bucket); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	w.Int(int64(len(all)))
	for _, p := range all {
		w.Int(int64(p.bucket))
		w.Text(p.name)
		w.Int(int64(len(p.rows)))
		for _, r := range p.rows {
			w.Int(r.index)
			w.Bool(r.row >= 0)
		}
	}
}

// Restore implements state.Element.
func (f *instant) Restore(r *state.Reader) error {
	f.merge.out.rows, f.merge.watermark = r.Int(), r.Int()
	frontier, begun := r.Int(), r.Bool()
	for _, l := range f.lane {
		l.frontier = frontier
	}
	for i := range f.region.sides {
		if err := f.restoreSide(r, i); err != nil {
			return err
		}
	}
	var newLeft [2]func() *rowPart
	for i := range f.intakes {
		newLeft[i] = f.intakes[i].intake.getPart
	}
	for i := range f.lane[0].queues {
		f.lane[0].queues[i].restore(r, newLeft)
	}
	if err := r.End(); err != nil || !begun {
		return err
	}
	for _, l := range f.lane {
		if err := l.rebuild(); err != nil {
			return err
		}
	}
	return nil
}

func (f *instant) restoreSide(r *state.Reader, side int) error {
	all := stream.NewBatch(f.intakes[side].intake.schema, f.intakes[side].intake.stored)
	r.Batch(all)
	places := make([]map[int64]int32, len(f.lane))
	for i := range places {
		places[i] = map[int64]int32{}
	}
	for i := 0; i < all.Len && r.Err() == nil; i++ {
		index, time, bucket := r.Int(), r.Int(), uint16(r.Int())
		id := int(bucket) % f.lanes
		l, key := f.lane[id], int32(0)
		if l.keys != nil {
			key = l.keys.take([]byte(r.Text()))
		}
		places[id][index] = l.sides[side].add(all, i, index, time, bucket, key)
	}
	for n := r.Count(3); n > 0; n-- {
		p := &partition{bucket: uint16(r.Int())}
		name := r.Text()
		id := int(p.bucket) % f.lanes
		for k := r.Count(2); k > 0; k-- {
			row := partitionRow{r.Int(), -1}
			if r.Bool() {
				place, ok := places[id][row.index]
				if !ok {
					return fmt.Errorf("%s: snapshot names a row that is in no window", f.region.Emit.Name)
				}
				row.row = place
			}
			p.rows = append(p.rows, row)
		}
		if f.lane[id].sides[side].partitions == nil {
			return fmt.Errorf("%s: snapshot is of another window", f.region.Emit.Name)
		}
		f.lane[id].sides[side].partitions[name] = p
	}
	return r.Err()
}

// rebuild makes the groups, and the relation of RSTREAM, from what the windows contain.
func (l *instantLane) rebuild() error {
	l.restoring, l.out = true, l.fn.newResult()
	l.begin(0)
	for row := range l.sides[0].in {
		if len(l.sides) == 1 {
			l.meet(0, int32(row), 0, &l.plus)
			continue
		}
		l.meet(0, int32(row), 0, &l.plus)
		if len(l.plus.instant) >= ChunkRows {
			if err := l.flush(); err != nil {
				return err
			}
		}
	}
	out, err := l.finish()
	l.restoring = false
	if err != nil {
		return err
	}
	if l.fn.merge.relation != nil {
		var appeared []change
		for row := range out.plus.rows.Len {
			appeared = append(appeared, change{out.plus, row})
		}
		l.fn.merge.relation.change(nil, appeared)
	}
	return nil
}
