package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sparseMax is the number of ones in a word up to which elements are copied one by one,
// by the size of elements: permutations, of which there are twice as many for 8 bytes, do
// not get faster where less is kept.
var sparseMax = map[int]uint64{4: 8, 8: 24}

// batches are the numbers of elements that are copied without looking whether there are
// so many: few words have an unforeseen number of batches. What is copied too much is the
// last one again, so that values of rows that are left out are hardly touched.
const (
	fewOnes  = 4
	manyOnes = 8
)

// compaction is the state of the loop that all three kernels share.
type compaction struct {
	dst, src, bits, w, n, m reg.GPVirtual
	size                    int
}

// compact emits a loop over words for as long as 64 elements have room: full words are
// copied, sparse ones walked, others compacted by permutations from a table.
func compact(size int, setup func(c *compaction), base func(c *compaction), full func(c *compaction), one func(c *compaction, i int, last reg.GPVirtual) reg.GPVirtual, dense func(c *compaction)) {
	c := &compaction{dst: pointer("dst"), bits: pointer("bits"), w: pointer("w"), n: pointer("n"), m: GP64(), size: size}
	words, room := pointer("words"), pointer("room")
	SUBQ(Imm(64), room)
	setup(c)
	Label("loop")
	CMPQ(c.w, words)
	JGE(LabelRef("done"))
	CMPQ(c.n, room)
	JG(LabelRef("done"))
	MOVQ(Mem{Base: c.bits, Index: c.w, Scale: 8}, c.m)
	base(c)
	INCQ(c.w)
	TESTQ(c.m, c.m)
	JZ(LabelRef("loop"))
	ones := GP64()
	POPCNTQ(c.m, ones)
	CMPQ(ones, Imm(64))
	JE(LabelRef("full"))
	CMPQ(ones, Imm(sparseMax[size]))
	JG(LabelRef("dense"))
	CMPQ(ones, Imm(fewOnes))
	JG(LabelRef("many"))
	c.batch(fewOnes, one)
	ADDQ(ones, c.n)
	JMP(LabelRef("loop"))
	Label("many")
	c.batch(manyOnes, one)
	ADDQ(Imm(manyOnes), c.n)
	SUBQ(Imm(manyOnes), ones)
	JG(LabelRef("many"))
	ADDQ(ones, c.n) // minus what was copied too much
	JMP(LabelRef("loop"))
	Label("full")
	full(c)
	ADDQ(Imm(64), c.n)
	JMP(LabelRef("loop"))
	Label("dense")
	dense(c)
	JMP(LabelRef("loop"))
	Label("done")
	VZEROUPPER()
	Store(c.w, Return("word"))
	Store(c.n, Return("count"))
	RET()
}

// batch copies the next elements; the mask has one at least.
func (c *compaction) batch(count int, one func(c *compaction, i int, last reg.GPVirtual) reg.GPVirtual) {
	var last reg.GPVirtual
	for i := 0; i < count; i++ {
		last = one(c, i, last)
		if i < count-1 || count == manyOnes {
			BLSRQ(c.m, c.m)
		}
	}
}

// next is the position of the next one; where there is none, the last one's again.
func (c *compaction) next(i int, last reg.GPVirtual) reg.GPVirtual {
	at := GP64()
	TZCNTQ(c.m, at)
	if i > 0 {
		CMOVQCS(last, at)
	}
	return at
}

// out is element n+i of dst.
func (c *compaction) out(i int) Mem {
	return Mem{Base: c.dst, Index: c.n, Scale: uint8(c.size), Disp: i * c.size}
}

// group takes the next bits of the mask: their value in index, their count in ones.
func (c *compaction) group(index, ones reg.GPVirtual, width int) {
	if width == 8 {
		MOVBLZX(c.m.As8(), index.As32())
	} else {
		MOVL(c.m.As32(), index.As32())
		ANDL(Imm(15), index.As32())
	}
	SHRQ(Imm(uint64(width)), c.m)
	POPCNTL(index.As32(), ones.As32())
}

