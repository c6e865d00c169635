package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Predicates of VCMPPS and VCMPPD that do not raise exceptions.
const (
	equalOrdered     = 0x00
	unordered        = 0x03
	ordered          = 0x07
	greaterOrdered   = 0x1e
	notGreaterEqual  = 0x19 // or unordered
	comparedPerLoop  = 64
	bytesOfComparand = 32
)

// floats compares two vectors of floats.
func floats(e element, predicate uint8, second Op, first, out reg.VecVirtual) {
	if e.size == 4 {
		VCMPPS(U8(predicate), second, first, out)
	} else {
		VCMPPD(U8(predicate), second, first, out)
	}
}

// compareConst emits `v == k` and `v < k` for a k that is not NaN.
func compareConst(e element) {
	for _, test := range []string{"equal", "less"} {
		text("compares words of 64 values with k: dst = (result ^ flip) & (dst | keep).",
			fmt.Sprintf("%sConst%sAVX2", test, e.name),
			fmt.Sprintf("func(dst *uint64, v *%s, words int, k %s, flip, keep uint64)", e.goes, e.goes))
		v, k := pointer("v"), broadcast(e, "k")
		compareWords(e, []reg.GPVirtual{v}, func(offset int) reg.VecVirtual {
			out, m := YMM(), at(v, offset)
			switch {
			case e.float && test == "equal":
				floats(e, equalOrdered, m, k, out)
			case e.float: // k > v
				floats(e, greaterOrdered, m, k, out)
			case test == "equal" && e.size == 4:
				VPCMPEQD(m, k, out)
			case test == "equal":
				VPCMPEQQ(m, k, out)
			case e.size == 4:
				VPCMPGTD(m, k, out)
			default:
				VPCMPGTQ(m, k, out)
			}
			return out
		})
	}
}

// comparePairs emits `a == b` and `a < b` where NaN equals NaN and is greatest.
func comparePairs(e element) {
	for _, test := range []string{"equal", "less"} {
		text("compares words of 64 pairs: dst = (result ^ flip) & (dst | keep).",
			fmt.Sprintf("%sPairs%sAVX2", test, e.name),
			fmt.Sprintf("func(dst *uint64, a, b *%s, words int, flip, keep uint64)", e.goes))
		a, b := pointer("a"), pointer("b")
		compareWords(e, []reg.GPVirtual{a, b}, func(offset int) reg.VecVirtual {
			return comparePair(e, test, at(a, offset), at(b, offset))
		})
	}
}

func comparePair(e element, test string, a, b Mem) reg.VecVirtual {
	out := YMM()
	switch {
	case e.float && test == "equal":
		x, y, nan := load(a), load(b), YMM()
		floats(e, equalOrdered, y, x, out)
		floats(e, unordered, x, x, nan)
		floats(e, unordered, y, y, y)
		VANDPS(nan, y, y)
		VORPS(y, out, out)
	case e.float: // a is a number, and not a >= b
		x := load(a)
		floats(e, notGreaterEqual, b, x, out)
		floats(e, ordered, x, x, x)
		VANDPS(x, out, out)
	case test == "equal" && e.size == 4:
		VPCMPEQD(b, load(a), out)
	case test == "equal":
		VPCMPEQQ(b, load(a), out)
	case e.size == 4:
		VPCMPGTD(a, load(b), out)
	default:
		VPCMPGTQ(a, load(b), out)
	}
	return out
}

// compareWords emits the loop over words. A word of dst that stays zero is passed over.
func compareWords(e element, values []reg.GPVirtual, test func(offset int) reg.VecVirtual) {
	dst, words := pointer("dst"), pointer("words")
	flip, keep := pointer("flip"), pointer("keep")
	order := load(narrowOrder(e))
	TESTQ(words, words)
	JZ(LabelRef("done"))
	Label("loop")
	mask := GP64()
	MOVQ(at(dst, 0), mask)
	ORQ(keep, mask)
	JZ(LabelRef("next"))
	low := half(e, order, 0, test)
	high := half(e, order, comparedPerLoop/2*e.size, test)
	SHLQ(Imm(32), high)
	ORQ(high, low)
	XORQ(flip, low)
	ANDQ(mask, low)
	MOVQ(low, at(dst, 0))
	Label("next")
	ADDQ(Imm(8), dst)
	for _, v := range values {
		ADDQ(U32(comparedPerLoop*e.size), v)
	}
	DECQ(words)
	JNZ(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	RET()
}

// half compares 32 values and narrows the results, all ones or zeros, to bytes, of which
// it takes a bit each. Packing works within halves of vectors, so the bytes are put in
// order at the end.
func half(e element, order reg.VecVirtual, offset int, test func(int) reg.VecVirtual) reg.GPVirtual {
	var parts []reg.VecVirtual
	for i := 0; i < 4; i++ {
		if e.size == 4 {
			parts = append(parts, test(offset+i*bytesOfComparand))
			continue
		}
		a, b := test(offset+2*i*bytesOfComparand), test(offset+(2*i+1)*bytesOfComparand)
		VSHUFPS(U8(0x88), b, a, a)
		parts = append(parts, a)
	}
	VPACKSSDW(parts[1], parts[0], parts[0])
	VPACKSSDW(parts[3], parts[2], parts[2])
	VPACKSSWB(parts[2], parts[0], parts[0])
	if e.size == 4 {
		VPERMD(parts[0], order, parts[0])
	} else {
		VPERMQ(U8(0xd8), parts[0], parts[0])
		VPSHUFB(order, parts[0], parts[0])
	}
	out := GP64()
	VPMOVMSKB(parts[0], out.As32())
	return out
}

var orders = map[int]Mem{}

// narrowOrder is the permutation of groups of four bytes, or the shuffle of bytes in
// each half, that half ends with.
func narrowOrder(e element) Mem {
	if m, ok := orders[e.size]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("narrowOrder%d", 8*e.size), RODATA|NOPTR)
	if e.size == 4 {
		for i, v := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
			DATA(4*i, U32(v))
		}
	} else {
		for i := 0; i < 32; i++ {
			DATA(i, U8([]uint8{0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15}[i%16]))
		}
	}
	orders[e.size] = m
	return m
}
