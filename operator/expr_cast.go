package operator

import (
	"fmt"
	"math"
	"strconv"

	vec "github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var castFunctions = map[string]prepare{
	"cast":     prepareCast(false),
	"try_cast": prepareCast(true),
}

// caster is a prepared conversion. With try, what cannot be converted is NULL instead
// of a failure.
type caster struct {
	try bool
	to  stream.Type
}

func prepareCast(try bool) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		if len(e.Args) != 1 {
			return fmt.Errorf("%d arguments, it needs 1", len(e.Args))
		}
		from := e.Args[0].Type
		if from.IsNested() && e.Type.IsNested() && from != e.Type {
			return prepareNestedCast(e, in, try)
		}
		in.run = castKernel(from, e.Type)
		if in.run == nil {
			return fmt.Errorf("no conversion from %s to %s", from, e.Type)
		}
		in.data = caster{try, e.Type}
		return nil
	}
}

func castKernel(from, to stream.Type) kernel {
	switch {
	case from == to:
		return byTypeOrBits(from, copyFixed[int32], copyFixed[int64], copyFixed[float32], copyFixed[float64])
	case from.IsNested() && to == stream.Varchar:
		return nestedToText
	case to.IsNested():
		return textToNested
	case from.IsDecimal() || to.IsDecimal():
		return decimalCast(from, to)
	case from == stream.Bytes:
		return castTexts(textOfBytes)
	case to == stream.Bytes || from == stream.JSON:
		return copyTexts
	case to == stream.JSON:
		return castTexts(stream.AppendCompactJSON)
	case to == stream.Varchar:
		return textOf[from]
	case from == stream.Varchar:
		return ofText[to]
	case from.IsTime():
		return timeCasts[castPair{from, to}]
	case from.IsSmall() && to.Storage() == stream.Integer:
		return castRanged(copyFixed[int32], to)
	case to.IsSmall():
		return castRanged(castKernel(from, stream.Integer), to)
	}
	return numberCasts[castPair{from.Storage(), to}]
}

// castRanged is ranged for a conversion.
func castRanged(run kernel, t stream.Type) kernel {
	low, high, _ := t.Range()
	if run == nil || t == stream.Integer {
		return run
	}
	return func(s *ProgramScratch, in *instr) {
		run(s, in)
		out := s.result(in)
		for i, x := range out.I32[:s.n] {
			if x < int32(low) || x > int32(high) {
				s.failCast(out, in, i, function.ErrOverflow)
			}
		}
	}
}

// byTypeOrBits is byType with copies of BOOLEAN and VARCHAR.
func byTypeOrBits(t stream.Type, i32, i64, f32, f64 kernel) kernel {
	switch t.Storage() {
	case stream.Boolean:
		return copyBits
	case stream.Varchar:
		return copyTexts
	}
	return byType(t, i32, i64, f32, f64)
}

func copyBits(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Bits = resize(out.Bits, s.words)
	copy(out.Bits, s.arg(in, 0).Bits)
}

func copyTexts(s *ProgramScratch, in *instr) {
	s.mapTexts(in, func(dst, text []byte) []byte { return append(dst, text...) })
}

// castPair is the types of a conversion, from and to.
type castPair = [2]stream.Type

var numberCasts = map[castPair]kernel{
	{stream.Integer, stream.BigInt}: widen[int32, int64],
	{stream.Integer, stream.Real}:   widen[int32, float32],
	{stream.Integer, stream.Double}: widen[int32, float64],
	{stream.BigInt, stream.Real}:    widen[int64, float32],
	{stream.BigInt, stream.Double}:  widen[int64, float64],
	{stream.Real, stream.Double}:    widen[float32, float64],

	{stream.BigInt, stream.Integer}: narrowIntegers,
	{stream.Double, stream.Real}:    narrowDoubles,
	{stream.Real, stream.Integer}:   truncate[float32, int32](math.MinInt32, 1<<31),
	{stream.Real, stream.BigInt}:    truncate[float32, int64](math.MinInt64, 1<<63),
	{stream.Double, stream.Integer}: truncate[float64, int32](math.MinInt32, 1<<31),
	{stream.Double, stream.BigInt}:  truncate[float64, int64](math.MinInt64, 1<<63),

	{stream.Boolean, stream.Integer}: integersOfBits[int32],
	{stream.Boolean, stream.BigInt}:  integersOfBits[int64],
	{stream.Integer, stream.Boolean}: bitsOfIntegers[int32],
	{stream.BigInt, stream.Boolean}:  bitsOfIntegers[int64],
}

