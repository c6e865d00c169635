package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lanes emits sums by identifiers below groups, which is 4 or 8. A vector has a lane for
// every identifier; a row is added to all of them, masked but for its own. Identifiers
// come times 32, which is a mask's place in the table.
func lanes(groups int) {
	text("sets, for identifiers 0 .. , the sum of their values, their number and their least index; "+
		"n is not 0, and 31 bytes behind the identifiers can be read.",
		fmt.Sprintf("lanes%dAVX2", groups), "func(sum *int64, rows, first *int32, ids *uint8, v *int64, n int)")
	laneSums(groups)
	laneCounts(groups)
	VZEROUPPER()
	RET()
}

func laneSums(groups int) {
	masks := GLOBL(fmt.Sprintf("laneMasks%d", groups), RODATA|NOPTR)
	for g := range groups {
		for lane := range groups {
			mask := uint64(0)
			if lane == g {
				mask = ^mask
			}
			DATA(8*(groups*g+lane), U64(mask))
		}
	}
	ids, v, n, table := pointer("ids"), pointer("v"), pointer("n"), GP64()
	LEAQ(masks, table)
	acc := make([]reg.VecVirtual, groups/4)
	for i := range acc {
		acc[i] = zero()
	}
	at, id := GP64(), GP64()
	XORQ(at, at)
	row := func(k int) {
		MOVBLZX(Mem{Base: ids, Index: at, Scale: 1, Disp: k}, id.As32())
		x := YMM()
		VPBROADCASTQ(Mem{Base: v, Index: at, Scale: 8, Disp: 8 * k}, x)
		for i := range acc {
			masked := YMM()
			VPAND(Mem{Base: table, Index: id, Scale: uint8(groups / 4), Disp: 32 * i}, x, masked)
			VPADDQ(masked, acc[i], acc[i])
		}
	}
	last := GP64()
	MOVQ(n, last)
	SUBQ(U8(3), last)
	JLE(LabelRef("rest"))
	Label("rows")
	for k := range 4 {
		row(k)
	}
	ADDQ(U8(4), at)
	CMPQ(at, last)
	JLT(LabelRef("rows"))
	Label("rest")
	CMPQ(at, n)
	JGE(LabelRef("summed"))
	Label("row")
	row(0)
	INCQ(at)
	CMPQ(at, n)
	JLT(LabelRef("row"))
	Label("summed")
	sum := pointer("sum")
	for i := range acc {
		VMOVDQU(acc[i], Mem{Base: sum, Disp: 32 * i})
	}
}

// laneCounts looks at 32 identifiers at a time: the bits of those that are equal to one
// tell their number and the first of them.
func laneCounts(groups int) {
	ids, n, rows, first := pointer("ids"), pointer("n"), pointer("rows"), pointer("first")
	number := make([]reg.VecVirtual, groups)
	for g := range number {
		number[g] = broadcast64(0x0101010101010101 * uint64(32*g))
	}
	none := GP64()
	MOVL(U32(0x7fffffff), none.As32())
	for g := range groups {
		MOVL(U32(0), Mem{Base: rows, Disp: 4 * g})
		MOVL(none.As32(), Mem{Base: first, Disp: 4 * g})
	}
	at := GP64()
	XORQ(at, at)
	Label("block")
	valid, left, all := GP64(), GP64(), GP64()
	bits, count, where := GP64(), GP64(), GP64()
	MOVQ(n, left)
	SUBQ(at, left)
	MOVQ(U64(1<<32-1), all)
	MOVQ(all, valid)
	CMPQ(left, U8(32))
	JGE(LabelRef("full"))
	XORQ(valid, valid)
	BTSQ(left, valid)
	DECQ(valid)
	Label("full")
	block := load(Mem{Base: ids, Index: at, Scale: 1})
	for g := range groups {
		same := YMM()
		VPCMPEQB(block, number[g], same)
		VPMOVMSKB(same, bits.As32())
		ANDL(valid.As32(), bits.As32())
		POPCNTL(bits.As32(), count.As32())
		ADDL(count.As32(), Mem{Base: rows, Disp: 4 * g})
		BSFL(bits.As32(), where.As32())
		LEAQ(Mem{Base: where, Index: at, Scale: 1}, where)
		TESTL(bits.As32(), bits.As32())
		CMOVLEQ(none.As32(), where.As32())
		MOVL(Mem{Base: first, Disp: 4 * g}, count.As32())
		CMPL(where.As32(), count.As32())
		CMOVLLT(where.As32(), count.As32())
		MOVL(count.As32(), Mem{Base: first, Disp: 4 * g})
	}
	ADDQ(U8(32), at)
	CMPQ(at, n)
	JLT(LabelRef("block"))
}

// laneIDs emits the packing of identifiers into bytes.
func laneIDs() {
	text("sets n blocks of 32 bytes from values below 8, times 32.", "laneIDsAVX2", "func(dst *uint8, v *int32, n int)")
	dst, v, n := pointer("dst"), pointer("v"), pointer("n")
	order := GLOBL("laneOrder", RODATA|NOPTR)
	for i, d := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
		DATA(4*i, U32(d))
	}
	turn := load(order)
	blocks(n, 32, []reg.GPVirtual{dst}, func() {
		a, b := load(at(v, 0)), load(at(v, 64))
		VPACKSSDW(at(v, 32), a, a)
		VPACKSSDW(at(v, 96), b, b)
		VPACKUSWB(b, a, a)
		VPERMD(a, turn, a)
		VPSLLW(U8(5), a, a)
		VMOVDQU(a, at(dst, 0))
		ADDQ(U32(128), v)
	})
	VZEROUPPER()
	RET()
}

func log2(n int) uint8 {
	k := uint8(0)
	for ; n > 1; n >>= 1 {
		k++
	}
	return k
}
