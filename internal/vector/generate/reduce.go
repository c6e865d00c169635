package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// fold64 adds the four lanes of 64 bits.
func fold64(v reg.VecVirtual) reg.GPVirtual {
	x, out := XMM(), GP64()
	VEXTRACTI128(U8(1), v, x)
	VPADDQ(x, v.AsX(), x)
	high := XMM()
	VPSHUFD(U8(0x4e), x, high)
	VPADDQ(high, x, x)
	VMOVQ(x, out)
	return out
}

func sums() {
	text("sums n blocks of 16 values.", "sumInt32AVX2", "func(v *int32, n int) (sum int64)")
	v, n := pointer("v"), pointer("n")
	acc := []reg.VecVirtual{zero(), zero(), zero(), zero()}
	blocks(n, 64, []reg.GPVirtual{v}, func() {
		for i, a := range acc {
			x := YMM()
			VPMOVSXDQ(at(v, 16*i), x)
			VPADDQ(x, a, a)
		}
	})
	VPADDQ(acc[1], acc[0], acc[0])
	VPADDQ(acc[3], acc[2], acc[2])
	VPADDQ(acc[2], acc[0], acc[0])
	sum := fold64(acc[0])
	VZEROUPPER()
	Store(sum, Return("sum"))
	RET()

	text("sums the lower halves and, with the sign bit inverted, the upper halves of n blocks of 8 values.",
		"sumInt64AVX2", "func(v *int64, n int) (low, high uint64)")
	v, n = pointer("v"), pointer("n")
	acc = []reg.VecVirtual{zero(), zero(), zero(), zero()}
	mask, sign := broadcast64(1<<32-1), broadcast64(1<<63)
	blocks(n, 64, []reg.GPVirtual{v}, func() {
		for i := 0; i < 2; i++ {
			x, y := load(at(v, 32*i)), YMM()
			VPAND(mask, x, y)
			VPADDQ(y, acc[2*i], acc[2*i])
			VPXOR(sign, x, x)
			VPSRLQ(Imm(32), x, x)
			VPADDQ(x, acc[2*i+1], acc[2*i+1])
		}
	})
	VPADDQ(acc[2], acc[0], acc[0])
	VPADDQ(acc[3], acc[1], acc[1])
	low, high := fold64(acc[0]), fold64(acc[1])
	VZEROUPPER()
	Store(low, Return("low"))
	Store(high, Return("high"))
	RET()
	sumScaled(4)
	sumScaled(8)
}

// sumScaled sums the bits of products with 3 << 51 added.
func sumScaled(size int) {
	text("sums n blocks of 8 products as bits of doubles with 3<<51 added; odd is not zero if one is no integer.",
		fmt.Sprintf("sumScaled%dAVX2", 8*size),
		fmt.Sprintf("func(v *float%d, n int, scale float64) (sum int64, greatest float64, odd uint64)", 8*size))
	v, n := pointer("v"), pointer("n")
	scale := broadcast(element{size: 8, float: true}, "scale")
	round, abs := broadcast64(0x4338000000000000), broadcast64(1<<63-1)
	sum := []reg.VecVirtual{zero(), zero()}
	most := []reg.VecVirtual{zero(), zero()}
	odd := []reg.VecVirtual{zero(), zero()}
	blocks(n, 8*size, []reg.GPVirtual{v}, func() {
		for i := 0; i < 2; i++ {
			x, r := YMM(), YMM()
			if size == 4 {
				VCVTPS2PD(at(v, 16*i), x)
				VMULPD(scale, x, x)
			} else {
				VMULPD(at(v, 32*i), scale, x)
			}
			VADDPD(round, x, r)
			VPADDQ(r, sum[i], sum[i])
			VSUBPD(round, r, r)
			VCMPPD(U8(4), x, r, r) // not equal or unordered
			VORPD(r, odd[i], odd[i])
			VANDPD(abs, x, x)
			VMAXPD(x, most[i], most[i])
		}
	})
	VPADDQ(sum[1], sum[0], sum[0])
	VMAXPD(most[1], most[0], most[0])
	VORPD(odd[1], odd[0], odd[0])
	total := fold64(sum[0])
	x, any := XMM(), GP64()
	VEXTRACTF128(U8(1), most[0], x)
	VMAXPD(x, most[0].AsX(), x)
	y := XMM()
	VSHUFPD(U8(1), x, x, y)
	VMAXSD(y, x, x)
	VMOVMSKPD(odd[0], any.As32())
	VZEROUPPER()
	Store(total, Return("sum"))
	Store(x, Return("greatest"))
	Store(any, Return("odd"))
	RET()
}

