package reference

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// endOf is FIRST_VALUE or LAST_VALUE.
type endOf struct {
	kept stream.Value
	last bool
}

func (e *endOf) add(v, _ stream.Value) {
	if e.kept.Null || e.last {
		e.kept = v
	}
}

func (e *endOf) result() (stream.Value, bool) { return e.kept, true }

// moment is a variance or its root: of whole numbers and floats alike from the exact
// sums of the values and of their squares. It is NaN where a plain sum of the squares is
// not finite.
type moment struct {
	f            model.AggFunc
	n            int64
	sum, squares *big.Float
	plain        float64
}

// momentBits is more than the square of sums has, and their count.
const momentBits = 2*sumBits + 128

func exactly() *big.Float { return new(big.Float).SetPrec(momentBits) }

func (m *moment) add(v, _ stream.Value) {
	if m.n++; m.n == 1 {
		m.sum, m.squares = exactly(), exactly()
	}
	x := exactly().SetInt64(v.I)
	if v.Type.IsFloat() {
		m.plain += v.F * v.F
		if !isFinite(m.plain) {
			return
		}
		x.SetFloat64(v.F)
	}
	m.sum.Add(m.sum, x)
	m.squares.Add(m.squares, x.Mul(x, x))
}

func (m *moment) result() (stream.Value, bool) {
	sample := m.f == model.VarSamp || m.f == model.StddevSamp
	switch {
	case m.n == 0 || m.n == 1 && sample:
		return stream.NullOf(stream.Double), true
	case !isFinite(m.plain):
		return stream.Dbl(math.NaN()), true
	}
	n := exactly().SetInt64(m.n)
	left, right := exactly().Mul(n, m.squares), exactly().Mul(m.sum, m.sum)
	above, _ := left.Sub(left, right).Float64()
	if sample {
		n.Mul(n, exactly().SetInt64(m.n-1))
	} else {
		n.Mul(n, n)
	}
	below, _ := n.Float64()
	v := above / below
	if m.f == model.StddevPop || m.f == model.StddevSamp {
		v = math.Sqrt(v)
	}
	return stream.Dbl(v), true
}

// sketch is HyperLogLog with 4,096 registers and Ertl's estimate, by its formulas rather
// than by the loops that compute them without a power.
type sketch struct{ registers [4096]int }

func (s *sketch) add(v, _ stream.Value) {
	bytes := v.S
	if v.Type.Storage() != stream.Varchar {
		word := uint64(v.I)
		if v.Type.IsFloat() {
			word = math.Float64bits(v.F + 0)
			if math.IsNaN(v.F) {
				word = math.Float64bits(math.NaN())
			}
		}
		bytes = string(binary.LittleEndian.AppendUint64(nil, word))
	}
	h := xxh64(bytes)
	zeros := min(bits.LeadingZeros64(h<<12), 52)
	s.registers[h>>52] = max(s.registers[h>>52], zeros+1)
}

func (s *sketch) result() (stream.Value, bool) {
	const m = 4096.0
	counts := map[int]float64{}
	for _, v := range s.registers {
		counts[v]++
	}
	if counts[0] == m {
		return stream.Big(0), true
	}
	z := 0.0
	for k := 52; k >= 1; k-- {
		z += counts[k] * math.Pow(2, -float64(k))
	}
	empty := counts[0] / m
	sigma := empty
	for k := 1.0; k < 64; k++ {
		sigma += math.Pow(empty, math.Pow(2, k)) * math.Pow(2, k-1)
	}
	full := 1 - counts[53]/m
	tau := 1 - full
	for k := 1.0; k < 64; k++ {
		tau -= math.Pow(1-math.Pow(full, math.Pow(2, -k)), 2) * math.Pow(2, -k)
	}
	z += m*sigma + m*tau/3*math.Pow(2, -52)
	return stream.Big(int64(math.Round(m * m / (2 * math.Ln2) / z))), true
}
