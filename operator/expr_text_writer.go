package operator

import (
	"math"

	"github.com/millrace/millrace/model/function"
)

// textBytesMax is how much text one vector of results can hold: offsets have 32 bits.
// A row whose text would go past it fails (number out of range).
const textBytesMax = math.MaxInt32

// textWriter builds a VARCHAR vector: append a row's text to bytes, then call end.
type textWriter struct {
	bytes []byte
	off   []int32
}

// writeText begins a vector of n texts in out's buffers.
func (s *ProgramScratch) writeText(out *vector) textWriter {
	w := textWriter{bytes: out.Bytes[:0], off: resize(out.Off, s.n+1)}
	w.off[0] = 0
	return w
}

// end ends row i.
func (w *textWriter) end(s *ProgramScratch, out *vector, i int) {
	if len(w.bytes) > textBytesMax {
		w.bytes = w.bytes[:w.off[i]]
		s.failOwn(out, i, function.ErrOverflow)
	}
	w.off[i+1] = int32(len(w.bytes))
}

// finish hands the texts to out.
func (w *textWriter) finish(out *vector) { out.Bytes, out.Off = w.bytes, w.off }