// extremes emits the least and the greatest of n blocks of 64 bytes, n > 0. Of floats,
// NaN is left out of account and told.
func extremes(e element) {
	results := "least, greatest *[" + fmt.Sprint(32/e.size) + "]" + e.goes
	signature := fmt.Sprintf("func(v *%s, n int, %s) (nan uint64)", e.goes, results)
	text("finds extremes of n blocks of 64 bytes, lane by lane, continuing those given.", fmt.Sprintf("extremes%sAVX2", e.name), signature)
	v, n := pointer("v"), pointer("n")
	pl, pg := pointer("least"), pointer("greatest")
	low := []reg.VecVirtual{load(at(pl, 0)), load(at(pl, 0))}
	high := []reg.VecVirtual{load(at(pg, 0)), load(at(pg, 0))}
	nan := []reg.VecVirtual{zero(), zero()}
	blocks(n, 64, []reg.GPVirtual{v}, func() {
		for i := 0; i < 2; i++ {
			x := load(at(v, 32*i))
			lower(e, x, low[i])
			higher(e, x, high[i])
			if e.float {
				floats(e, unordered, x, x, x)
				VORPS(x, nan[i], nan[i])
			}
		}
	})
	lower(e, low[1], low[0])
	higher(e, high[1], high[0])
	VORPS(nan[1], nan[0], nan[0])
	VMOVDQU(low[0], at(pl, 0))
	VMOVDQU(high[0], at(pg, 0))
	any := GP64()
	VMOVMSKPS(nan[0], any.As32())
	VZEROUPPER()
	Store(any, Return("nan"))
	RET()
}

// lower makes acc the lesser of x and acc; acc where x is NaN.
func lower(e element, x, acc reg.VecVirtual) {
	switch e.name {
	case "Int32":
		VPMINSD(x, acc, acc)
	case "Int64":
		c := YMM()
		VPCMPGTQ(x, acc, c)
		VBLENDVPD(c, x, acc, acc)
	case "Float32":
		VMINPS(acc, x, acc)
	case "Float64":
		VMINPD(acc, x, acc)
	}
}

// higher makes acc the greater of x and acc; acc where x is NaN.
func higher(e element, x, acc reg.VecVirtual) {
	switch e.name {
	case "Int32":
		VPMAXSD(x, acc, acc)
	case "Int64":
		c := YMM()
		VPCMPGTQ(acc, x, c)
		VBLENDVPD(c, x, acc, acc)
	case "Float32":
		VMAXPS(acc, x, acc)
	case "Float64":
		VMAXPD(acc, x, acc)
	}
}

// order emits what concerns the order of times.
func order() {
	text("compares n blocks of 16 values with the one behind each: whether none is greater.",
		"ascendingAVX2", "func(v *int64, n int) bool")
	v, n := pointer("v"), pointer("n")
	blocks(n, 128, []reg.GPVirtual{v}, func() {
		var over reg.VecVirtual
		for i := 0; i < 4; i++ {
			x := load(at(v, 32*i))
			VPCMPGTQ(at(v, 32*i+8), x, x)
			if i > 0 {
				VPOR(over, x, x)
			}
			over = x
		}
		VPTEST(over, over)
		JNZ(LabelRef("falls"))
	})
	yes := GP8()
	MOVB(U8(1), yes)
	VZEROUPPER()
	Store(yes, ReturnIndex(0))
	RET()
	Label("falls")
	no := GP8()
	XORB(no, no)
	VZEROUPPER()
	Store(no, ReturnIndex(0))
	RET()

	text("returns how many of n blocks of 16 values are left from the first on that has one above limit.",
		"aboveAVX2", "func(v *int64, n int, limit int64) (left int)")
	v, n = pointer("v"), pointer("n")
	limit := broadcast(element{size: 8}, "limit")
	blocks(n, 128, []reg.GPVirtual{v}, func() {
		var over reg.VecVirtual
		for i := 0; i < 4; i++ {
			x := load(at(v, 32*i))
			VPCMPGTQ(limit, x, x)
			if i > 0 {
				VPOR(over, x, x)
			}
			over = x
		}
		VPTEST(over, over)
		JNZ(LabelRef("done"))
	})
	VZEROUPPER()
	Store(n, Return("left"))
	RET()

	text("adds k to n blocks of 8 values.", "shiftInt64AVX2", "func(dst, src *int64, n int, k int64)")
	dst, src := pointer("dst"), pointer("src")
	n = pointer("n")
	k := broadcast(element{size: 8}, "k")
	blocks(n, 64, []reg.GPVirtual{dst, src}, func() {
		x, y := YMM(), YMM()
		VPADDQ(at(src, 0), k, x)
		VPADDQ(at(src, 32), k, y)
		VMOVDQU(x, at(dst, 0))
		VMOVDQU(y, at(dst, 32))
	})
	VZEROUPPER()
	RET()
}
