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
