package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"
	"github.com/parquet-go/parquet-go/encoding/bytestreamsplit"
	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/plain"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// values are those of a page or of a dictionary, NULLs left out, as the stream's column
// has them. Only the slice of its type is used.
type values struct {
	count int
	bits  []byte // BOOLEAN, least significant first
	i32   []int32
	i64   []int64
	f32   []float32
	f64   []float64
	off   []uint32 // VARCHAR: count+1 offsets
	text  []byte
	spare []byte             // room for texts made of others
	int96 []deprecated.Int96 // before conversion
	bad   []int32            // values that are none of the type, ascending
}

// decode fills v with the encoded values of a page or dictionary.
func (v *values) decode(f form, b body) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the values of a page cannot be read: %v", errDamaged, p)
		}
	}()
	v.count, v.bad = b.count, v.bad[:0]
	if err := b.check(); err != nil {
		return err
	}
	have, err := v.physical(f, b)
	if err != nil {
		return fmt.Errorf("%w: the values of a page cannot be read: %w", errDamaged, err)
	}
	if have < b.count {
		return fmt.Errorf("%w: a page has %d values instead of %d", errDamaged, have, b.count)
	}
	v.convert(f)
	return nil
}

// physical decodes the values as the file has them and tells how many there are.
func (v *values) physical(f form, b body) (have int, err error) {
	e := lookup(b.encoding)
	switch f.physical {
	case format.Boolean:
		v.bits, err = e.DecodeBoolean(v.bits, b.values)
		return 8 * len(v.bits), err
	case format.Int32:
		v.i32, err = e.DecodeInt32(sized(v.i32, b.count), b.values)
		return len(v.i32), err
	case format.Int64:
		v.i64, err = e.DecodeInt64(sized(v.i64, b.count), b.values)
		return len(v.i64), err
	case format.Int96:
		v.int96, err = e.DecodeInt96(v.int96, b.values)
		return len(v.int96), err
	case format.Float:
		v.f32, err = e.DecodeFloat(sized(v.f32, b.count), b.values)
		return len(v.f32), err
	case format.Double:
		v.f64, err = e.DecodeDouble(sized(v.f64, b.count), b.values)
		return len(v.f64), err
	}
	if f.physical == format.FixedLenByteArray {
		v.text, err = e.DecodeFixedLenByteArray(v.text, b.values, f.length)
		have = len(v.text) / f.length
		v.off = grow(v.off, have+1)
		for i := range v.off {
			v.off[i] = uint32(i * f.length)
		}
		return have, err
	}
	v.text, v.off, err = byteArrays(e, v.text, b.values, v.off)
	return len(v.off) - 1, err
}

// sized keeps encodings from growing a buffer step by step.
func sized[T any](s []T, n int) []T { return grow(s, n)[:0] }

// byteArrays decodes text; the plain encoding, which most files have, here, since it
// must not read beyond a damaged page.
func byteArrays(e encoding.Encoding, dst, src []byte, off []uint32) ([]byte, []uint32, error) {
	if e.Encoding() != format.Plain {
		text, offsets, err := e.DecodeByteArray(dst, src, off)
		return text, offsets, err
	}
	dst, off = dst[:0], append(off[:0], 0)
	for len(src) >= 4 {
		n := int(binary.LittleEndian.Uint32(src))
		if n > len(src)-4 {
			return dst, off, fmt.Errorf("a text of %d bytes is longer than its page", n)
		}
		dst = append(dst, src[4:4+n]...)
		off = append(off, uint32(len(dst)))
		src = src[4+n:]
	}
	return dst, off, nil
}

// convert turns the file's values into the stream's and notes those that are none.
func (v *values) convert(f form) {
	switch {
	case f.target.IsDecimal():
		v.decimals(f)
	case f.target == stream.Varchar:
		v.checkText()
	case f.target == stream.JSON:
		v.compactJSON()
	case f.physical == format.Int96:
		v.i64 = grow(v.i64, v.count)
		for i := range v.i64 {
			v.i64[i] = v.keep(i)(int96Micros(v.int96[i]))
		}
	case f.physical == format.Float && f.target == stream.Double:
		v.f64 = grow(v.f64, v.count)
		for i := range v.f64 {
			v.f64[i] = float64(v.f32[i])
		}
	case f.physical == format.Int32 && f.target == stream.Double:
		v.f64 = grow(v.f64, v.count)
		for i, x := range v.i32[:v.count] {
			v.f64[i] = float64(f.wide(x))
		}
	case f.physical == format.Int32 && f.target.Storage() == stream.Integer:
		checkRange(v, v.i32, f.target)
	case f.physical == format.Int32:
		v.i64 = grow(v.i64, v.count)
		for i, x := range v.i32[:v.count] {
			v.i64[i] = v.keep(i)(f.micros(f.wide(x)))
		}
		checkRange(v, v.i64, f.target)
	case f.physical == format.Int64 && f.unsigned:
		for i, x := range v.i64[:v.count] {
			if x < 0 {
				v.bad = append(v.bad, int32(i))
			}
		}
	case f.physical == format.Int64 && !f.same():
		for i, x := range v.i64[:v.count] {
			v.i64[i] = v.keep(i)(f.micros(x))
		}
		checkRange(v, v.i64, f.target)
	case f.target.Storage() == stream.BigInt:
		checkRange(v, v.i64, f.target)
	}
}

