package operator

import (
	"bytes"
	"encoding/json"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Functions of JSON walk the text itself: once package encoding/json has found it valid,
// values are slices of it, and one is skipped by counting brackets outside strings.

var jsonFunctions = map[string]prepare{
	"json_value":    preparePath(eachText(jsonValue)),
	"json_query":    preparePath(eachText(jsonQuery)),
	"json_exists":   preparePath(eachBool(jsonExists)),
	"json_get":      prepareGet(eachText(jsonGet)),
	"json_get_text": prepareGet(eachText(jsonGetText)),
	"is_json":       prepareIsJSON,
}

func preparePath(run kernel) prepare {
	return func(b *builder, e *model.Expr, in *instr) error {
		in.run = run
		if path, ok := b.literalOf(in.args[1]); ok {
			in.data = compilePath(path.S)
		}
		return checkJSON(e, stream.Varchar)
	}
}

func prepareIsJSON(_ *builder, e *model.Expr, in *instr) error {
	in.run = eachBool(isJSON)
	if checkTypes(e, 1, stream.JSON, stream.Varchar) == nil {
		return nil
	}
	return checkTypes(e, 1, stream.Varchar, stream.Varchar)
}

func prepareGet(run kernel) prepare {
	return func(_ *builder, e *model.Expr, in *instr) error {
		in.run = run
		if checkJSON(e, stream.Varchar) == nil {
			return nil
		}
		return checkJSON(e, stream.BigInt)
	}
}

// checkJSON: a JSON, also in a text, and an argument of type t.
func checkJSON(e *model.Expr, t stream.Type) error {
	if checkTypes(e, 2, stream.JSON, t) == nil {
		return nil
	}
	return checkTypes(e, 2, stream.Varchar, t)
}

// jsonPath is a compiled path, or why there is none.
type jsonPath struct {
	path   *function.Path
	reason string
}

func compilePath(text string) *jsonPath {
	p, err := function.CompilePath(text)
	if err != nil {
		return &jsonPath{reason: function.ErrPattern}
	}
	return &jsonPath{path: p}
}

func (s *ProgramScratch) jsonPathOf(in *instr, i int) *jsonPath {
	if p, ok := in.data.(*jsonPath); ok {
		return p
	}
	text := string(s.text(in, 1, i))
	if p, ok := s.jsonPaths[text]; ok {
		return p
	}
	p := compilePath(text)
	if s.jsonPaths == nil {
		s.jsonPaths = map[string]*jsonPath{}
	} else if len(s.jsonPaths) >= compiledMax {
		clear(s.jsonPaths)
	}
	s.jsonPaths[text] = p
	return p
}

// jsonFound are the values at a path: how many there are, and the first.
type jsonFound struct {
	count int
	first []byte
}

// jsonAt finds what is at the path of row i.
func (s *ProgramScratch) jsonAt(in *instr, i int) (found jsonFound, reason string) {
	p := s.jsonPathOf(in, i)
	if p.reason != "" {
		return found, p.reason
	}
	if text := s.text(in, 0, i); json.Valid(text) {
		found.walk(bytes.Trim(text, jsonBlanks), p.path.Steps, p.path.Strict)
	}
	return found, ""
}

const jsonBlanks = " \t\r\n"

// walk follows the steps from a value, which has no blanks around.
func (f *jsonFound) walk(value []byte, steps []function.PathStep, strict bool) {
	if len(steps) == 0 {
		if f.count++; f.count == 1 {
			f.first = value
		}
		return
	}
	step, rest := steps[0], steps[1:]
	array := value[0] == '['
	switch {
	case step.Kind == function.PathMember && array && !strict:
		for items := jsonItems(value); items.next(); {
			if items.value[0] == '{' {
				f.walk(items.value, steps, strict)
			}
		}
	case step.Kind == function.PathMember:
		if v := jsonMember(value, []byte(step.Name)); v != nil {
			f.walk(v, rest, strict)
		}
	case !array && !strict && (step.Kind == function.PathElements || step.Index == 0):
		f.walk(value, rest, strict)
	case array:
		for items := jsonItems(value); items.next(); {
			if step.Kind == function.PathElements || items.index == step.Index {
				f.walk(items.value, rest, strict)
			}
		}
	}
}

// jsonIterator goes through the elements of an array, or the members of an object.
type jsonIterator struct {
	rest       []byte
	object     bool
	key, value []byte // the key with its quotes
	index      int
}

func jsonItems(value []byte) jsonIterator {
	return jsonIterator{rest: value[1 : len(value)-1], object: value[0] == '{', index: -1}
}

func (it *jsonIterator) next() bool {
	it.rest = bytes.TrimLeft(it.rest, jsonBlanks+",")
	if len(it.rest) == 0 {
		return false
	}
	it.index++
	if it.object {
		n := jsonLength(it.rest)
		it.key, it.rest = it.rest[:n], bytes.TrimLeft(it.rest[n:], jsonBlanks+":")
	}
	n := jsonLength(it.rest)
	it.value, it.rest = it.rest[:n], it.rest[n:]
	return true
}

// jsonLength is the length of the value at the start of valid JSON.
func jsonLength(text []byte) int {
	depth, inside := 0, false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case inside && c == '\\':
			i++
		case c == '"':
			if inside = !inside; !inside && depth == 0 {
				return i + 1
			}
		case inside:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			} else if depth < 0 {
				return i // a number, ended by the bracket around it
			}
		case depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			return i
		}
	}
	return len(text)
}

