package function

import (
	"strconv"

	"github.com/millrace/millrace/stream"
)

// array stands in signatures for an ARRAY of the type that stream.Invalid stands for.
var array = stream.Array(stream.Invalid)

var textArray = stream.Array(stream.Varchar)

func arraySig(result stream.Type, args ...stream.Type) []Signature {
	return []Signature{sig(result, args...)}
}

// arrays are the functions of ARRAY and ROW.
var arrays = []Function{
	{Name: "array", SQL: "ARRAY[..]", Syntax: true, Category: "nested", Nulls: Special, Signatures: []Signature{{Args: []stream.Type{anyType}, Variadic: true, Result: array}}, Doc: "the array of these elements"},
	{Name: "row", SQL: "ROW(..)", Syntax: true, Category: "nested", Nulls: Special, Doc: "the row of these members; they are named f1, f2, ..; a CAST names them otherwise"},
	{Name: "member", SQL: "r.name", Syntax: true, Category: "nested", MayNull: true, Doc: "the member of a row"},
	{Name: "element_at", SQL: "a[n]", Syntax: true, Category: "nested", MayNull: true, Signatures: arraySig(anyType, array, in8), Doc: "element n, the first being 1; NULL if there is none"},
	{Name: "equals_any", SQL: "x = ANY(a)", Syntax: true, Category: "nested", MayNull: true, Signatures: arraySig(boo, anyType, array), Doc: "whether an element is equal to x; NULL if none is and one is NULL; x <> ALL(a) is the opposite"},
	{Name: "cardinality", SQL: "CARDINALITY", Category: "nested", Signatures: arraySig(in4, array), Doc: "number of elements; also ARRAY_LENGTH"},
	{Name: "element", SQL: "ELEMENT", Category: "nested", MayErr: true, MayNull: true, Signatures: arraySig(anyType, array), Doc: "the one element; NULL of none, several are an error"},
	{Name: "array_contains", SQL: "ARRAY_CONTAINS", Category: "nested", Nulls: Special, Signatures: arraySig(boo, array, anyType), Doc: "whether an element is equal to x, where NULL is a value like others; NULL for no array"},
	{Name: "array_position", SQL: "ARRAY_POSITION", Category: "nested", Signatures: arraySig(in4, array, anyType), Doc: "which is the first element equal to x, 0 for none"},
	{Name: "array_append", SQL: "ARRAY_APPEND", Category: "nested", Nulls: Special, Signatures: arraySig(array, array, anyType), Doc: "with one more element, which may be NULL; also a || x; NULL for no array"},
	{Name: "array_prepend", SQL: "ARRAY_PREPEND", Category: "nested", Nulls: Special, Signatures: arraySig(array, array, anyType), Doc: "with one more element in front, which may be NULL; also x || a; NULL for no array"},
	{Name: "array_concat", SQL: "ARRAY_CONCAT", Category: "nested", Signatures: []Signature{{Args: []stream.Type{array}, Variadic: true, Result: array}}, Doc: "the elements of all; also a || b"},
	{Name: "array_remove", SQL: "ARRAY_REMOVE", Category: "nested", Nulls: Special, Signatures: arraySig(array, array, anyType), Doc: "without the elements equal to x, where NULL is a value like others; NULL for no array"},
	{Name: "array_reverse", SQL: "ARRAY_REVERSE", Category: "nested", Signatures: arraySig(array, array), Doc: "the last element first"},
	{Name: "array_distinct", SQL: "ARRAY_DISTINCT", Category: "nested", Signatures: arraySig(array, array), Doc: "the first of equal elements, NULL among them"},
	{Name: "array_sort", SQL: "ARRAY_SORT", Category: "nested", Signatures: []Signature{sig(array, array), sig(array, array, boo), sig(array, array, boo, boo)},
		Doc: "ascending, or descending if the second argument is FALSE; NULLs first if ascending, or as the third argument says"},
	{Name: "array_slice", SQL: "ARRAY_SLICE", Category: "nested", Signatures: []Signature{sig(array, array, in8), sig(array, array, in8, in8)},
		Doc: "elements from a position to another, or the last; below 0 they count from the end, 0 is the first"},
	{Name: "array_min", SQL: "ARRAY_MIN", Category: "nested", MayNull: true, Signatures: arraySig(anyType, array), Doc: "least element that is not NULL; NULL for none"},
	{Name: "array_max", SQL: "ARRAY_MAX", Category: "nested", MayNull: true, Signatures: arraySig(anyType, array), Doc: "greatest element that is not NULL; NULL for none"},
	{Name: "array_join", SQL: "ARRAY_JOIN", Category: "nested", Signatures: []Signature{sig(txt, textArray, txt), sig(txt, textArray, txt, txt)},
		Doc: "elements as texts with the second argument between them, without the NULLs or with the third argument for each; also ARRAY_TO_STRING"},
	{Name: "split", SQL: "SPLIT", Category: "nested", Signatures: []Signature{sig(textArray, txt, txt)}, Doc: "the pieces of a text between occurrences of the second; its characters if that is empty"},
	{Name: "string_to_array", SQL: "STRING_TO_ARRAY", Category: "nested", Signatures: []Signature{sig(textArray, txt, txt)},
		Doc: "the same, but no pieces of an empty text, and the whole text if the second is empty"},
}

// OfArrays reports whether a function takes arrays of any type.
func (f *Function) OfArrays() bool {
	for _, s := range f.Signatures {
		for _, a := range s.Args {
			if a == array {
				return true
			}
		}
	}
	return false
}

// IsAnyArray reports whether t stands for an ARRAY of any type in a signature.
func IsAnyArray(t stream.Type) bool { return t == array }

// RowType is the type of ROW(..) of members of these types.
func RowType(types []stream.Type) stream.Type {
	members := make([]stream.Member, len(types))
	for i, t := range types {
		members[i] = stream.Member{Name: "f" + strconv.Itoa(i+1), Type: t}
	}
	return stream.RowOf(members...)
}
