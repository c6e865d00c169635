package operator

import (
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
		if t.Storage() == stream.Varchar || !okValue || !okNull {
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
	switch t.Storage() {
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
	switch c.Type.Storage() {
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
		switch c.Type.Storage() {
		case stream.Integer:
			v := c.I32[:len(out)]
			for i := range out {
				out[i][w] |= uint64(uint32(v[i])) << shift
			}
			return
		case stream.BigInt:
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
	switch c.Type.Storage() {
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
			case t.Storage() == stream.Varchar:
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
