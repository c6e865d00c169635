package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Bits of doubles: 3<<51; 2^52; 2^84+2^63; 2^84+2^63+2^52.
const (
	roundingBits = 0x4338000000000000
	lowBits      = 0x4330000000000000
	highBits     = 0x4530000080000000
	bothBits     = 0x4530000080100000
)

// conversions emits what turns numbers into integers of 64 bits and back.
func conversions() {
	scale(4)
	scale(8)
	widen()
	float()
	average()
}

// magnitude adds the bits of x, complemented where it is negative, to reach.
func magnitude(x, reach reg.VecVirtual) {
	sign := zero()
	VPCMPGTQ(x, sign, sign)
	VPXOR(x, sign, sign)
	VPOR(sign, reach, reach)
}

// union is the union of the four lanes of 64 bits.
func union(v reg.VecVirtual) reg.GPVirtual {
	x, high, out := XMM(), XMM(), GP64()
	VEXTRACTI128(U8(1), v, x)
	VPOR(x, v.AsX(), x)
	VPSHUFD(U8(0x4e), x, high)
	VPOR(high, x, x)
	VMOVQ(x, out)
	return out
}

func scale(size int) {
	text("sets n blocks of 8 products that are integers of at most 51 bits; odd is not zero if one is no integer.",
		fmt.Sprintf("scale%dAVX2", 8*size),
		fmt.Sprintf("func(dst *int64, v *float%d, n int, by float64) (reach, odd uint64)", 8*size))
	dst, v, n := pointer("dst"), pointer("v"), pointer("n")
	by := broadcast(element{size: 8, float: true}, "by")
	round, reach, odd := broadcast64(roundingBits), zero(), zero()
	blocks(n, 64, []reg.GPVirtual{dst}, func() {
		for i := 0; i < 2; i++ {
			x, r, q := YMM(), YMM(), YMM()
			if size == 4 {
				VCVTPS2PD(at(v, 16*i), x)
				VMULPD(by, x, x)
			} else {
				VMULPD(at(v, 32*i), by, x)
			}
			VADDPD(round, x, r)
			VPSUBQ(round, r, q)
			VMOVDQU(q, at(dst, 32*i))
			magnitude(q, reach)
			VSUBPD(round, r, r)
			VCMPPD(U8(4), x, r, r) // not equal or unordered
			VORPD(r, odd, odd)
		}
		ADDQ(U32(8*size), v)
	})
	bits, any := union(reach), GP64()
	VMOVMSKPD(odd, any.As32())
	VZEROUPPER()
	Store(bits, Return("reach"))
	Store(any, Return("odd"))
	RET()
}

func widen() {
	text("sets n blocks of 8 values.", "widenAVX2", "func(dst *int64, v *int32, n int) (reach uint64)")
	dst, v, n := pointer("dst"), pointer("v"), pointer("n")
	reach := zero()
	blocks(n, 64, []reg.GPVirtual{dst}, func() {
		for i := 0; i < 2; i++ {
			x := YMM()
			VPMOVSXDQ(at(v, 16*i), x)
			VMOVDQU(x, at(dst, 32*i))
			magnitude(x, reach)
		}
		ADDQ(U32(32), v)
	})
	bits := union(reach)
	VZEROUPPER()
	Store(bits, Return("reach"))
	RET()
}

// converter has the constants of a conversion of integers to doubles.
type converter struct{ low, high, both reg.VecVirtual }

func newConverter() converter {
	return converter{broadcast64(lowBits), broadcast64(highBits), broadcast64(bothBits)}
}

// convert returns four integers as doubles. The upper half, with the sign bit inverted,
// is the lower half of a double of 2^84, the lower one that of a double of 2^52.
func (c converter) convert(m Mem) reg.VecVirtual {
	x, high := load(m), YMM()
	VPSRLQ(Imm(32), x, high)
	VPXOR(c.high, high, high)
	VSUBPD(c.both, high, high)
	VPBLENDD(U8(0xaa), c.low, x, x)
	VADDPD(high, x, x)
	return x
}

func float() {
	text("sets n blocks of 8 values.", "floatAVX2", "func(dst *float64, v *int64, n int, unit float64)")
	dst, v, n := pointer("dst"), pointer("v"), pointer("n")
	unit, c := broadcast(elements[3], "unit"), newConverter()
	blocks(n, 64, []reg.GPVirtual{dst, v}, func() {
		for i := 0; i < 64; i += 32 {
			x := c.convert(at(v, i))
			VMULPD(unit, x, x)
			VMOVUPD(x, at(dst, i))
		}
	})
	VZEROUPPER()
	RET()
}

func average() {
	text("sets n blocks of 8 values.", "averageAVX2", "func(dst *float64, sum, count *int64, n int, unit float64)")
	dst, sum, count, n := pointer("dst"), pointer("sum"), pointer("count"), pointer("n")
	unit, c := broadcast(elements[3], "unit"), newConverter()
	blocks(n, 64, []reg.GPVirtual{dst, sum, count}, func() {
		for i := 0; i < 64; i += 32 {
			x, y := c.convert(at(sum, i)), c.convert(at(count, i))
			VMULPD(unit, x, x)
			VDIVPD(y, x, x)
			VMOVUPD(x, at(dst, i))
		}
	})
	VZEROUPPER()
	RET()
}
