package operator

import (
	"bytes"
	"encoding/binary"

	"github.com/millrace/millrace/stream"
)

// textRange is where a text lies in the bytes of a key.
type textRange struct{ from, to int32 }

// keySet holds keys by dense id: coded for comparing, and their values in the form of
// output columns (of equal keys those seen first). Ids that were removed are used
// again.
type keySet struct {
	layout *keyLayout
	n      int // ids 0..n-1 exist or are free
	free   []int32
	word   []uint64
	pair   [][2]uint64
	// byteKey: the bytes of id are arena[base:base+size]. Texts are ranges of them.
	arena   []byte
	garbage int // bytes of removed keys
	base    []int
	size    []int32
	cols    []stream.Column
	text    [][]textRange // per key column, only VARCHAR ones
}

func newKeySet(l *keyLayout) *keySet {
	k := &keySet{layout: l, cols: make([]stream.Column, len(l.types)), text: make([][]textRange, len(l.types))}
	k.reset()
	return k
}

func (k *keySet) reset() {
	k.n, k.garbage, k.free, k.arena = 0, 0, k.free[:0], k.arena[:0]
	for j, t := range k.layout.types {
		k.cols[j].Reset(t)
	}
}

func (k *keySet) at(id int32) keyCode {
	c := keyCode{word: k.word[id]}
	switch k.layout.form {
	case twoWords:
		c.pair = k.pair[id]
	case byteKey:
		c.bytes = k.bytes(id)
	}
	return c
}

func (k *keySet) bytes(id int32) []byte { return k.arena[k.base[id] : k.base[id]+int(k.size[id])] }

// same reports whether the key of id, whose word is c's, is c.
func (k *keySet) same(id int32, c *keyCode) bool {
	switch k.layout.form {
	case twoWords:
		return k.pair[id] == c.pair
	case byteKey:
		return bytes.Equal(k.bytes(id), c.bytes)
	default:
		return true
	}
}

// add stores a key whose fixed-width values are in row of cols, and returns its id.
func (k *keySet) add(c *keyCode, cols []stream.Column, row int) int32 {
	id := int32(k.n)
	if n := len(k.free); n > 0 {
		id, k.free = k.free[n-1], k.free[:n-1]
	} else {
		k.n++
		k.word = resizeRaw(k.word, k.n)
	}
	k.word[id] = c.word
	switch k.layout.form {
	case twoWords:
		k.pair = resizeRaw(k.pair, k.n)
		k.pair[id] = c.pair
	case byteKey:
		k.base, k.size = resizeRaw(k.base, k.n), resizeRaw(k.size, k.n)
		k.base[id], k.size[id] = len(k.arena), int32(len(c.bytes))
		k.arena = append(k.arena, c.bytes...)
	}
	for j, t := range k.layout.types {
		if t.Storage() != stream.Varchar {
			k.setValue(j, id, &cols[j], row)
		}
	}
	if k.layout.form == byteKey {
		k.setTexts(id, c.bytes)
	}
	return id
}

// addRows stores the keys of the coder's fresh rows, with the next ids; the pairs of
// two words are stored already.
func (k *keySet) addRows(coder *keyCoder, cols []stream.Column) {
	if len(coder.fresh) == 0 {
		return
	}
	at := k.n
	k.n += len(coder.fresh)
	k.word = resizeRaw(k.word, k.n)
	for i, row := range coder.fresh {
		k.word[at+i] = coder.word[row]
	}
	for j := range k.layout.types {
		gatherColumn(&k.cols[j], &cols[j], at, coder.fresh)
	}
}

func (k *keySet) setValue(j int, id int32, src *stream.Column, row int) {
	c := &k.cols[j]
	room(c, k.n)
	if src.IsNull(row) {
		setNull(c, int(id))
		return
	}
	if c.Valid != nil {
		c.Valid.Set(int(id))
	}
	switch c.Type.Storage() {
	case stream.Boolean:
		c.Bits.Put(int(id), src.Bits.Get(row))
	case stream.Integer:
		c.I32[id] = src.I32[row]
	case stream.Real:
		c.F32[id] = src.F32[row]
	case stream.Double:
		c.F64[id] = src.F64[row]
	default:
		c.I64[id] = src.I64[row]
	}
}