// rowsOf moves a pointer of 64 elements along with the words.
func sourceOf(size int) (setup, base func(c *compaction), rows *reg.GPVirtual) {
	rows = new(reg.GPVirtual)
	setup = func(c *compaction) { c.src = pointer("src") }
	base = func(c *compaction) {
		*rows = GP64()
		MOVQ(c.w, *rows)
		SHLQ(Imm(map[int]uint64{4: 8, 8: 9}[size]), *rows)
		ADDQ(c.src, *rows)
	}
	return setup, base, rows
}

func copyFull(rows *reg.GPVirtual) func(c *compaction) {
	return func(c *compaction) {
		for i := 0; i < 64*c.size; i += 32 {
			VMOVDQU(load(at(*rows, i)), c.out(i/c.size))
		}
	}
}

const compactDoc = "compacts from word w and element n of dst on until words are done or 64 elements have no room."

func compress32() {
	table := lanes8()
	text(compactDoc, "compress32AVX2", "func(dst, src *uint32, bits *uint64, w, words, n, room int) (word, count int)")
	setup, base, rows := sourceOf(4)
	var lut reg.GPVirtual
	compact(4, func(c *compaction) { setup(c); lut = tablePointer(table) }, base, copyFull(rows), func(c *compaction, i int, last reg.GPVirtual) reg.GPVirtual {
		at, x := c.next(i, last), GP32()
		MOVL(Mem{Base: *rows, Index: at, Scale: 4}, x)
		MOVL(x, c.out(i))
		return at
	}, func(c *compaction) {
		for g := 0; g < 8; g++ {
			index, ones, order := GP64(), GP64(), YMM()
			c.group(index, ones, 8)
			VPMOVZXBD(Mem{Base: lut, Index: index, Scale: 8}, order)
			VPERMD(at(*rows, 32*g), order, order)
			VMOVDQU(order, c.out(0))
			ADDQ(ones, c.n)
		}
	})
}

func compress64() {
	table := lanes4()
	text(compactDoc, "compress64AVX2", "func(dst, src *uint64, bits *uint64, w, words, n, room int) (word, count int)")
	setup, base, rows := sourceOf(8)
	var lut reg.GPVirtual
	compact(8, func(c *compaction) { setup(c); lut = tablePointer(table) }, base, copyFull(rows), func(c *compaction, i int, last reg.GPVirtual) reg.GPVirtual {
		at, x := c.next(i, last), GP64()
		MOVQ(Mem{Base: *rows, Index: at, Scale: 8}, x)
		MOVQ(x, c.out(i))
		return at
	}, func(c *compaction) {
		for g := 0; g < 16; g++ {
			index, ones, order := GP64(), GP64(), YMM()
			c.group(index, ones, 4)
			VPMOVZXBD(Mem{Base: lut, Index: index, Scale: 8}, order)
			VPERMD(at(*rows, 32*g), order, order)
			VMOVDQU(order, c.out(0))
			ADDQ(ones, c.n)
		}
	})
}

