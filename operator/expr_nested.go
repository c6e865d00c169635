package operator

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Functions of ARRAY and ROW work on the bytes that such values are written as (package
// stream): what is equal has equal bytes, what is less has lesser ones, and an element
// is moved without knowing what it means. Only where an element leaves its array is it
// turned into a value of its type.

var nestedFunctions = map[string]prepare{
	"array":           prepareNested(runArray),
	"row":             prepareNested(runRow),
	"member":          prepareMember,
	"element_at":      prepareNested(eachItem(elementAt)),
	"element":         prepareNested(eachItem(onlyElement)),
	"array_min":       prepareNested(eachItem(leastElement)),
	"array_max":       prepareNested(eachItem(greatestElement)),
	"equals_any":      prepareNested(eachBool(equalsAny)),
	"cardinality":     prepareNested(eachFixed(countElements)),
	"array_contains":  prepareNested(ofArray(eachBoolIn(containsElement))),
	"array_position":  prepareNested(eachFixed(positionOfElement)),
	"array_append":    prepareNested(ofArray(textsIn(appendElement))),
	"array_prepend":   prepareNested(ofArray(textsIn(prependElement))),
	"array_remove":    prepareNested(ofArray(textsIn(removeElements))),
	"array_concat":    prepareNested(eachText(concatArrays)),
	"array_reverse":   prepareNested(eachText(reverseArray)),
	"array_distinct":  prepareNested(eachText(distinctElements)),
	"array_sort":      prepareNested(eachText(sortArray)),
	"array_slice":     prepareNested(eachText(sliceArray)),
	"array_join":      prepareNested(eachText(joinElements)),
	"split":           prepareTyped(eachText(splitText), 2, stream.Varchar, stream.Varchar),
	"string_to_array": prepareTyped(eachText(stringToArray), 2, stream.Varchar, stream.Varchar),
}

// prepareNested takes what the model's verification lets through.
func prepareNested(run kernel) prepare {
	return func(_ *builder, _ *model.Expr, in *instr) error {
		in.run = run
		return nil
	}
}

// nestedType is the type of argument k.
func (s *ProgramScratch) nestedType(in *instr, k int) stream.Type { return s.arg(in, k).Type }

// items are the elements of argument k in row i.
func (s *ProgramScratch) items(in *instr, k, i int) stream.Items {
	return stream.ItemsOf(s.nestedType(in, k), s.text(in, k, i))
}

// appendArg appends argument k of row i as an item.
func (s *ProgramScratch) appendArg(dst []byte, in *instr, k, i int) []byte {
	a := &s.arg(in, k).Column
	if a.IsNull(i) {
		return stream.AppendItem(dst, nil, true)
	}
	return a.AppendRaw(stream.AppendItem(dst, nil, false), i)
}

// written is argument k of row i as an item, which is valid until the next call.
func (s *ProgramScratch) written(in *instr, k, i int) []byte {
	s.item = s.appendArg(s.item[:0], in, k, i)
	return s.item
}

// appendHere appends the item at hand.
func appendHere(dst []byte, it *stream.Items) []byte {
	return stream.AppendItem(dst, it.Raw, it.Null)
}

// sameItem reports whether the item at hand is the one written.
func sameItem(it *stream.Items, written []byte) bool {
	if it.Null {
		return len(written) == 1
	}
	return len(written) > 1 && bytes.Equal(it.Raw, written[1:])
}

// failuresOf gives the result the failures of all arguments, and no NULLs.
func (s *ProgramScratch) failuresOf(in *instr) *vector {
	out := s.result(in)
	out.Valid = nil
	for k := range in.args {
		s.inherit(out, s.arg(in, k))
	}
	return out
}

func runArray(s *ProgramScratch, in *instr) { s.collect(in, true) }
func runRow(s *ProgramScratch, in *instr)   { s.collect(in, false) }

// collect writes all arguments as the items of a nested value.
func (s *ProgramScratch) collect(in *instr, array bool) {
	out := s.failuresOf(in)
	w := s.writeText(out)
	for i := range s.n {
		for k := range in.args {
			w.bytes = s.appendArg(w.bytes, in, k, i)
		}
		if array {
			w.bytes = stream.EndArray(w.bytes)
		}
		w.end(s, out, i)
	}
	w.finish(out)
}

// itemRow finds the result of row i among the items of its arguments; none is NULL.
type itemRow func(s *ProgramScratch, in *instr, i int) (raw []byte, reason string)

// eachItem makes a kernel of a function whose result is an item.
func eachItem(f itemRow) kernel {
	return func(s *ProgramScratch, in *instr) {
		out := s.strict(in)
		s.found.Reset(out.Type)
		for i := range s.n {
			if !s.computes(out, i) {
				s.found.AppendNull(i)
				continue
			}
			raw, reason := f(s, in, i)
			if reason != "" {
				s.without(out, i, reason)
				s.found.AppendNull(i)
				continue
			}
			s.found.AppendFromRaw(raw, i)
		}
		own := out.Column
		out.Column = s.found
		own.Valid, out.Valid = out.Valid, own.Valid // each keeps its buffer
		s.found = own
	}
}

func elementAt(s *ProgramScratch, in *instr, i int) ([]byte, string) {
	n := s.i64(in, 1, i)
	for it := s.items(in, 0, i); n > 0 && it.Next(); n-- {
		if n == 1 && !it.Null {
			return it.Raw, ""
		}
	}
	return nil, nullRow
}

func onlyElement(s *ProgramScratch, in *instr, i int) ([]byte, string) {
	it := s.items(in, 0, i)
	if !it.Next() {
		return nil, nullRow
	}
	first := it
	if it.Next() {
		return nil, function.ErrDomain
	}
	if first.Null {
		return nil, nullRow
	}
	return first.Raw, ""
}

func leastElement(s *ProgramScratch, in *instr, i int) ([]byte, string) { return s.extreme(in, i, -1) }
func greatestElement(s *ProgramScratch, in *instr, i int) ([]byte, string) {
	return s.extreme(in, i, 1)
}

func (s *ProgramScratch) extreme(in *instr, i, sign int) (best []byte, reason string) {
	reason = nullRow
	for it := s.items(in, 0, i); it.Next(); {
		if !it.Null && (best == nil || sign*bytes.Compare(it.Raw, best) > 0) {
			best, reason = it.Raw, ""
		}
	}
	return best, reason
}

// prepareMember: the second argument is the number of the member.
func prepareMember(b *builder, e *model.Expr, in *instr) error {
	if len(e.Args) != 2 || !e.Args[0].Type.IsRow() || e.Args[1].Kind != model.LiteralExpr {
		return fmt.Errorf("it needs a row and the number of a member")
	}
	n := int(e.Args[1].Literal.I)
	in.run = eachItem(func(s *ProgramScratch, in *instr, i int) ([]byte, string) {
		it := s.items(in, 0, i)
		for range n {
			it.Next()
		}
		if it.Null {
			return nil, nullRow
		}
		return it.Raw, ""
	})
	return nil
}

func equalsAny(s *ProgramScratch, in *instr, i int) (bool, string) {
	x, null := s.written(in, 0, i), ""
	for it := s.items(in, 1, i); it.Next(); {
		if it.Null {
			null = nullRow
		} else if sameItem(&it, x) {
			return true, ""
		}
	}
	return false, null
}

func countElements(s *ProgramScratch, in *instr, i int) (int32, string) {
	return int32(stream.CountItems(s.nestedType(in, 0), s.text(in, 0, i))), ""
}

func positionOfElement(s *ProgramScratch, in *instr, i int) (int32, string) {
	x, n := s.written(in, 1, i), int32(0)
	for it := s.items(in, 0, i); it.Next(); {
		if n++; sameItem(&it, x) {
			return n, ""
		}
	}
	return 0, ""
}

// ofArray is NULL where the first argument is, and fails where any does.
func ofArray(run func(s *ProgramScratch, in *instr, out *vector)) kernel {
	return func(s *ProgramScratch, in *instr) {
		out := s.failuresOf(in)
		s.andValid(out, s.arg(in, 0))
		run(s, in, out)
	}
}

func eachBoolIn(f boolRow) func(s *ProgramScratch, in *instr, out *vector) {
	return func(s *ProgramScratch, in *instr, out *vector) { s.bools(out, in, f) }
}

func textsIn(f textRow) func(s *ProgramScratch, in *instr, out *vector) {
	return func(s *ProgramScratch, in *instr, out *vector) { s.texts(out, in, f) }
}

func containsElement(s *ProgramScratch, in *instr, i int) (bool, string) {
	x := s.written(in, 1, i)
	for it := s.items(in, 0, i); it.Next(); {
		if sameItem(&it, x) {
			return true, ""
		}
	}
	return false, ""
}

// open is an array without its end.
func open(array []byte) []byte { return array[:len(array)-1] }

func appendElement(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	dst = append(dst, open(s.text(in, 0, i))...)
	return stream.EndArray(s.appendArg(dst, in, 1, i)), ""
}

func prependElement(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	return append(s.appendArg(dst, in, 1, i), s.text(in, 0, i)...), ""
}

func removeElements(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	x := s.written(in, 1, i)
	for it := s.items(in, 0, i); it.Next(); {
		if !sameItem(&it, x) {
			dst = appendHere(dst, &it)
		}
	}
	return stream.EndArray(dst), ""
}

func concatArrays(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	for k := range in.args {
		dst = append(dst, open(s.text(in, k, i))...)
	}
	return stream.EndArray(dst), ""
}

// elements lists the items of the first argument of row i; the list is valid until the
// next call.
func (s *ProgramScratch) elements(in *instr, i int) []stream.Items {
	s.list = s.list[:0]
	for it := s.items(in, 0, i); it.Next(); {
		s.list = append(s.list, it)
	}
	return s.list
}

func appendArray(dst []byte, list []stream.Items) []byte {
	for k := range list {
		dst = appendHere(dst, &list[k])
	}
	return stream.EndArray(dst)
}

func reverseArray(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	list := s.elements(in, i)
	slices.Reverse(list)
	return appendArray(dst, list), ""
}

func distinctElements(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	if s.seen == nil {
		s.seen = map[string]struct{}{}
	}
	clear(s.seen)
	null := false
	for it := s.items(in, 0, i); it.Next(); {
		if it.Null {
			if !null {
				dst, null = appendHere(dst, &it), true
			}
			continue
		}
		if _, known := s.seen[string(it.Raw)]; !known {
			s.seen[string(it.Raw)] = struct{}{}
			dst = appendHere(dst, &it)
		}
	}
	return stream.EndArray(dst), ""
}

func sortArray(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	sign, nullsFirst := 1, true
	if len(in.args) > 1 && !s.arg(in, 1).Bits.Get(i) {
		sign, nullsFirst = -1, false
	}
	if len(in.args) > 2 {
		nullsFirst = s.arg(in, 2).Bits.Get(i)
	}
	list := s.elements(in, i)
	slices.SortFunc(list, func(a, b stream.Items) int {
		switch {
		case a.Null && b.Null:
			return 0
		case a.Null == nullsFirst && a.Null || b.Null && !nullsFirst:
			return -1
		case a.Null || b.Null:
			return 1
		}
		return sign * bytes.Compare(a.Raw, b.Raw)
	})
	return appendArray(dst, list), ""
}

// sliceArray: positions are 1-based, below zero from the end; 0 is the first.
func sliceArray(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	list := s.elements(in, i)
	n := int64(len(list))
	from, to := s.i64(in, 1, i), n
	if len(in.args) == 3 {
		to = fromEnd(s.i64(in, 2, i), n)
	}
	from, to = max(fromEnd(from, n), 1), min(to, n)
	if from > to {
		return stream.EndArray(dst), ""
	}
	return appendArray(dst, list[from-1:to]), ""
}

// fromEnd is the position from the front, 1 for 0, and 0 for one before the first.
func fromEnd(at, n int64) int64 {
	switch {
	case at > 0:
		return at
	case at == 0:
		return 1
	case at < -n:
		return 0
	}
	return n + 1 + at
}

func joinElements(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	first := true
	for it := s.items(in, 0, i); it.Next(); {
		if it.Null && len(in.args) < 3 {
			continue
		}
		if !first {
			dst = append(dst, s.text(in, 1, i)...)
		}
		first = false
		if it.Null {
			dst = append(dst, s.text(in, 2, i)...)
		} else {
			dst = stream.AppendText(dst, stream.Varchar, it.Raw)
		}
	}
	return dst, ""
}

func splitText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, by := s.text(in, 0, i), s.text(in, 1, i)
	if len(by) > 0 {
		return appendPieces(dst, text, by), ""
	}
	for len(text) > 0 {
		_, n := utf8.DecodeRune(text)
		dst, text = stream.AppendTextItem(dst, text[:n]), text[n:]
	}
	return stream.EndArray(dst), ""
}

func appendPieces(dst, text, by []byte) []byte {
	for {
		at := bytes.Index(text, by)
		if at < 0 {
			return stream.EndArray(stream.AppendTextItem(dst, text))
		}
		dst, text = stream.AppendTextItem(dst, text[:at]), text[at+len(by):]
	}
}

func stringToArray(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	text, by := s.text(in, 0, i), s.text(in, 1, i)
	switch {
	case len(text) == 0:
		return stream.EndArray(dst), ""
	case len(by) == 0:
		return stream.EndArray(stream.AppendTextItem(dst, text)), ""
	}
	return appendPieces(dst, text, by), ""
}
