// Command generate writes the AVX2 kernels of package vector. It is a module of its own
// so that the engine's does not depend on the assembler.
//
// All kernels take pointers and counts of whole blocks; the package's Go code sees to
// what is left over. Operands are in the order of Go's assembler: sources from the last
// to the first, then the destination.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// element is a type of values.
type element struct {
	name  string // as in the names of kernels
	goes  string // the Go type
	size  int
	float bool
}

var elements = []element{
	{"Int32", "int32", 4, false},
	{"Int64", "int64", 8, false},
	{"Float32", "float32", 4, true},
	{"Float64", "float64", 8, true},
}

func main() {
	ConstraintExpr("amd64")
	for _, e := range elements {
		compareConst(e)
		comparePairs(e)
		outside(e)
		extremes(e)
		arithmetic(e)
	}
	multiplyWide()
	multiplySmall()
	divide()
	compress32()
	compress64()
	indices()
	compressBits()
	sums()
	order()
	pack(4)
	pack(8)
	conversions()
	lanes(4)
	lanes(8)
	laneIDs()
	Generate()
}

// text begins a kernel.
func text(doc, name, signature string) {
	TEXT(name, NOSPLIT, signature)
	Doc(fmt.Sprintf("%s %s", name, doc))
	Pragma("noescape")
}

// pointer, count and word load a parameter.
func pointer(name string) reg.GPVirtual {
	return Load(Param(name), GP64()).(reg.GPVirtual)
}

// at is the vector at byte offset of p.
func at(p reg.Register, offset int) Mem { return Mem{Base: p, Disp: offset} }

// broadcast fills a vector with the parameter, by instructions that leave no upper halves
// to be merged: a legacy load between them would cost as much as hundreds of values.
func broadcast(e element, name string) reg.VecVirtual {
	param, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	x, y := XMM(), YMM()
	if e.size == 4 {
		VMOVSS(param.Addr, x)
		VPBROADCASTD(x, y)
	} else {
		VMOVSD(param.Addr, x)
		VPBROADCASTQ(x, y)
	}
	return y
}

// broadcast64 fills a vector with a constant of 64 bits.
func broadcast64(v uint64) reg.VecVirtual {
	g, x, y := GP64(), XMM(), YMM()
	MOVQ(U64(v), g)
	VMOVQ(g, x)
	VPBROADCASTQ(x, y)
	return y
}

func zero() reg.VecVirtual {
	y := YMM()
	VPXOR(y, y, y)
	return y
}

// load32 loads a vector.
func load(m Mem) reg.VecVirtual {
	y := YMM()
	VMOVDQU(m, y)
	return y
}

// blocks repeats body and moves the pointers on by step bytes until n, a count of
// blocks, is zero.
func blocks(n reg.GPVirtual, step int, pointers []reg.GPVirtual, body func()) {
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("loop")
	body()
	for _, p := range pointers {
		ADDQ(U32(step), p)
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	Label("done")
}
