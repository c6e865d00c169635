package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// notLessEqual is a predicate of VCMPPS and VCMPPD that holds for NaN and does not raise
// exceptions.
const notLessEqual = 0x16

// outside emits the test for values that are not in a range. Integers are in
// [base, base+width]: less base they are, as unsigned numbers, at most width. There is
// no unsigned comparison, so the caller adds the least integer to both: shift is base
// less it and limit width plus it. Floats are outside of [shift, limit].
func outside(e element) {
	text("finds the words of 64 values that are out of a range: dst = (result ^ flip) & (dst | keep).",
		fmt.Sprintf("outside%sAVX2", e.name),
		fmt.Sprintf("func(dst *uint64, v *%s, words int, shift, limit %s, flip, keep uint64)", e.goes, e.goes))
	v, shift, limit := pointer("v"), broadcast(e, "shift"), broadcast(e, "limit")
	compareWords(e, []reg.GPVirtual{v}, func(offset int) reg.VecVirtual {
		x, out := load(at(v, offset)), YMM()
		switch {
		case e.float: // not shift <= x, or not x <= limit
			floats(e, notLessEqual, x, shift, out)
			floats(e, notLessEqual, limit, x, x)
			VORPS(x, out, out)
		case e.size == 4:
			VPSUBD(shift, x, x)
			VPCMPGTD(limit, x, out)
		default:
			VPSUBQ(shift, x, x)
			VPCMPGTQ(limit, x, out)
		}
		return out
	})
}
