package reference

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

func init() {
	register(map[string]call{
		"member":     func(a []stream.Value, _ stream.Type) (stream.Value, string) { return a[0].Items()[a[1].I-1], "" },
		"element_at": elementAt,
		"element":    onlyElement,
		"equals_any": equalsAny,
		"cardinality": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return stream.Int(int32(len(a[0].Items()))), ""
		},
		"array_position":  arrayPosition,
		"array_concat":    arrayConcat,
		"array_reverse":   arrayReverse,
		"array_distinct":  arrayDistinct,
		"array_sort":      arraySort,
		"array_slice":     arraySlice,
		"array_min":       func(a []stream.Value, t stream.Type) (stream.Value, string) { return arrayExtreme(a[0], t, -1) },
		"array_max":       func(a []stream.Value, t stream.Type) (stream.Value, string) { return arrayExtreme(a[0], t, 1) },
		"array_join":      arrayJoin,
		"split":           split,
		"string_to_array": stringToArray,
	})
	special["array"], special["row"] = nest, nest
	special["array_contains"] = ofArray(func(items []stream.Value, x stream.Value, _ stream.Type) stream.Value {
		return stream.Bool(slices.ContainsFunc(items, func(v stream.Value) bool { return order(v, x) == 0 }))
	})
	special["array_append"] = ofArray(func(items []stream.Value, x stream.Value, t stream.Type) stream.Value {
		return stream.Nested(t, append(items, x)...)
	})
	special["array_prepend"] = ofArray(func(items []stream.Value, x stream.Value, t stream.Type) stream.Value {
		return stream.Nested(t, slices.Insert(items, 0, x)...)
	})
	special["array_remove"] = ofArray(func(items []stream.Value, x stream.Value, t stream.Type) stream.Value {
		return stream.Nested(t, slices.DeleteFunc(items, func(v stream.Value) bool { return order(v, x) == 0 })...)
	})
}

// nest makes a nested value of all arguments, NULLs among them.
func nest(e *model.Expr, row Row) (stream.Value, string) {
	items, reason := evalAll(e.Args, row)
	if reason != "" {
		return stream.Value{}, reason
	}
	return stream.Nested(e.Type, items...), ""
}

// ofArray is a function of an array and an element that may be NULL.
func ofArray(f func(items []stream.Value, x stream.Value, t stream.Type) stream.Value) func(e *model.Expr, row Row) (stream.Value, string) {
	return func(e *model.Expr, row Row) (stream.Value, string) {
		args, reason := evalAll(e.Args, row)
		switch {
		case reason != "":
			return stream.Value{}, reason
		case args[0].Null:
			return stream.NullOf(e.Type), ""
		}
		return f(args[0].Items(), args[1], e.Type), ""
	}
}

func elementAt(a []stream.Value, t stream.Type) (stream.Value, string) {
	items := a[0].Items()
	if a[1].I < 1 || a[1].I > int64(len(items)) {
		return stream.NullOf(t), ""
	}
	return items[a[1].I-1], ""
}

func onlyElement(a []stream.Value, t stream.Type) (stream.Value, string) {
	switch items := a[0].Items(); len(items) {
	case 0:
		return stream.NullOf(t), ""
	case 1:
		return items[0], ""
	}
	return domainError()
}

func equalsAny(a []stream.Value, t stream.Type) (stream.Value, string) {
	result := stream.Bool(false)
	for _, v := range a[1].Items() {
		if v.Null {
			result = stream.NullOf(t)
		} else if compare(v, a[0]) == 0 {
			return stream.Bool(true), ""
		}
	}
	return result, ""
}

func arrayPosition(a []stream.Value, _ stream.Type) (stream.Value, string) {
	return stream.Int(int32(1 + slices.IndexFunc(a[0].Items(), func(v stream.Value) bool { return order(v, a[1]) == 0 }))), ""
}