func indices() {
	table := orders8
	text(compactDoc, "indicesAVX2", "func(dst *int32, bits *uint64, w, words, n, room int) (word, count int)")
	var lut reg.GPVirtual
	var from reg.GPVirtual
	start := func() reg.VecVirtual { // the first row of the word in every lane
		x, y := XMM(), YMM()
		VMOVD(from.As32(), x)
		VPBROADCASTD(x, y)
		return y
	}
	compact(4, func(*compaction) { lut = tablePointer(table) }, func(c *compaction) {
		from = GP64()
		MOVQ(c.w, from)
		SHLQ(Imm(6), from)
	}, func(c *compaction) {
		rows, step, all := start(), YMM(), GP64()
		MOVQ(U32(255), all)
		VPMOVZXBD(Mem{Base: lut, Index: all, Scale: 8}, step)
		VPADDD(step, rows, rows)
		eight := eights()
		for i := 0; i < 64; i += 8 {
			VMOVDQU(rows, c.out(i))
			VPADDD(eight, rows, rows)
		}
	}, func(c *compaction, i int, _ reg.GPVirtual) reg.GPVirtual {
		at := GP64()
		TZCNTQ(c.m, at)
		ADDQ(from, at)
		MOVL(at.As32(), c.out(i))
		return at
	}, func(c *compaction) {
		rows, eight := start(), eights()
		for g := 0; g < 8; g++ {
			index, ones, order := GP64(), GP64(), YMM()
			c.group(index, ones, 8)
			VPMOVZXBD(Mem{Base: lut, Index: index, Scale: 8}, order)
			VPADDD(rows, order, order)
			VMOVDQU(order, c.out(0))
			VPADDD(eight, rows, rows)
			ADDQ(ones, c.n)
		}
	})
}

func eights() reg.VecVirtual {
	g, x, y := GP32(), XMM(), YMM()
	MOVL(U32(8), g)
	VMOVD(g, x)
	VPBROADCASTD(x, y)
	return y
}

func tablePointer(table Mem) reg.GPVirtual {
	p := GP64()
	LEAQ(table, p)
	return p
}

var orders8 Mem

// lanes8 is a table by masks of 8 bits: the positions of the ones, a byte each.
func lanes8() Mem {
	orders8 = GLOBL("ones8", RODATA|NOPTR)
	for m := 0; m < 256; m++ {
		k := 0
		for j := 0; j < 8; j++ {
			if m>>j&1 == 1 {
				DATA(8*m+k, U8(uint8(j)))
				k++
			}
		}
		for ; k < 8; k++ {
			DATA(8*m+k, U8(0))
		}
	}
	return orders8
}

// lanes4 is a table by masks of 4 bits: the pairs of lanes of 32 bits of the ones.
func lanes4() Mem {
	t := GLOBL("pairs4", RODATA|NOPTR)
	for m := 0; m < 16; m++ {
		k := 0
		for j := 0; j < 4; j++ {
			if m>>j&1 == 1 {
				DATA(8*m+2*k, U8(uint8(2*j)))
				DATA(8*m+2*k+1, U8(uint8(2*j+1)))
				k++
			}
		}
		for ; k < 4; k++ {
			DATA(8*m+2*k, U8(0))
			DATA(8*m+2*k+1, U8(0))
		}
	}
	return t
}

// compressBits emits the same for a bitmap: the bits of a word are extracted and put
// behind those before, over the border of two words.
func compressBits() {
	text("compacts words of bits to the front of dst, which has a word more than those and starts with a zero word.",
		"compressBitsAVX2", "func(dst, src, bits *uint64, words int) (count int)")
	dst, src, bits, words := pointer("dst"), pointer("src"), pointer("bits"), pointer("words")
	n := GP64()
	XORQ(n, n)
	blocks(words, 8, []reg.GPVirtual{src, bits}, func() {
		mask, low, high, shift, to := GP64(), GP64(), GP64(), GP64(), GP64()
		MOVQ(at(bits, 0), mask)
		MOVQ(at(src, 0), low)
		PEXTQ(mask, low, low)
		POPCNTQ(mask, mask)
		MOVQ(n, to)
		SHRQ(Imm(6), to)
		MOVQ(low, high)
		SHLXQ(n, low, low)
		MOVQ(n, shift)
		NOTQ(shift)
		SHRQ(Imm(1), high)
		SHRXQ(shift, high, high)
		ORQ(low, Mem{Base: dst, Index: to, Scale: 8})
		MOVQ(high, Mem{Base: dst, Index: to, Scale: 8, Disp: 8})
		ADDQ(mask, n)
	})
	Store(n, Return("count"))
	RET()
}
