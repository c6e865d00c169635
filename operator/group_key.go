package operator

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"

	"github.com/millrace/millrace/stream"
)

// keyForm is how a key is kept for comparing. Equal keys have equal forms: -0 is
// written as 0 and every NaN as one.
type keyForm uint8

const (
	noKey    keyForm = iota // no key columns: one group
	oneWord                 // values and null marks packed in 64 bits
	twoWords                // .. in 128 bits
	byteKey                 // text, or wider: values one behind the other
)

// keyPlace is where a fixed-width key column lies in the words.
type keyPlace struct{ word, shift, nullWord, nullShift uint8 }

// keyLayout is the form of keys of certain types.
type keyLayout struct {
	types  []stream.Type
	form   keyForm
	places []keyPlace
}

func newKeyLayout(types []stream.Type) keyLayout {
	l := keyLayout{types: types, form: oneWord, places: make([]keyPlace, len(types))}
	if len(types) == 0 {
		l.form = noKey
	}
	var used [2]uint8
	put := func(width uint8) (word, shift uint8, ok bool) {
		for w := range used {
			if used[w]+width <= 64 {
				used[w] += width
				return uint8(w), used[w] - width, true
			}
		}
		return 0, 0, false
	}
	for i, t := range types {
		p, okValue, okNull := &l.places[i], false, false
		p.word, p.shift, okValue = put(keyBits(t))
		p.nullWord, p.nullShift, okNull = put(1)
		if t == stream.Varchar || !okValue || !okNull {
			l.form = byteKey
			return l
		}
	}
	if used[1] > 0 {
		l.form = twoWords
	}
	return l
}

func keyBits(t stream.Type) uint8 {
	switch t {
	case stream.Boolean:
		return 1
	case stream.Integer, stream.Real:
		return 32
	default:
		return 64
	}
}

// keyCode is one key in its form. word is the key itself (oneWord) or its hash.
type keyCode struct {
	word  uint64
	pair  [2]uint64
	bytes []byte
}

// keyCoder codes the keys of a chunk. Its buffers are reused.
type keyCoder struct {
	word []uint64
	pair [][2]uint64
	buf  []byte
	off  []int32 // byteKey: row i is buf[off[i]:off[i+1]]
	// fresh are the rows whose keys an index found to be new.
	fresh []int32
}

func (k *keyCoder) at(l *keyLayout, i int) keyCode {
	c := keyCode{word: k.word[i]}
	switch l.form {
	case twoWords:
		c.pair = k.pair[i]
	case byteKey:
		c.bytes = k.buf[k.off[i]:k.off[i+1]]
	}
	return c
}

// code codes the first n rows of the key columns.
func (k *keyCoder) code(l *keyLayout, cols []stream.Column, n int) {
	k.word = resizeRaw(k.word, n)
	switch l.form {
	case oneWord:
		clear(k.word)
		for j := range l.places {
			packOne(k.word, &cols[j], l.places[j])
		}
	case twoWords:
		k.pair = resizeRaw(k.pair, n)
		clear(k.pair)
		for j := range l.places {
			packTwo(k.pair, &cols[j], l.places[j])
		}
		for i := range k.pair {
			k.word[i] = hashPair(k.pair[i])
		}
	case byteKey:
		k.codeBytes(l, cols, n)
	}
}

func packOne(out []uint64, c *stream.Column, p keyPlace) {
	shift := p.shift & 63
	switch c.Type {
	case stream.Integer:
		if c.Valid == nil {
			v := c.I32[:len(out)]
			for i := range out {
				out[i] |= uint64(uint32(v[i])) << shift
			}
			return
		}
	}
	for i := range out {
		if c.IsNull(i) {
			out[i] |= 1 << (p.nullShift & 63)
		} else {
			out[i] |= keyWord(c, i) << shift
		}
	}
}

func packTwo(out [][2]uint64, c *stream.Column, p keyPlace) {
	w, shift := p.word&1, p.shift&63
	if c.Valid == nil {
		switch c.Type {
		case stream.Integer:
			v := c.I32[:len(out)]
			for i := range out {
				out[i][w] |= uint64(uint32(v[i])) << shift
			}
			return
		case stream.BigInt, stream.Timestamp, stream.Interval:
			v := c.I64[:len(out)]
			for i := range out {
				out[i][w] = uint64(v[i])
			}
			return
		}
	}
	for i := range out {
		if c.IsNull(i) {
			out[i][p.nullWord&1] |= 1 << (p.nullShift & 63)
		} else {
			out[i][w] |= keyWord(c, i) << shift
		}
	}
}

// keyWord returns value i of a fixed-width column as bits that are equal for equal
// values.
func keyWord(c *stream.Column, i int) uint64 {
	switch c.Type {
	case stream.Boolean:
		return c.Bits[i>>6] >> (uint(i) & 63) & 1
	case stream.Integer:
		return uint64(uint32(c.I32[i]))
	case stream.Real:
		switch v := c.F32[i]; {
		case v == 0:
			return 0
		case v != v:
			return uint64(math.Float32bits(float32(math.NaN())))
		default:
			return uint64(math.Float32bits(v))
		}
	case stream.Double:
		switch v := c.F64[i]; {
		case v == 0:
			return 0
		case v != v:
			return math.Float64bits(math.NaN())
		default:
			return math.Float64bits(v)
		}
	default:
		return uint64(c.I64[i])
	}
}

func hashPair(p [2]uint64) uint64 {
	hi, lo := bits.Mul64(p[0]^0x9E3779B97F4A7C15, p[1]^0xD1B54A32D192ED03)
	return hi ^ lo ^ p[0]*0xC2B2AE3D27D4EB4F
}

var keySeed = maphash.MakeSeed()

func (k *keyCoder) codeBytes(l *keyLayout, cols []stream.Column, n int) {
	k.buf, k.off = k.buf[:0], append(k.off[:0], 0)
	for i := 0; i < n; i++ {
		from := len(k.buf)
		for j, t := range l.types {
			c := &cols[j]
			switch {
			case c.IsNull(i):
				k.buf = append(k.buf, 1)
			case t == stream.Varchar:
				text := c.Text(i)
				k.buf = append(k.buf, 0)
				k.buf = binary.LittleEndian.AppendUint32(k.buf, uint32(len(text)))
				k.buf = append(k.buf, text...)
			default:
				k.buf = binary.LittleEndian.AppendUint64(append(k.buf, 0), keyWord(c, i))
			}
		}
		k.off = append(k.off, int32(len(k.buf)))
		k.word[i] = maphash.Bytes(keySeed, k.buf[from:])
	}
}

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
		if t != stream.Varchar {
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
	switch c.Type {
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
		if t != stream.Varchar {
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

// tidy moves the bytes of live keys together when most are garbage.
func (k *keySet) tidy(live []int32) {
	if k.garbage < arenaSlackBytes || 2*k.garbage < len(k.arena) {
		return
	}
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
	if k.layout.types[j] != stream.Varchar {
		return k.cols[j].Value(int(id))
	}
	r := k.text[j][id]
	if r.from < 0 {
		return stream.NullOf(stream.Varchar)
	}
	return stream.Text(string(k.bytes(id)[r.from:r.to]))
}

// gather writes key column j of the ids to dst from row at on.
func (k *keySet) gather(dst *stream.Column, j, at int, ids []int32) {
	if k.layout.types[j] != stream.Varchar {
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
	switch src.Type {
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
	switch src.Type {
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
