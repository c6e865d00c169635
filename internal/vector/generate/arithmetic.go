package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// arithmetic emits sums, differences, products and quotients of columns. Integers wrap
// around and tell whether any row did.
func arithmetic(e element) {
	for _, op := range []string{"add", "sub", "mul", "div"} {
		if !e.float && (op == "div" || op == "mul" && e.size == 8) {
			continue
		}
		signature := fmt.Sprintf("func(dst, a, b *%s, n int)", e.goes)
		if !e.float {
			signature += " (over uint64)"
		}
		text("computes n blocks of 64 bytes.", op+e.name+"AVX2", signature)
		dst, a, b, n := pointer("dst"), pointer("a"), pointer("b"), pointer("n")
		over := zero()
		blocks(n, 64, []reg.GPVirtual{dst, a, b}, func() {
			for i := 0; i < 64; i += 32 {
				var out reg.VecVirtual
				switch {
				case e.float:
					out = floatArithmetic(e, op, load(at(a, i)), at(b, i))
				case op == "mul":
					out = multiply(load(at(a, i)), load(at(b, i)), over)
				default:
					out = addOrSubtract(e, op, load(at(a, i)), load(at(b, i)), over)
				}
				VMOVDQU(out, at(dst, i))
			}
		})
		if !e.float {
			signs := GP64()
			if e.size == 4 {
				VMOVMSKPS(over, signs.As32())
			} else {
				VMOVMSKPD(over, signs.As32())
			}
			Store(signs, Return("over"))
		}
		VZEROUPPER()
		RET()
	}
}

func floatArithmetic(e element, op string, x reg.VecVirtual, y Mem) reg.VecVirtual {
	narrow := map[string]func(...Op){"add": VADDPS, "sub": VSUBPS, "mul": VMULPS, "div": VDIVPS}
	wide := map[string]func(...Op){"add": VADDPD, "sub": VSUBPD, "mul": VMULPD, "div": VDIVPD}
	if e.size == 4 {
		narrow[op](y, x, x)
	} else {
		wide[op](y, x, x)
	}
	return x
}

// addOrSubtract notes overflow in the sign of over: a sum has another sign than both
// operands, a difference another one than a, which differs from that of b.
func addOrSubtract(e element, op string, x, y, over reg.VecVirtual) reg.VecVirtual {
	r, s := YMM(), YMM()
	switch {
	case op == "add" && e.size == 4:
		VPADDD(y, x, r)
	case op == "add":
		VPADDQ(y, x, r)
	case e.size == 4:
		VPSUBD(y, x, r)
	default:
		VPSUBQ(y, x, r)
	}
	VPXOR(x, r, s)
	if op == "add" {
		VPXOR(y, r, y)
	} else {
		VPXOR(x, y, y)
	}
	VPAND(y, s, s)
	VPOR(s, over, over)
	return r
}

// multiply notes overflow in over: the upper half of a product is not what the sign of
// the lower one fills a word with. The difference of the two is spread over all bits of
// the lane by a comparison.
func multiply(x, y, over reg.VecVirtual) reg.VecVirtual {
	even, odd, high := YMM(), YMM(), YMM()
	VPMULDQ(y, x, even)
	VPSRLQ(Imm(32), x, x)
	VPSRLQ(Imm(32), y, y)
	VPMULDQ(y, x, odd)
	VPSRLQ(Imm(32), even, high)
	VPBLENDD(U8(0xaa), odd, high, high)
	VPSLLQ(Imm(32), odd, odd)
	VPBLENDD(U8(0xaa), odd, even, even)
	sign := YMM()
	VPSRAD(Imm(31), even, sign)
	VPXOR(sign, high, high)
	// not zero: x or -x is negative
	VPXOR(sign, sign, sign)
	VPSUBD(high, sign, sign)
	VPOR(sign, high, high)
	VPOR(high, over, over)
	return even
}