// setTexts finds the texts in the bytes of a key.
func (k *keySet) setTexts(id int32, b []byte) {
	at := int32(0)
	for j, t := range k.layout.types {
		null := b[at] != 0
		at++
		if t.Storage() != stream.Varchar {
			if !null {
				at += 8
			}
			continue
		}
		r := textRange{-1, -1}
		if !null {
			size := int32(binary.LittleEndian.Uint32(b[at:]))
			r = textRange{at + 4, at + 4 + size}
			at = r.to
		}
		k.text[j] = resizeRaw(k.text[j], k.n)
		k.text[j][id] = r
	}
}

// remove frees an id.
func (k *keySet) remove(id int32) {
	k.free = append(k.free, id)
	if k.layout.form == byteKey {
		k.garbage += int(k.size[id])
		k.size[id] = 0
	}
}

// arenaSlackBytes is how much of removed keys an arena may hold beyond its live bytes.
const arenaSlackBytes = 64 << 10

// tidy packs the arena when most of it is garbage.
func (k *keySet) tidy(live []int32) {
	if k.garbage >= arenaSlackBytes && 2*k.garbage >= len(k.arena) {
		k.pack(live)
	}
}

// pack moves the bytes of live keys together.
func (k *keySet) pack(live []int32) {
	out := make([]byte, 0, 2*(len(k.arena)-k.garbage))
	for _, id := range live {
		b := k.bytes(id)
		k.base[id] = len(out)
		out = append(out, b...)
	}
	k.arena, k.garbage = out, 0
}

// value returns key column j of id.
func (k *keySet) value(j int, id int32) stream.Value {
	if k.layout.types[j].Storage() != stream.Varchar {
		return k.cols[j].Value(int(id))
	}
	r := k.text[j][id]
	if r.from < 0 {
		return stream.NullOf(k.layout.types[j])
	}
	return stream.Value{Type: k.layout.types[j], S: string(k.bytes(id)[r.from:r.to])}
}

// gather writes key column j of the ids to dst from row at on.
func (k *keySet) gather(dst *stream.Column, j, at int, ids []int32) {
	if k.layout.types[j].Storage() != stream.Varchar {
		gatherColumn(dst, &k.cols[j], at, ids)
		return
	}
	room(dst, at+len(ids))
	for i, id := range ids {
		k.appendText(dst, j, at+i, id)
	}
}

// gatherColumn writes the values at rows of a fixed-width column to dst from row at on.
func gatherColumn(dst, src *stream.Column, at int, rows []int32) {
	room(dst, at+len(rows))
	switch src.Type.Storage() {
	case stream.Boolean:
		for i, row := range rows {
			dst.Bits.Put(at+i, src.Bits.Get(int(row)))
		}
	case stream.Integer:
		gatherValues(dst.I32[at:], src.I32, rows)
	case stream.Real:
		gatherValues(dst.F32[at:], src.F32, rows)
	case stream.Double:
		gatherValues(dst.F64[at:], src.F64, rows)
	default:
		gatherValues(dst.I64[at:], src.I64, rows)
	}
	if src.Valid != nil {
		for i, row := range rows {
			if !src.Valid.Get(int(row)) {
				setNull(dst, at+i)
			}
		}
	}
}

func gatherValues[T any](dst, src []T, ids []int32) {
	dst = dst[:len(ids)]
	for i, id := range ids {
		dst[i] = src[id]
	}
}

func (k *keySet) appendText(dst *stream.Column, j, at int, id int32) {
	if r := k.text[j][id]; r.from < 0 {
		setNull(dst, at)
	} else {
		dst.Bytes = append(dst.Bytes, k.bytes(id)[r.from:r.to]...)
	}
	dst.Off = append(dst.Off, int32(len(dst.Bytes)))
}

// copyRange writes key column j of ids [from, from+n) to dst from row at on.
func (k *keySet) copyRange(dst *stream.Column, j, at, from, n int) {
	src := &k.cols[j]
	room(dst, at+n)
	switch src.Type.Storage() {
	case stream.Varchar:
		for i := 0; i < n; i++ {
			k.appendText(dst, j, at+i, int32(from+i))
		}
		return
	case stream.Boolean:
		for i := 0; i < n; i++ {
			dst.Bits.Put(at+i, src.Bits.Get(from+i))
		}
	case stream.Integer:
		copy(dst.I32[at:], src.I32[from:from+n])
	case stream.Real:
		copy(dst.F32[at:], src.F32[from:from+n])
	case stream.Double:
		copy(dst.F64[at:], src.F64[from:from+n])
	default:
		copy(dst.I64[at:], src.I64[from:from+n])
	}
	if src.Valid != nil {
		for i := 0; i < n; i++ {
			if !src.Valid.Get(from + i) {
				setNull(dst, at+i)
			}
		}
	}
}