// widen converts where every value has an image (integers to floats round).
func widen[F, T fixed](s *ProgramScratch, in *instr) {
	_, o, a := oneOf[T, F](s, in)
	for i := range o {
		o[i] = T(a[i])
	}
}

func narrowIntegers(s *ProgramScratch, in *instr) {
	out, o, a := oneOf[int32, int64](s, in)
	for i, x := range a {
		if o[i] = int32(x); int64(o[i]) != x {
			s.failCast(out, in, i, function.ErrOverflow)
		}
	}
}

func narrowDoubles(s *ProgramScratch, in *instr) {
	out, o, a := oneOf[float32, float64](s, in)
	for i, x := range a {
		o[i] = float32(x)
		if math.IsInf(float64(o[i]), 0) && !math.IsInf(x, 0) {
			s.failCast(out, in, i, function.ErrOverflow)
		}
	}
}

// truncate cuts fractions off numbers that then are in [low, high).
func truncate[F float, T integer](low, high float64) kernel {
	return func(s *ProgramScratch, in *instr) {
		out, o, a := oneOf[T, F](s, in)
		for i, x := range a {
			if t := math.Trunc(float64(x)); t >= low && t < high {
				o[i] = T(t)
			} else {
				o[i] = 0
				s.failCast(out, in, i, function.ErrOverflow)
			}
		}
	}
}

func integersOfBits[T integer](s *ProgramScratch, in *instr) {
	out := s.strict(in)
	p := values[T](&out.Column)
	*p = resize(*p, s.n)
	bits := s.arg(in, 0).Bits
	for i := range *p {
		(*p)[i] = T(bits[i>>6] >> (uint(i) & 63) & 1)
	}
}

func bitsOfIntegers[T integer](s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Bits = resize(out.Bits, s.words)
	vec.Compare(out.Bits, (*values[T](&s.arg(in, 0).Column))[:s.n], vec.NotEqual, 0)
}

// failCast makes row i fail, or NULL for TRY_CAST.
func (s *ProgramScratch) failCast(out *vector, in *instr, i int, reason string) {
	if !in.data.(caster).try {
		s.failOwn(out, i, reason)
		return
	}
	s.makeNull(out, i)
}

// makeNull makes row i of a strict result NULL.
func (s *ProgramScratch) makeNull(out *vector, i int) {
	own := s.ownValid(out)
	switch {
	case out.Valid == nil:
		own.SetFirst(s.n)
	case len(own) > 0 && &own[0] != &out.Valid[0]: // still an argument's
		copy(own, out.Valid)
	}
	out.Valid = own
	own.Clear(i)
}

// textOf has the conversions to VARCHAR.
var textOf = map[stream.Type]kernel{
	stream.Boolean: writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
		return strconv.AppendBool(dst, c.Bits.Get(i))
	}),
	stream.TinyInt:  writeTexts(appendInteger),
	stream.SmallInt: writeTexts(appendInteger),
	stream.Integer:  writeTexts(appendInteger),
	stream.BigInt: writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
		return strconv.AppendInt(dst, c.I64[i], 10)
	}),
	stream.Real: writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
		return stream.AppendDouble(dst, float64(c.F32[i]), 32)
	}),
	stream.Double: writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
		return stream.AppendDouble(dst, c.F64[i], 64)
	}),
	stream.Date: writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
		return stream.AppendDate(dst, int64(c.I32[i]))
	}),
	stream.TimeOfDay: writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
		return stream.AppendTime(dst, c.I64[i])
	}),
	stream.Timestamp: writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
		return stream.AppendTimestamp(dst, c.I64[i])
	}),
	stream.Interval: writeTexts(func(dst []byte, c *stream.Column, i int) []byte {
		return stream.AppendInterval(dst, c.I64[i])
	}),
}

func appendInteger(dst []byte, c *stream.Column, i int) []byte {
	return strconv.AppendInt(dst, int64(c.I32[i]), 10)
}

func writeTexts(format func(dst []byte, c *stream.Column, i int) []byte) kernel {
	return func(s *ProgramScratch, in *instr) {
		out, a := s.strict(in), &s.arg(in, 0).Column
		w := s.writeText(out)
		for i := range s.n {
			w.bytes = format(w.bytes, a, i)
			w.end(s, out, i)
		}
		w.finish(out)
	}
}
