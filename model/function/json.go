package function

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// jsons are the functions of JSON, also of JSON in texts.
var jsons = []Function{
	{Name: "json_value", SQL: "JSON_VALUE", Category: "JSON", MayErr: true, MayNull: true, Signatures: []Signature{sig(txt, txt, txt), sig(txt, jsn, txt)},
		Doc: "JSON_VALUE(text, '$.a.b[0]'): the one string, number or Boolean at the path, as text (RETURNING type: TRY_CAST to it); NULL for null, an object, an array, nothing, several and a text that is no JSON; DEFAULT x ON EMPTY and DEFAULT x ON ERROR give something else: as in Flink a text that is no JSON, a value that is not of the type, and what a strict path does not find are errors, what a lax path does not find, null among it, is empty"},
	{Name: "json_query", SQL: "JSON_QUERY", Category: "JSON", MayErr: true, MayNull: true, Signatures: []Signature{sig(txt, txt, txt), sig(txt, jsn, txt)}, Doc: "the one object or array at the path, as it is written; NULL otherwise"},
	{Name: "json_exists", SQL: "JSON_EXISTS", Category: "JSON", MayErr: true, Signatures: []Signature{sig(boo, txt, txt), sig(boo, jsn, txt)}, Doc: "whether there is anything at the path; FALSE for a text that is no JSON"},
	{Name: "json_get", SQL: "->", Syntax: true, Category: "JSON", MayNull: true, Signatures: []Signature{sig(txt, txt, txt), sig(txt, txt, in8), sig(jsn, jsn, txt), sig(jsn, jsn, in8)},
		Doc: "member of that name, or element n from 0 (from the end below 0), as it is written, of a JSON a JSON; NULL if there is none or the text is no JSON"},
	{Name: "json_get_text", SQL: "->>", Syntax: true, Category: "JSON", MayNull: true, Signatures: []Signature{sig(txt, txt, txt), sig(txt, txt, in8), sig(txt, jsn, txt), sig(txt, jsn, in8)}, Doc: "the same, strings without quotes and escapes, NULL for null"},
	{Name: "is_json", SQL: "IS JSON", Syntax: true, Category: "JSON", MayErr: true, Signatures: []Signature{sig(boo, txt), sig(boo, txt, txt), sig(boo, jsn), sig(boo, jsn, txt)}, Doc: "whether the text is JSON; IS JSON OBJECT, ARRAY or SCALAR: such a value"},
}

// JSONKinds are what IS JSON can ask for.
var JSONKinds = []string{"value", "object", "array", "scalar"}

// PathStep is one step of a path into JSON.
type PathStep struct {
	Kind  PathKind
	Name  string // of PathMember
	Index int    // of PathElement
}

// PathKind is what a step takes of a value.
type PathKind uint8

// The kinds of steps.
const (
	PathMember   PathKind = iota // the member Name of an object
	PathElement                  // the element Index of an array
	PathElements                 // all elements of an array
)

// Path is a compiled path. In a lax one a member is looked for in the elements of an
// array, and a value that is no array is one of itself.
type Path struct {
	Strict bool
	Steps  []PathStep
}

// CompilePath reads a path of SQL/JSON: [lax|strict] $ with steps .name, ."name", [n]
// and [*].
func CompilePath(path string) (*Path, error) {
	p := &Path{}
	rest := strings.TrimSpace(path)
	if after, ok := strings.CutPrefix(rest, "strict "); ok {
		p.Strict, rest = true, strings.TrimSpace(after)
	} else if after, ok := strings.CutPrefix(rest, "lax "); ok {
		rest = strings.TrimSpace(after)
	}
	rest, ok := strings.CutPrefix(rest, "$")
	if !ok {
		return nil, errors.New("a path begins with $")
	}
	for rest != "" {
		step, n, err := pathStep(rest)
		if err != nil {
			return nil, err
		}
		p.Steps, rest = append(p.Steps, step), rest[n:]
	}
	return p, nil
}

// pathStep reads the step at the start of a path, n bytes.
func pathStep(s string) (step PathStep, n int, err error) {
	switch {
	case strings.HasPrefix(s, "[*]"):
		return PathStep{Kind: PathElements}, 3, nil
	case s[0] == '[':
		end := strings.IndexByte(s, ']')
		index, err := strconv.ParseUint(strings.TrimSpace(s[1:max(end, 1)]), 10, 31)
		if err != nil {
			return step, 0, fmt.Errorf("elements are numbers from 0, or *")
		}
		return PathStep{Kind: PathElement, Index: int(index)}, end + 1, nil
	case strings.HasPrefix(s, `."`):
		quoted, err := strconv.QuotedPrefix(s[1:])
		if err != nil {
			return step, 0, errors.New("a quoted name is not closed")
		}
		name, err := strconv.Unquote(quoted)
		return PathStep{Kind: PathMember, Name: name}, 1 + len(quoted), err
	case s[0] == '.':
		n = 1
		for n < len(s) {
			r, size := utf8.DecodeRuneInString(s[n:])
			if r != '_' && !unicode.IsLetter(r) && !(n > 1 && unicode.IsDigit(r)) {
				break
			}
			n += size
		}
		if n > 1 {
			return PathStep{Kind: PathMember, Name: s[1:n]}, n, nil
		}
	}
	return step, 0, fmt.Errorf("%q is no step: steps are .name, .\"name\", [n] and [*]", s)
}
