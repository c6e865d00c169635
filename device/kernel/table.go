package kernel

import (
	"encoding/binary"
	"math"

	"github.com/millrace/millrace/stream"
)

// Table is a lookup's table as it lies on a device.
type Table struct {
	Images [][]byte // of the resident buffers
	slots  int
	most   int // rows of the largest group
}

// NewTable makes the table of n rows, of which keys are the columns that the lookup's right
// keys give. Rows with a NULL among them match nothing and are left out.
func NewTable(keys []stream.Column, n int) *Table {
	t := &Table{slots: 8}
	for t.slots < 2*n {
		t.slots *= 2
	}
	g := groupRows(keys, n, t.slots)
	starts, all := []int32{0}, []int32{}
	for _, rows := range g.rows {
		t.most = max(t.most, len(rows))
		all = append(all, rows...)
		starts = append(starts, int32(len(all)))
	}
	t.Images = [][]byte{bytesOfInts(g.slots), bytesOfInts(starts), bytesOfInts(all)}
	for k := range keys {
		var b []byte
		for _, rows := range g.rows {
			b = appendKey(b, &keys[k], int(rows[0]))
		}
		t.Images = append(t.Images, b)
	}
	return t
}

// groups are the rows of a table by key: slots hold the number of a group and one more.
type groups struct {
	slots []int32
	rows  [][]int32
}

func groupRows(keys []stream.Column, n, slots int) groups {
	g := groups{slots: make([]int32, slots)}
next:
	for row := range n {
		h := uint64(0)
		for k := range keys {
			if keys[k].IsNull(row) {
				continue next
			}
			h = mix(h, hashKey(keys[k].Value(row)))
		}
		at := int(h & uint64(slots-1))
		for g.slots[at] != 0 && !sameKeys(keys, int(g.rows[g.slots[at]-1][0]), row) {
			at = (at + 1) & (slots - 1)
		}
		if g.slots[at] == 0 {
			g.rows = append(g.rows, nil)
			g.slots[at] = int32(len(g.rows))
		}
		of := &g.rows[g.slots[at]-1]
		*of = append(*of, int32(row))
	}
	return g
}

// mix and hashKey are the dialect's mix, KEY_F32 and KEY_F64.
func mix(h uint64, v int64) uint64 {
	h = (h ^ uint64(v)) * 0xff51afd7ed558ccd
	return h ^ h>>33
}

func hashKey(v stream.Value) int64 {
	switch {
	case !v.Type.IsFloat():
		return v.I
	case v.F == 0:
		return 0
	case v.F != v.F && v.Type == stream.Real:
		return 1 << 40
	case v.F != v.F:
		return -1
	case v.Type == stream.Real:
		return int64(int32(math.Float32bits(float32(v.F))))
	}
	return int64(math.Float64bits(v.F))
}

// sameKeys compares two rows without NULLs: NaN equals NaN, -0 equals 0.
func sameKeys(keys []stream.Column, a, b int) bool {
	for k := range keys {
		x, y := keys[k].Value(a), keys[k].Value(b)
		if x.I != y.I || x.F != y.F && (x.F == x.F || y.F == y.F) {
			return false
		}
	}
	return true
}

// appendKey appends a value as it lies in a device's memory.
func appendKey(b []byte, c *stream.Column, row int) []byte {
	v := c.Value(row)
	switch memoryType(c.Type) {
	case "u8":
		return append(b, byte(v.I))
	case "i32":
		return binary.LittleEndian.AppendUint32(b, uint32(v.I))
	case "f32":
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v.F)))
	case "f64":
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.F))
	}
	return binary.LittleEndian.AppendUint64(b, uint64(v.I))
}

func bytesOfInts(values []int32) []byte {
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}