// jsonMember is the last member of that name, as package encoding/json has it; nil if
// there is none or value is no object.
func jsonMember(value, name []byte) (found []byte) {
	if value[0] != '{' {
		return nil
	}
	for items := jsonItems(value); items.next(); {
		if bytes.Equal(jsonString(items.key), name) {
			found = items.value
		}
	}
	return found
}

// jsonString is what a string means.
func jsonString(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return nil // not for valid JSON
	}
	return []byte(s)
}

func jsonValue(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	found, reason := s.jsonAt(in, i)
	if reason != "" {
		return dst, reason
	}
	if found.count != 1 || found.first[0] == '{' || found.first[0] == '[' {
		return dst, nullRow
	}
	return appendJSONText(dst, found.first)
}

// appendJSONText appends a value as text: a string without quotes, null as NULL.
func appendJSONText(dst, value []byte) ([]byte, string) {
	switch value[0] {
	case 'n':
		return dst, nullRow
	case '"':
		return append(dst, jsonString(value)...), ""
	}
	return append(dst, value...), ""
}

func jsonQuery(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	found, reason := s.jsonAt(in, i)
	if reason != "" {
		return dst, reason
	}
	if found.count != 1 || found.first[0] != '{' && found.first[0] != '[' {
		return dst, nullRow
	}
	return append(dst, found.first...), ""
}

func jsonExists(s *ProgramScratch, in *instr, i int) (bool, string) {
	found, reason := s.jsonAt(in, i)
	return found.count > 0, reason
}

// member is what -> finds in row i; nil if nothing.
func (s *ProgramScratch) member(in *instr, i int) []byte {
	text := s.text(in, 0, i)
	if !json.Valid(text) {
		return nil
	}
	text = bytes.Trim(text, jsonBlanks)
	if s.arg(in, 1).Type == stream.Varchar {
		return jsonMember(text, s.text(in, 1, i))
	}
	if text[0] != '[' {
		return nil
	}
	n := s.i64(in, 1, i)
	if n < 0 {
		for items := jsonItems(text); items.next(); {
			n++
		}
	}
	for items := jsonItems(text); items.next(); {
		if int64(items.index) == n {
			return items.value
		}
	}
	return nil
}

func jsonGet(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	if v := s.member(in, i); v != nil {
		return append(dst, v...), ""
	}
	return dst, nullRow
}

func jsonGetText(s *ProgramScratch, in *instr, i int, dst []byte) ([]byte, string) {
	if v := s.member(in, i); v != nil {
		return appendJSONText(dst, v)
	}
	return dst, nullRow
}

func isJSON(s *ProgramScratch, in *instr, i int) (bool, string) {
	text, kind := s.text(in, 0, i), "value"
	if len(in.args) == 2 {
		kind = string(s.text(in, 1, i))
	}
	valid := json.Valid(text)
	text = bytes.Trim(text, jsonBlanks)
	switch kind {
	case "value":
		return valid, ""
	case "object":
		return valid && text[0] == '{', ""
	case "array":
		return valid && text[0] == '[', ""
	case "scalar":
		return valid && text[0] != '{' && text[0] != '[', ""
	}
	return false, function.ErrDomain
}