// multiplyWide emits products of 64 bits for values that fit in 32 bits; wide is not zero
// if one does not.
func multiplyWide() {
	text("computes n blocks of 64 bytes of values of 32 bits; wide is not zero if there are others.",
		"mulInt64AVX2", "func(dst, a, b *int64, n int) (wide uint64)")
	dst, a, b, n := pointer("dst"), pointer("a"), pointer("b"), pointer("n")
	over := zero()
	blocks(n, 64, []reg.GPVirtual{dst, a, b}, func() {
		for i := 0; i < 64; i += 32 {
			x, y, out := load(at(a, i)), load(at(b, i)), YMM()
			VPMULDQ(y, x, out)
			VMOVDQU(out, at(dst, i))
			for _, v := range []reg.VecVirtual{x, y} {
				sign := YMM()
				VPSRAD(Imm(31), v, sign)
				VPSHUFD(U8(0xa0), sign, sign)
				VPXOR(v, sign, sign)
				VPOR(sign, over, over)
			}
		}
	})
	VPSRLQ(Imm(32), over, over)
	wide := GP64()
	XORQ(wide, wide)
	VPTEST(over, over)
	SETNE(wide.As8())
	VZEROUPPER()
	Store(wide, Return("wide"))
	RET()
}

// divide emits quotients and remainders of 32 bits by a constant, whose reciprocal is
// rounded away from zero.
func divide() {
	for _, op := range []string{"div", "mod"} {
		text("computes n blocks of 8 values.", op+"ConstInt32AVX2", "func(dst, v *int32, n int, k int32, reciprocal float64)")
		dst, v, n := pointer("dst"), pointer("v"), pointer("n")
		k, reciprocal := broadcast(elements[0], "k"), broadcast(elements[3], "reciprocal")
		blocks(n, 32, []reg.GPVirtual{dst, v}, func() {
			x, y, low, high := YMM(), YMM(), XMM(), XMM()
			VCVTDQ2PD(at(v, 0), x)
			VCVTDQ2PD(at(v, 16), y)
			VMULPD(reciprocal, x, x)
			VMULPD(reciprocal, y, y)
			VCVTTPD2DQY(x, low)
			VCVTTPD2DQY(y, high)
			out := YMM()
			VINSERTI128(U8(1), high, low.AsY(), out)
			if op == "mod" {
				product := YMM()
				VPMULLD(k, out, product)
				VMOVDQU(at(v, 0), out)
				VPSUBD(product, out, out)
			}
			VMOVDQU(out, at(dst, 0))
		})
		VZEROUPPER()
		RET()
	}
}

// multiplySmall emits products that wrap around, and the greatest magnitudes of the
// factors: if the product of those fits, all do.
func multiplySmall() {
	text("computes n blocks of 64 bytes and the greatest magnitudes of a and b.",
		"mulSmallInt32AVX2", "func(dst, a, b *int32, n int) (x, y uint32)")
	dst, a, b, n := pointer("dst"), pointer("a"), pointer("b"), pointer("n")
	most := []reg.VecVirtual{zero(), zero()}
	blocks(n, 64, []reg.GPVirtual{dst, a, b}, func() {
		for i := 0; i < 64; i += 32 {
			x, y, out := load(at(a, i)), load(at(b, i)), YMM()
			VPMULLD(y, x, out)
			VMOVDQU(out, at(dst, i))
			VPABSD(x, x)
			VPABSD(y, y)
			VPMAXUD(x, most[0], most[0])
			VPMAXUD(y, most[1], most[1])
		}
	})
	for i, name := range []string{"x", "y"} {
		x, high, out := most[i].AsX(), XMM(), GP32()
		VEXTRACTI128(U8(1), most[i], high)
		VPMAXUD(high, x, x)
		VPSHUFD(U8(0x4e), x, high)
		VPMAXUD(high, x, x)
		VPSHUFD(U8(0xb1), x, high)
		VPMAXUD(high, x, x)
		VMOVD(x, out)
		Store(out, Return(name))
	}
	VZEROUPPER()
	RET()
}