// decimals turns unscaled values of the file's scale into those of the stream's.
func (v *values) decimals(f form) {
	if f.physical == format.Int64 && f.target.Storage() == stream.BigInt && f.scale == f.target.Scale() {
		checkRange(v, v.i64, f.target)
		return
	}
	short, spare := f.target.Storage() == stream.BigInt, v.spare[:0]
	if short && f.physical != format.Int64 {
		v.i64 = grow(v.i64, v.count)
	}
	for i := range v.count {
		x, fits := v.unscaled(f, i)
		x, ok := decimal.Rescale(x, f.scale, f.target.Scale())
		if !fits || !ok || !x.Fits(f.target.Precision()) {
			v.bad, x = append(v.bad, int32(i)), decimal.Int{}
		}
		if short {
			v.i64[i] = int64(x.Lo)
		} else {
			spare = x.AppendBytes(spare)
		}
	}
	if short {
		return
	}
	v.text, v.spare, v.off = spare, v.text, grow(v.off, v.count+1)
	for i := range v.off {
		v.off[i] = uint32(i * decimal.Size)
	}
}

// unscaled is number i as the file has it; false: it has more than 128 bits.
func (v *values) unscaled(f form, i int) (decimal.Int, bool) {
	switch f.physical {
	case format.Int32:
		return decimal.Of(int64(v.i32[i])), true
	case format.Int64:
		return decimal.Of(v.i64[i]), true
	}
	return decimal.FromBigEndian(v.text[v.off[i]:v.off[i+1]])
}

// checkRange notes what is beyond a type that has fewer values than its storage.
func checkRange[T int32 | int64](v *values, all []T, t stream.Type) {
	low, high, _ := t.Range()
	if _, whole, _ := t.Storage().Range(); high == whole {
		return
	}
	for i, x := range all[:v.count] {
		if (int64(x) < low || int64(x) > high) && !slices.Contains(v.bad, int32(i)) {
			v.bad = append(v.bad, int32(i))
		}
	}
	slices.Sort(v.bad)
}

// keep notes value i if it is out of range.
func (v *values) keep(i int) func(int64, bool) int64 {
	return func(x int64, ok bool) int64 {
		if !ok {
			v.bad = append(v.bad, int32(i))
		}
		return x
	}
}

func (f form) wide(x int32) int64 {
	if f.unsigned {
		return int64(uint32(x))
	}
	return int64(x)
}

// checkText notes what is not UTF-8.
func (v *values) checkText() {
	if utf8.Valid(v.text[:v.off[v.count]]) && v.ascii() {
		return
	}
	for i := range v.count {
		if !utf8.Valid(v.text[v.off[i]:v.off[i+1]]) {
			v.bad = append(v.bad, int32(i))
		}
	}
}

// compactJSON notes what is no JSON, and leaves out the blanks of the rest.
func (v *values) compactJSON() {
	out := v.spare[:0]
	from := v.off[0]
	for i := range v.count {
		text := v.text[from:v.off[i+1]]
		from = v.off[i+1]
		var ok bool
		if out, ok = stream.AppendCompactJSON(out, text); !ok {
			v.bad = append(v.bad, int32(i))
		}
		v.off[i+1] = uint32(len(out))
	}
	v.off[0] = 0
	v.text, v.spare = out, v.text
}

// ascii: no character of several bytes could be cut by an offset.
func (v *values) ascii() bool {
	for _, b := range v.text[:v.off[v.count]] {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// int96Micros reads the old form of a timestamp: nanoseconds of a day, Julian day.
func int96Micros(v deprecated.Int96) (int64, bool) {
	nanos := int64(uint64(v[0]) | uint64(v[1])<<32)
	days := int64(v[2]) - julianUnixEpoch
	if days > math.MaxInt64/stream.MicrosPerDay/2 || days < math.MinInt64/stream.MicrosPerDay/2 {
		return 0, false
	}
	return days*stream.MicrosPerDay + nanos/nanosPerMicro, true
}

// reason is what an error row says of a value that is none of the column's type.
func (f form) reason(name string) string {
	if f.target == stream.Varchar {
		return fmt.Sprintf("column %q: invalid UTF-8", name)
	}
	if f.target == stream.JSON {
		return fmt.Sprintf("column %q: no JSON", name)
	}
	return fmt.Sprintf("column %q: a value is out of the range of %s", name, f.target)
}

// lookup finds an encoding of values.
func lookup(e format.Encoding) encoding.Encoding {
	switch e {
	case format.Plain:
		return &plain.Encoding{}
	case format.RLE:
		return &rle.Encoding{BitWidth: 1}
	case format.DeltaBinaryPacked:
		return &delta.BinaryPackedEncoding{}
	case format.DeltaLengthByteArray:
		return &delta.LengthByteArrayEncoding{}
	case format.DeltaByteArray:
		return &delta.ByteArrayEncoding{}
	case format.ByteStreamSplit:
		return &bytestreamsplit.Encoding{}
	}
	return encoding.NotSupported{}
}
