package operator

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// APPROX_COUNT_DISTINCT is HyperLogLog: a value's XXH64 says which of 4,096 registers it
// belongs to and how many zeros follow, of which the register keeps the most; how many
// registers have seen how many zeros tells how many values there were. The estimate is
// Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches", 2017,
// section 4), which needs no correction for few values or many. Its standard error is
// 1.04 / sqrt(4096), 1.6 %.
//
// Registers are merged by their maximum, in any order with the same outcome.

// sketch has its registers in regs or, as long as they are few, those that are not zero
// in few: register<<8 | value.
type sketch struct {
	regs []uint8
	few  []uint32
}

const sketchFewMax = 32

func (s *sketch) set(register int, v uint8) {
	if s.regs == nil {
		for i, f := range s.few {
			if int(f>>8) == register {
				s.few[i] = f&^0xff | uint32(max(uint8(f), v))
				return
			}
		}
		if len(s.few) < sketchFewMax {
			s.few = append(s.few, uint32(register)<<8|uint32(v))
			return
		}
		s.regs = make([]uint8, function.SketchRegisters)
		for _, f := range s.few {
			s.regs[f>>8] = uint8(f)
		}
		s.few = nil
	}
	s.regs[register] = max(s.regs[register], v)
}

type sketches struct{}

func (sketches) add(s *sketch, c, _ *stream.Column, i int) {
	h := hashOf(c, i)
	s.set(int(h>>(64-function.SketchBits)), uint8(bits.LeadingZeros64(h<<function.SketchBits|1<<(function.SketchBits-1)))+1)
}

// hashOf is the same for values that are equal.
func hashOf(c *stream.Column, i int) uint64 {
	var word uint64
	switch c.Type.Storage() {
	case stream.Varchar:
		return xxhash.Sum64(c.Text(i))
	case stream.Boolean:
		if c.Bits.Get(i) {
			word = 1
		}
	case stream.Integer:
		word = uint64(int64(c.I32[i]))
	case stream.BigInt:
		word = uint64(c.I64[i])
	case stream.Real:
		word = floatWord(float64(c.F32[i]))
	default:
		word = floatWord(c.F64[i])
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], word)
	return xxhash.Sum64(b[:])
}

// floatWord has one form for all NaNs and one for both zeros.
func floatWord(f float64) uint64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}

func (sketches) plus(a, b sketch) sketch {
	if a.regs == nil && a.few == nil {
		return b
	}
	if b.regs == nil && b.few == nil {
		return a
	}
	out := sketch{slices.Clone(a.regs), slices.Clone(a.few)}
	for _, f := range b.few {
		out.set(int(f>>8), uint8(f))
	}
	for i, v := range b.regs {
		if v > 0 {
			out.set(i, v)
		}
	}
	return out
}

func (sketches) put(_ *model.Agg, c *stream.Column, at int, s *sketch) {
	var counts [66 - function.SketchBits]int
	for _, f := range s.few {
		counts[uint8(f)]++
	}
	counts[0] = function.SketchRegisters - len(s.few)
	if s.regs != nil {
		counts[0] = 0
		for _, v := range s.regs {
			counts[v]++
		}
	}
	c.I64[at] = estimate(counts[:])
}

// estimate is the number of values; counts[k] registers have the value k.
func estimate(counts []int) int64 {
	const m = float64(function.SketchRegisters)
	last := len(counts) - 1
	z := m * tau(1-float64(counts[last])/m)
	for k := last - 1; k >= 1; k-- {
		z = 0.5 * (z + float64(counts[k]))
	}
	z += float64(m * sigma(float64(counts[0])/m))
	return int64(math.Round(m / (2 * math.Ln2) * m / z))
}

// sigma is x + the sum of x^(2^k) 2^(k-1) from k = 1 on.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	z, y := x, 1.0
	for was := math.NaN(); z != was; y *= 2 {
		x *= x
		was = z
		z += float64(x * y)
	}
	return z
}

// tau is a third of 1 - x - the sum of (1-x^(2^-k))^2 2^-k from k = 1 on.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	z, y := 1-x, 1.0
	for was := math.NaN(); z != was; {
		x = math.Sqrt(x)
		was = z
		y /= 2
		z -= float64((1 - x) * (1 - x) * y)
	}
	return z / 3
}

func (sketches) write(w *state.Writer, s *sketch) {
	some := s.few
	for i, v := range s.regs {
		if v > 0 {
			some = append(some, uint32(i)<<8|uint32(v))
		}
	}
	w.Int(int64(len(some)))
	for _, f := range some {
		w.Int(int64(f))
	}
}

func (sketches) read(r *state.Reader, s *sketch) {
	*s = sketch{}
	for n := r.Int(); n > 0 && r.Err() == nil; n-- {
		f := uint32(r.Int())
		s.set(int(f>>8)%function.SketchRegisters, uint8(f))
	}
}

func (sketches) slotBytes() int { return function.SketchRegisters }
