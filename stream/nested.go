package stream

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Nested types. An ARRAY or a ROW is carried by VARCHAR's storage, each value as one
// string of bytes (see nested_value.go), so that whatever moves, compares, hashes or keeps
// texts does so with them. What a Type cannot hold, the types of elements or members, is
// kept in a shape; the Type has the shape's number. Shapes are interned: equal types have
// equal numbers, and a Type stays a small number that can be compared and be the key of
// a map. Numbers mean nothing outside the process: what is stored names types by their
// text (String, ParseType).

// Limits of nested types.
const (
	NestedTypesMax  = 1 << 16 // different ones in one process
	NestingDepthMax = 16      // of types within types
	RowMembersMax   = 1000
)

const nestedKind = Varchar | 15<<kindShift

// Member is one named part of a ROW.
type Member struct {
	Name string
	Type Type
}

// shape is what a nested type is made of.
type shape struct {
	text    string
	element Type     // of an ARRAY
	members []Member // of a ROW; nil for an ARRAY
	depth   int
}

// shapes are all shapes by number. Readers load the list, which is never changed; writers
// hold the lock.
var shapes struct {
	sync.Mutex
	list   atomic.Pointer[[]*shape]
	byText map[string]Type
}

func (t Type) shape() *shape { return (*shapes.list.Load())[t>>precisionShift] }

// intern returns the type of the shape, Invalid if a limit is passed.
func intern(s shape) Type {
	shapes.Lock()
	defer shapes.Unlock()
	if t, ok := shapes.byText[s.text]; ok {
		return t
	}
	var list []*shape
	if p := shapes.list.Load(); p != nil {
		list = *p
	}
	if len(list) >= NestedTypesMax || s.depth > NestingDepthMax {
		return Invalid
	}
	if shapes.byText == nil {
		shapes.byText = map[string]Type{}
	}
	t := nestedKind | Type(len(list))<<precisionShift
	list = append(slices.Clip(list), &s)
	shapes.byText[s.text] = t
	shapes.list.Store(&list)
	return t
}

func depthOf(t Type) int {
	if !t.IsNested() {
		return 0
	}
	return t.shape().depth
}

// Array returns ARRAY<element>, or Invalid where a limit is passed. ARRAY<INVALID> is no
// type of a column; signatures use it for an array of anything.
func Array(element Type) Type {
	return intern(shape{text: "ARRAY<" + element.String() + ">", element: element, depth: depthOf(element) + 1})
}

// RowOf returns ROW<name type, ..>, or Invalid where a limit is passed or there are no
// members.
func RowOf(members ...Member) Type {
	if len(members) == 0 || len(members) > RowMembersMax {
		return Invalid
	}
	s := shape{members: slices.Clone(members)}
	text := "ROW<"
	for i, m := range members {
		if i > 0 {
			text += ", "
		}
		text += quoteName(m.Name) + " " + m.Type.String()
		s.depth = max(s.depth, depthOf(m.Type)+1)
	}
	s.text = text + ">"
	return intern(s)
}

// FoldedRow is RowOf for members that a file has: their names in lower case, in which
// names without quotes are looked for, if they stay apart. Of two equal names it is
// Invalid.
func FoldedRow(members []Member) Type {
	folded, exact := map[string]bool{}, map[string]bool{}
	for _, m := range members {
		folded[strings.ToLower(m.Name)], exact[m.Name] = true, true
	}
	if len(exact) < len(members) {
		return Invalid
	}
	members = slices.Clone(members)
	for i := range members {
		if len(folded) == len(members) {
			members[i].Name = strings.ToLower(members[i].Name)
		}
	}
	return RowOf(members...)
}

// quoteName is a name as it stands in a type's text, which has one line.
func quoteName(name string) string {
	plain := name != "" && (name[0] < '0' || name[0] > '9')
	for i := range len(name) {
		c := name[i]
		plain = plain && (c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	}
	if plain {
		return name
	}
	return strconv.Quote(name)
}

// IsNested reports whether t is an ARRAY or a ROW.
func (t Type) IsNested() bool { return t&kindMask == nestedKind }

// IsArray reports whether t is an ARRAY.
func (t Type) IsArray() bool { return t.IsNested() && t.shape().members == nil }

// IsRow reports whether t is a ROW.
func (t Type) IsRow() bool { return t.IsNested() && t.shape().members != nil }

// Element is the type of an ARRAY's elements, Invalid for other types.
func (t Type) Element() Type {
	if !t.IsNested() {
		return Invalid
	}
	return t.shape().element
}

// Members are the members of a ROW, nil for other types. They belong to the type.
func (t Type) Members() []Member {
	if !t.IsNested() {
		return nil
	}
	return t.shape().members
}

func (t Type) validNested() bool {
	p := shapes.list.Load()
	if p == nil || int(t>>precisionShift) >= len(*p) {
		return false
	}
	s := t.shape()
	if s.members == nil {
		return s.element.Valid()
	}
	return !slices.ContainsFunc(s.members, func(m Member) bool { return !m.Type.Valid() })
}

// CutType reads the nested type at the start of s, ARRAY<..> or ROW<..> with keywords in
// any case, and returns what follows it.
func CutType(s string) (t Type, rest string, ok bool) { return cutType(s, 0) }

func cutType(s string, depth int) (t Type, rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	end := strings.IndexAny(s, "<>,")
	if end < 0 {
		end = len(s)
	}
	switch word := strings.ToUpper(s[:end]); {
	case depth > NestingDepthMax:
		return Invalid, s, false
	case end < len(s) && s[end] == '<' && word == "ARRAY":
		element, rest, ok := cutType(s[end+1:], depth+1)
		if rest, ok2 := strings.CutPrefix(rest, ">"); ok && ok2 {
			t = Array(element)
			return t, rest, t.Valid()
		}
		return Invalid, s, false
	case end < len(s) && s[end] == '<' && word == "ROW":
		return cutRow(s[end+1:], depth+1)
	case depth > 0 && strings.HasPrefix(word, "DECIMAL("):
		if end = strings.IndexByte(s, ')') + 1; end == 0 {
			return Invalid, s, false
		}
	case depth == 0:
		return Invalid, s, false
	}
	t, ok = parseFlat(s[:end])
	return t, s[end:], ok
}

func cutRow(s string, depth int) (t Type, rest string, ok bool) {
	var members []Member
	for {
		name, after, ok := cutName(strings.TrimLeft(s, " "))
		if !ok || len(members) == RowMembersMax {
			return Invalid, s, false
		}
		m := Member{Name: name}
		if m.Type, s, ok = cutType(after, depth); !ok {
			return Invalid, s, false
		}
		members = append(members, m)
		if rest, ok := strings.CutPrefix(s, ">"); ok {
			t = RowOf(members...)
			return t, rest, t.Valid()
		}
		if s, ok = strings.CutPrefix(s, ","); !ok {
			return Invalid, s, false
		}
	}
}

// cutName reads a name as quoteName writes it.
func cutName(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return strings.Cut(s, " ")
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", s, false
	}
	name, err = strconv.Unquote(quoted)
	return name, s[len(quoted):], err == nil
}
