package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pack adds shifted differences to words.
func pack(size int) {
	text("adds (v - base) << shift to n blocks of 8 words and returns the union of the differences.",
		fmt.Sprintf("packInt%dAVX2", 8*size), fmt.Sprintf("func(words *uint64, v *int%d, n int, base, shift uint64) (over uint64)", 8*size))
	words, v, n := pointer("words"), pointer("v"), pointer("n")
	base := broadcast(element{size: 8}, "base")
	shift := XMM()
	VMOVQ(Load(Param("shift"), GP64()), shift)
	over := []reg.VecVirtual{zero(), zero()}
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("loop")
	for i := range over {
		x := YMM()
		if size == 4 {
			VPMOVSXDQ(at(v, 16*i), x)
		} else {
			VMOVDQU(at(v, 32*i), x)
		}
		VPSUBQ(base, x, x)
		VPOR(x, over[i], over[i])
		VPSLLQ(shift, x, x)
		VPOR(at(words, 32*i), x, x)
		VMOVDQU(x, at(words, 32*i))
	}
	ADDQ(U32(64), words)
	ADDQ(U32(uint32(8*size)), v)
	DECQ(n)
	JNZ(LabelRef("loop"))
	Label("done")
	VPOR(over[1], over[0], over[0])
	x, high, out := XMM(), XMM(), GP64()
	VEXTRACTI128(U8(1), over[0], x)
	VPOR(x, over[0].AsX(), x)
	VPSHUFD(U8(0x4e), x, high)
	VPOR(high, x, x)
	VMOVQ(x, out)
	VZEROUPPER()
	Store(out, Return("over"))
	RET()
}
