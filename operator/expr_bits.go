package operator

var bitFunctions = map[string]prepare{
	"bit_and":     prepareWhole(andInts[int32], andInts[int64]),
	"bit_or":      prepareWhole(orInts[int32], orInts[int64]),
	"bit_xor":     prepareWhole(xorInts[int32], xorInts[int64]),
	"bit_not":     prepareWhole(invertInts[int32], invertInts[int64]),
	"shift_left":  prepareWhole(shiftLeft[int32](31), shiftLeft[int64](63)),
	"shift_right": prepareWhole(shiftRight[int32](31), shiftRight[int64](63)),
}

func prepareWhole(i32, i64 kernel) prepare { return prepareArithmetic(i32, i64, nil, nil) }

func andInts[T integer](s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[T](s, in)
	for i := range o {
		o[i] = a[i] & b[i]
	}
}

func orInts[T integer](s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[T](s, in)
	for i := range o {
		o[i] = a[i] | b[i]
	}
}

func xorInts[T integer](s *ProgramScratch, in *instr) {
	_, o, a, b := pairOf[T](s, in)
	for i := range o {
		o[i] = a[i] ^ b[i]
	}
}

func invertInts[T integer](s *ProgramScratch, in *instr) {
	_, o, a := oneOf[T, T](s, in)
	for i := range o {
		o[i] = ^a[i]
	}
}

func shiftLeft[T integer](mask T) kernel {
	return func(s *ProgramScratch, in *instr) {
		_, o, a, b := pairOf[T](s, in)
		for i := range o {
			o[i] = a[i] << (b[i] & mask)
		}
	}
}

func shiftRight[T integer](mask T) kernel {
	return func(s *ProgramScratch, in *instr) {
		_, o, a, b := pairOf[T](s, in)
		for i := range o {
			o[i] = a[i] >> (b[i] & mask)
		}
	}
}
