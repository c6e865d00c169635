package optest

import (
	"fmt"
	"math"
	"strings"

	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// Values that break things.
var (
	integers = []int64{0, 1, -1, 2, 3, 7, 10, -10, 100, math.MaxInt32, math.MinInt32, math.MaxInt32 - 1, 1 << 16}
	bigs     = []int64{math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, math.MaxInt32 + 1, math.MinInt32 - 1, 1 << 53, 1<<53 + 1, 3037000500}
	doubles  = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 3, 10, 1e300, -1e300, 5e-324, 1e-310,
		math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.MaxFloat32, math.SmallestNonzeroFloat32,
		1 << 31, -(1 << 31), 1<<31 - 0.5, 1 << 63, -(1 << 63), 2147483647.9, 9007199254740993}
	texts = []string{"", "a", "b", "ab", "aab", "ABC", "abcabc", " a ", "  ", "é", "éa世", "世界", "%", "_", `\`, `a\`, "a%b", "#_",
		"1", "-7", "+12", " 42 ", "2147483648", "9223372036854775808", "-9223372036854775808", "1.5", "-0", "1e400", "nan", "-Infinity", "0x10", "1_0",
		"true", "F", "yes", "NO", "2026-01-02", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05.123456", "0001-01-01", "9999-12-31", "2023-02-29", "23:59:59.999999", " 03:04 ", "24:00:00", "03:04:05.1234567", "1 02:03:04.5", "-00:00:01", "hour", "Month",
		"ǅ", "İ", "ß", strings.Repeat("x", 70), strings.Repeat("é", 40)}
	blobs = []string{"", "\x00", "\x00\x00", "a", "\xff", "\x80abc", "é", "\xc3", "\xd8\x3d\xde\x00", "\x3d\xd8\x00\xde", "\xd8\x00\x00\x41", "abcabcabcabcabc", strings.Repeat("\x7f", 70), strings.Repeat("é", 40) + "\xfe"}
	// The first millennium of time is left out: DATE_TRUNC overflows there, which
	// Expr.MayErr does not count.
	times = []int64{0, 1, -1, 999_999, 1_000_000, 1_767_322_245_123_456, -62_135_596_800_000_000, 86_400_000_000, -86_400_000_001, math.MaxInt64, math.MinInt64 + 1<<55}
)

func pick[T any](g *Gen, from []T) T { return from[g.IntN(len(from))] }

// Value returns a value of type t: often an extreme, else small; nullPercent is the
// chance of NULL.
func (g *Gen) Value(t stream.Type, nullPercent int) stream.Value {
	if g.IntN(100) < nullPercent {
		return stream.NullOf(t)
	}
	small := g.IntN(3) > 0
	if t.IsDecimal() {
		return g.decimal(t, small)
	}
	if t.IsNested() {
		return g.nested(t)
	}
	switch t {
	case stream.TinyInt, stream.SmallInt:
		low, high, _ := t.Range()
		if small {
			return stream.Value{Type: t, I: g.Int64N(21) - 10}
		}
		return stream.Value{Type: t, I: []int64{low, low + 1, -1, 0, 1, 7, high - 1, high}[g.IntN(8)]}
	case stream.Date:
		return stream.Value{Type: t, I: g.days()}
	case stream.TimeOfDay:
		if g.IntN(8) == 0 {
			return stream.Value{Type: t, I: []int64{0, 1, stream.MicrosPerDay - 1, stream.MicrosPerDay / 2, 1_000_000}[g.IntN(5)]}
		}
		return stream.Value{Type: t, I: g.Int64N(stream.MicrosPerDay)}
	case stream.Boolean:
		return stream.Bool(g.IntN(2) == 0)
	case stream.Integer:
		if small {
			return stream.Int(int32(g.IntN(21) - 10))
		}
		return stream.Int(int32(pick(g, integers)))
	case stream.BigInt:
		return stream.Big(g.number(small))
	case stream.Real:
		if small {
			return stream.Float(float32(g.IntN(41)-20) / 4)
		}
		return stream.Float(float32(pick(g, doubles)))
	case stream.Double:
		if small {
			return stream.Dbl(float64(g.IntN(41)-20) / 4)
		}
		return stream.Dbl(pick(g, doubles))
	case stream.Bytes:
		if g.IntN(20) == 0 {
			return stream.Blob(pick(g, blobs) + pick(g, texts))
		}
		return stream.Blob(pick(g, blobs))
	case stream.JSON:
		v := stream.Value{Type: t, S: "0"}
		if s, ok := stream.CompactJSON(pick(g, jsons)); ok {
			v.S = s
		}
		return v
	case stream.Varchar:
		if g.IntN(20) == 0 {
			return stream.Text(pick(g, texts) + pick(g, texts))
		}
		return stream.Text(pick(g, texts))
	case stream.Timestamp:
		if g.IntN(8) > 0 {
			return stream.Time(1_700_000_000_000_000 + g.Int64N(1e14))
		}
		return stream.Time(pick(g, times))
	default:
		if small {
			return stream.Duration(g.Int64N(2e11) - 1e11)
		}
		return stream.Duration(g.number(false))
	}
}

// days is a date: near each other, or an odd one.
func (g *Gen) days() int64 {
	if g.IntN(8) == 0 {
		return []int64{stream.DateMin, stream.DateMax, 0, -1, 1, 59, 11_016, 19_782}[g.IntN(8)]
	}
	return 20_000 + g.Int64N(800)
}

func (g *Gen) number(small bool) int64 {
	switch {
	case small:
		return g.Int64N(21) - 10
	case g.IntN(2) == 0:
		return pick(g, integers)
	default:
		return pick(g, bigs)
	}
}

// Column returns n values of type t. Its validity bitmap is absent without NULLs.
func (g *Gen) Column(t stream.Type, n, nullPercent int) stream.Column {
	var c stream.Column
	c.Reset(t)
	for i := range n {
		c.AppendValue(g.Value(t, nullPercent), i)
	}
	return c
}

// Batch returns n rows of the generator's schema; columns differ in how often they
// are NULL.
func (g *Gen) Batch(n int) *stream.Batch {
	b := stream.NewBatch(g.Schema, nil)
	for i, f := range g.Schema.Fields {
		percent := []int{0, 5, 50}[g.IntN(3)]
		if f.NotNull {
			percent = 0
		}
		b.Cols[i] = g.Column(f.Type, n, percent)
	}
	b.Len = n
	return b
}

// AllTypes is a schema with two columns of every type.
func AllTypes() *stream.Schema {
	s := &stream.Schema{}
	for _, t := range stream.Types {
		name := strings.ToLower(t.String())
		s.Fields = append(s.Fields, stream.Field{Name: name + "1", Type: t}, stream.Field{Name: name + "2", Type: t})
	}
	return s
}

// Same reports whether two values are the same: equal bit by bit, all NaNs alike.
func Same(a, b stream.Value) bool {
	if a.Null || b.Null || a.Type != b.Type {
		return a.Null == b.Null && a.Type == b.Type
	}
	if a.Type.IsFloat() {
		return math.Float64bits(a.F) == math.Float64bits(b.F) || math.IsNaN(a.F) && math.IsNaN(b.F)
	}
	return a.I == b.I && a.S == b.S
}

// decimal is a small number, or one with any digits, or an extreme.
func (g *Gen) decimal(t stream.Type, small bool) stream.Value {
	text := fmt.Sprintf("%d.%03d", g.IntN(41)-20, g.IntN(8)*125)
	if !small {
		p, s := t.Precision(), t.Scale()
		digits := []byte(strings.Repeat("9", p))
		for i := range digits {
			if small = small || g.IntN(3) == 0; small {
				digits[i] = byte('0' + g.IntN(10))
			}
		}
		text = []string{"", "-"}[g.IntN(2)] + string(digits[:p-s]) + "." + string(digits[p-s:])
		if g.IntN(4) == 0 {
			text = fmt.Sprintf("%de-%d", g.IntN(3)-1, s)
		}
	}
	x, fits, ok := stream.ParseDecimal(t, text)
	if !fits || !ok {
		return stream.Value{Type: t, S: stream.DecimalOf(t, decimal.Int{}).S}
	}
	return stream.DecimalOf(t, x)
}
