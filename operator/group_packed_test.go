package operator

import (
	"math/rand"
	"testing"

	"github.com/millrace/millrace/stream"
)

// Whatever way groups are found, they are the same in the same order: over tasks whose
// ranges move, widen within a task, and become too wide for a word.
func TestPackedGroups(t *testing.T) {
	for _, types := range [][]stream.Type{
		{stream.Integer}, {stream.BigInt}, {stream.Integer, stream.Integer, stream.Integer}, {stream.BigInt, stream.Timestamp},
	} {
		layout := newKeyLayout(types)
		a := &aggregate{keys: len(types), layout: layout}
		s := &aggregateScratch{a: a, index: newGroupIndex(), ids: make([]int32, ChunkRows)}
		s.packed.init(a)
		rng := rand.New(rand.NewSource(1))
		width := 0
		for task := range 3 * packedAgeMax {
			s.f = &fragment{keys: newKeySet(&layout)}
			s.index.reset()
			s.packed.begin()
			index, keys, coder := newGroupIndex(), newKeySet(&layout), keyCoder{}
			for range 4 {
				if width = rng.Intn(20); task > 2*packedAgeMax {
					width = rng.Intn(64)
				}
				cols, n := movingKeys(rng, types, width, int64(task)*50), 1+rng.Intn(60)
				want := make([]int32, n)
				index.ids(keys, &coder, cols, n, want)
				s.keyIDs(&Chunk{Cols: cols, Len: n})
				for i, id := range s.ids[:n] {
					if id != want[i] {
						t.Fatalf("%v: task %d: row %d has group %d, want %d", types, task, i, id, want[i])
					}
				}
			}
			for id := range int32(keys.n) {
				for j := range types {
					if got, want := s.f.keys.value(j, id), keys.value(j, id); got != want {
						t.Fatalf("%v: task %d: key %d of group %d is %v, want %v", types, task, j, id, got, want)
					}
				}
				if c := keys.at(id); s.f.keys.n != keys.n || s.f.keys.word[id] != c.word || !s.f.keys.same(id, &c) {
					t.Fatalf("%v: task %d: group %d is coded otherwise", types, task, id)
				}
			}
		}
	}
}

// movingKeys makes 64 rows of keys of up to so many bits above a base.
func movingKeys(rng *rand.Rand, types []stream.Type, width int, base int64) []stream.Column {
	cols := make([]stream.Column, len(types))
	for j, t := range types {
		cols[j].Reset(t)
		for i := range 64 {
			v := stream.Value{Type: t, I: base + int64(rng.Uint64()>>(64-width)), Null: rng.Intn(30) == 0}
			if t == stream.Integer {
				v.I = int64(int32(v.I))
			}
			cols[j].AppendValue(v, i)
		}
	}
	return cols
}
