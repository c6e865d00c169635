package operator

import (
	"bytes"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// castTextBytesMax is how much of a value the reason of a failed cast shows; the rest
// is cut, at a character's border, and replaced by "...".
const castTextBytesMax = 64

// ofText has the conversions from VARCHAR. Blanks around the value are allowed.
var ofText = map[stream.Type]kernel{
	stream.Boolean:   readBits,
	stream.TinyInt:   readTexts(readInteger[int32](math.MinInt8, math.MaxInt8)),
	stream.SmallInt:  readTexts(readInteger[int32](math.MinInt16, math.MaxInt16)),
	stream.Integer:   readTexts(readInteger[int32](math.MinInt32, math.MaxInt32)),
	stream.BigInt:    readTexts(readInteger[int64](math.MinInt64, math.MaxInt64)),
	stream.Real:      readTexts(readFloat[float32](32)),
	stream.Double:    readTexts(readFloat[float64](64)),
	stream.Date:      readTexts(readMoment[int32](stream.ParseDate)),
	stream.TimeOfDay: readTexts(readMoment[int64](stream.ParseTime)),
	stream.Timestamp: readTexts(readMoment[int64](stream.ParseTimestamp)),
	stream.Interval:  readTexts(readMoment[int64](stream.ParseInterval)),
}

// readTexts makes a kernel of a parser. The parser's reason is empty for success;
// ErrCast is completed with the value.
func readTexts[T fixed](parse func(text []byte) (T, string)) kernel {
	return func(s *ProgramScratch, in *instr) {
		out := s.strict(in)
		p := values[T](&out.Column)
		*p = resize(*p, s.n)
		o, a := *p, &s.arg(in, 0).Column
		for i := range o {
			if out.Valid != nil && !out.Valid.Get(i) {
				o[i] = 0
				continue
			}
			x, reason := parse(a.Text(i))
			if o[i] = x; reason != "" {
				s.failRead(out, in, i, a.Text(i), reason)
			}
		}
	}
}

// failRead is failCast for a text that could not be read.
func (s *ProgramScratch) failRead(out *vector, in *instr, i int, text []byte, reason string) {
	if c := in.data.(caster); reason == function.ErrCast && !c.try {
		reason = cannotCast(text, c.to)
	}
	s.failCast(out, in, i, reason)
}

// castTexts converts between types carried as texts; what is not ok fails.
func castTexts(convert func(dst, text []byte) (out []byte, ok bool)) kernel {
	return func(s *ProgramScratch, in *instr) {
		out, a := s.strict(in), &s.arg(in, 0).Column
		w := s.writeText(out)
		for i := range s.n {
			if out.Valid == nil || out.Valid.Get(i) {
				var ok bool
				if w.bytes, ok = convert(w.bytes, a.Text(i)); !ok {
					w.bytes = w.bytes[:w.off[i]]
					text := a.Text(i)
					if a.Type == stream.Bytes {
						text = stream.AppendHex(nil, text)
					}
					s.failRead(out, in, i, text, function.ErrCast)
				}
			}
			w.end(s, out, i)
		}
		w.finish(out)
	}
}

func textOfBytes(dst, b []byte) ([]byte, bool) { return append(dst, b...), utf8.Valid(b) }

func cannotCast(text []byte, to stream.Type) string {
	shown, more := text, ""
	if len(text) > castTextBytesMax {
		cut := castTextBytesMax
		for cut > 0 && !utf8.RuneStart(text[cut]) {
			cut--
		}
		shown, more = text[:cut], "..."
	}
	return function.ErrCast + " '" + string(shown) + more + "' to " + to.String()
}

// readInteger reads an optional sign and digits, and checks the range.
func readInteger[T integer](low, high int64) func(text []byte) (T, string) {
	return func(text []byte) (T, string) {
		text = bytes.TrimSpace(text)
		negative := len(text) > 0 && text[0] == '-'
		if negative || len(text) > 0 && text[0] == '+' {
			text = text[1:]
		}
		if len(text) == 0 {
			return 0, function.ErrCast
		}
		x, over := uint64(0), false
		for _, c := range text {
			d := uint64(c) - '0'
			if d > 9 {
				return 0, function.ErrCast
			}
			if over = over || x > math.MaxInt64/10; !over {
				x = x*10 + d
			}
		}
		if negative {
			over = over || x > uint64(high)+1
		} else {
			over = over || x > uint64(high)
		}
		if over {
			return 0, function.ErrOverflow
		}
		if negative {
			return T(-x), ""
		}
		return T(x), ""
	}
}

func readFloat[T float](bits int) func(text []byte) (T, string) {
	return func(text []byte) (T, string) {
		f, ok := stream.ParseDouble(borrow(text), bits)
		if !ok {
			return 0, function.ErrCast
		}
		return T(f), ""
	}
}

func readMoment[T integer](parse func(string) (int64, bool)) func(text []byte) (T, string) {
	return func(text []byte) (T, string) {
		x, ok := parse(borrow(text))
		if !ok {
			return 0, function.ErrCast
		}
		return T(x), ""
	}
}

// borrow is text as a string without copying, for parsers that do not keep it.
func borrow(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

func readBits(s *ProgramScratch, in *instr) {
	out := s.strict(in)
	out.Bits = resize(out.Bits, s.words)
	clear(out.Bits)
	a := &s.arg(in, 0).Column
	for i := range s.n {
		if out.Valid != nil && !out.Valid.Get(i) {
			continue
		}
		switch truthOf(bytes.TrimSpace(a.Text(i))) {
		case 1:
			out.Bits.Set(i)
		case -1:
			s.failRead(out, in, i, a.Text(i), function.ErrCast)
		}
	}
}

// truthOf reads a BOOLEAN: 1, 0, or -1 for anything else.
func truthOf(text []byte) int {
	for _, yes := range []string{"true", "t", "yes", "1"} {
		if bytes.EqualFold(text, []byte(yes)) {
			return 1
		}
	}
	for _, no := range []string{"false", "f", "no", "0"} {
		if bytes.EqualFold(text, []byte(no)) {
			return 0
		}
	}
	return -1
}