func arrayConcat(a []stream.Value, t stream.Type) (stream.Value, string) {
	var items []stream.Value
	for _, v := range a {
		items = append(items, v.Items()...)
	}
	return stream.Nested(t, items...), ""
}

func arrayReverse(a []stream.Value, t stream.Type) (stream.Value, string) {
	items := a[0].Items()
	slices.Reverse(items)
	return stream.Nested(t, items...), ""
}

func arrayDistinct(a []stream.Value, t stream.Type) (stream.Value, string) {
	var items []stream.Value
	for _, v := range a[0].Items() {
		if !slices.ContainsFunc(items, func(x stream.Value) bool { return order(x, v) == 0 }) {
			items = append(items, v)
		}
	}
	return stream.Nested(t, items...), ""
}

func arraySort(a []stream.Value, t stream.Type) (stream.Value, string) {
	ascending := len(a) < 2 || a[1].Truth()
	nullsFirst := ascending
	if len(a) > 2 {
		nullsFirst = a[2].Truth()
	}
	var nulls, items []stream.Value
	for _, v := range a[0].Items() {
		if v.Null {
			nulls = append(nulls, v)
		} else {
			items = append(items, v)
		}
	}
	slices.SortFunc(items, compare)
	if !ascending {
		slices.Reverse(items)
	}
	if nullsFirst {
		return stream.Nested(t, append(nulls, items...)...), ""
	}
	return stream.Nested(t, append(items, nulls...)...), ""
}

// arraySlice gives every element its position from the front and from the end.
func arraySlice(a []stream.Value, t stream.Type) (stream.Value, string) {
	items := a[0].Items()
	n := int64(len(items))
	position := func(at int64) int64 {
		switch {
		case at == 0:
			return 1
		case at < 0 && at < -n:
			return 0
		case at < 0:
			return n + at + 1
		}
		return at
	}
	from, to := position(a[1].I), n
	if len(a) == 3 {
		to = position(a[2].I)
	}
	var out []stream.Value
	for i, v := range items {
		if at := int64(i) + 1; at >= from && at <= to {
			out = append(out, v)
		}
	}
	return stream.Nested(t, out...), ""
}

func arrayExtreme(array stream.Value, t stream.Type, sign int) (stream.Value, string) {
	best := stream.NullOf(t)
	for _, v := range array.Items() {
		if !v.Null && (best.Null || sign*compare(v, best) > 0) {
			best = v
		}
	}
	return best, ""
}

func arrayJoin(a []stream.Value, _ stream.Type) (stream.Value, string) {
	var parts []string
	for _, v := range a[0].Items() {
		switch {
		case !v.Null:
			parts = append(parts, v.S)
		case len(a) == 3:
			parts = append(parts, a[2].S)
		}
	}
	return text(strings.Join(parts, a[1].S))
}

func textsOf(t stream.Type, parts []string) (stream.Value, string) {
	items := make([]stream.Value, len(parts))
	for i, p := range parts {
		items[i] = stream.Text(p)
	}
	return stream.Nested(t, items...), ""
}

func split(a []stream.Value, t stream.Type) (stream.Value, string) {
	return textsOf(t, strings.Split(a[0].S, a[1].S))
}

func stringToArray(a []stream.Value, t stream.Type) (stream.Value, string) {
	switch {
	case a[0].S == "":
		return textsOf(t, nil)
	case a[1].S == "":
		return textsOf(t, []string{a[0].S})
	}
	return split(a, t)
}

// castItems converts the elements or members one by one; the first that fails fails all.
func castItems(v stream.Value, t stream.Type) (stream.Value, string) {
	items := v.Items()
	for i, item := range items {
		to := t.Element()
		if members := t.Members(); members != nil {
			to = members[i].Type
		}
		if item.Null {
			items[i] = stream.NullOf(to)
			continue
		}
		var reason string
		if items[i], reason = cast(item, to); reason != "" {
			return v, reason
		}
	}
	return stream.Nested(t, items...), ""
}
