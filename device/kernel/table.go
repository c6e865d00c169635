package kernel

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/millrace/millrace/stream"
)

// Table is a lookup's table as it lies on a device. It never changes.
type Table struct {
	Images [][]byte // of the resident buffers
	slots  int
	most   int // rows of the largest group
	usual  int // .. of the group that a row of the table is in, on average
	alone  int // outer: the group of the row of NULLs, which is in no slot
}

// TableRowsMax bounds the rows of a table: its slots, up to four for each, are counted in 32
// bits.
const TableRowsMax = 1 << 28

// A task has room for as many results as it can have where a row matches at most
// matchesSure; else for twice what the table's rows would find among themselves, up to
// matchesMax for each row.
const (
	matchesSure = 4
	matchesMax  = 32
)

// NewTable makes the table of n rows, of which keys are the columns that the lookup's right
// keys give. Rows with a NULL among them match nothing and are left out, but for the last one of
// an outer lookup's table: it is what matches rows that no other does. The error says that there
// are too many.
func NewTable(keys []stream.Column, n int, outer bool) (*Table, error) {
	if n > TableRowsMax {
		return nil, refuse("its lookup's table has %d rows: devices have tables of up to %d", n, TableRowsMax)
	}
	t := &Table{slots: 8}
	for t.slots < 2*n {
		t.slots *= 2
	}
	slots, group, heads := groupRows(keys, n, t.slots)
	if outer {
		t.alone, group[n-1] = len(heads), int32(len(heads))
		heads = append(heads, int32(n-1))
	}
	starts := make([]int32, len(heads)+1)
	for _, g := range group {
		if g >= 0 {
			starts[g+1]++
		}
	}
	squares := 0.0
	for g, size := range starts[1:] {
		t.most = max(t.most, int(size))
		squares += float64(size) * float64(size)
		starts[g+1] += starts[g]
	}
	all, next := make([]int32, starts[len(heads)]), make([]int32, len(heads))
	copy(next, starts)
	for row, g := range group {
		if g >= 0 {
			all[next[g]] = int32(row)
			next[g]++
		}
	}
	t.usual = int(math.Ceil(squares / float64(max(1, len(all)))))
	t.Images = [][]byte{memoryOf(slots), memoryOf(starts), memoryOf(all)}
	for k := range keys {
		t.Images = append(t.Images, keyImage(&keys[k], heads))
	}
	return t, nil
}

// room is how many results a task of some rows gets room for.
func (t *Table) room(rows int) int {
	each := max(1, t.most)
	if each > matchesSure {
		each = min(each, max(matchesSure, min(2*t.usual, matchesMax)))
	}
	return min(rows*each, math.MaxInt32)
}

// groupRows finds the rows of a table with equal keys: slots hold the number of a group and
// one more, group is that of each row, -1 of those with a NULL, and heads are the groups' first
// rows.
func groupRows(keys []stream.Column, n, size int) (slots, group, heads []int32) {
	slots, group = make([]int32, size), make([]int32, n)
	hash := make([]uint64, n)
	for k := range keys {
		mixColumn(hash, &keys[k])
	}
next:
	for row := range n {
		group[row] = -1
		for k := range keys {
			if keys[k].IsNull(row) {
				continue next
			}
		}
		at := int(hash[row] & uint64(size-1))
		for slots[at] != 0 && !sameKeys(keys, int(heads[slots[at]-1]), row) {
			at = (at + 1) & (size - 1)
		}
		if slots[at] == 0 {
			heads = append(heads, int32(row))
			slots[at] = int32(len(heads))
		}
		group[row] = slots[at] - 1
	}
	return slots, group, heads
}

// mix and keyBits are the dialect's mix, KEY_F32 and KEY_F64.
func mix(h uint64, v int64) uint64 {
	h = (h ^ uint64(v)) * 0xff51afd7ed558ccd
	return h ^ h>>33
}

func keyBits32(v float32) int64 {
	switch {
	case v == 0:
		return 0
	case v != v:
		return 1 << 40
	}
	return int64(int32(math.Float32bits(v)))
}

func keyBits64(v float64) int64 {
	switch {
	case v == 0:
		return 0
	case v != v:
		return -1
	}
	return int64(math.Float64bits(v))
}

// mixColumn mixes a key into the hash of every row; that of a NULL is of no use.
func mixColumn(hash []uint64, c *stream.Column) {
	switch ctype(c.Type) {
	case "f32":
		for i := range hash {
			hash[i] = mix(hash[i], keyBits32(c.F32[i]))
		}
	case "f64":
		for i := range hash {
			hash[i] = mix(hash[i], keyBits64(c.F64[i]))
		}
	case "i64":
		for i := range hash {
			hash[i] = mix(hash[i], c.I64[i])
		}
	default:
		for i := range hash {
			hash[i] = mix(hash[i], int64(smallAt(c, i)))
		}
	}
}

// smallAt is a value of a type that a device computes with in 32 bits.
func smallAt(c *stream.Column, row int) int32 {
	switch {
	case c.Type != stream.Boolean:
		return c.I32[row]
	case c.Bits.Get(row):
		return 1
	}
	return 0
}

// sameKeys compares two rows without NULLs: NaN equals NaN, -0 equals 0.
func sameKeys(keys []stream.Column, a, b int) bool {
	for k := range keys {
		same := false
		switch c := &keys[k]; ctype(c.Type) {
		case "f32":
			x, y := c.F32[a], c.F32[b]
			same = x == y || x != x && y != y
		case "f64":
			x, y := c.F64[a], c.F64[b]
			same = x == y || x != x && y != y
		case "i64":
			same = c.I64[a] == c.I64[b]
		default:
			same = smallAt(c, a) == smallAt(c, b)
		}
		if !same {
			return false
		}
	}
	return true
}

// keyImage is a key of some rows as it lies in a device's memory.
func keyImage(c *stream.Column, rows []int32) []byte {
	switch memoryType(c.Type) {
	case "u8":
		return memoryOf(pick(rows, func(r int) uint8 { return uint8(smallAt(c, r)) }))
	case "i32":
		return memoryOf(pick(rows, func(r int) int32 { return c.I32[r] }))
	case "f32":
		return memoryOf(pick(rows, func(r int) float32 { return c.F32[r] }))
	case "f64":
		return memoryOf(pick(rows, func(r int) float64 { return c.F64[r] }))
	case "i64":
		return memoryOf(pick(rows, func(r int) int64 { return c.I64[r] }))
	}
	panic(fmt.Sprintf("a key of type %s", c.Type))
}

func pick[T any](rows []int32, value func(row int) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = value(int(r))
	}
	return out
}

// memoryOf is the memory of values, which devices read in the host's order.
func memoryOf[T any](v []T) []byte {
	var t T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(t)))
}
