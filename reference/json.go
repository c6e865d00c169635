package reference

import (
	"encoding/json"
	"strings"

	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

func init() {
	register(map[string]call{
		"json_value":    func(a []stream.Value, t stream.Type) (stream.Value, string) { return jsonOne(a, t, false) },
		"json_query":    func(a []stream.Value, t stream.Type) (stream.Value, string) { return jsonOne(a, t, true) },
		"json_exists":   jsonExists,
		"json_get":      func(a []stream.Value, t stream.Type) (stream.Value, string) { return jsonMember(a, t, false) },
		"json_get_text": func(a []stream.Value, t stream.Type) (stream.Value, string) { return jsonMember(a, t, true) },
		"is_json":       isJSON,
	})
}

// container is an object or array with what it holds, as it is written.
func container(value string) (members map[string]json.RawMessage, elements []json.RawMessage) {
	if json.Unmarshal([]byte(value), &members) != nil {
		members = nil
	}
	if json.Unmarshal([]byte(value), &elements) != nil {
		elements = nil
	}
	return members, elements
}

// follow returns what is at the steps from each value.
func follow(values []string, steps []function.PathStep, strictly bool) []string {
	for _, step := range steps {
		var next []string
		for _, v := range values {
			next = append(next, take(v, step, strictly)...)
		}
		values = next
	}
	return values
}

func take(value string, step function.PathStep, strictly bool) (out []string) {
	members, elements := container(value)
	array := strings.HasPrefix(value, "[")
	if step.Kind == function.PathMember {
		if m, ok := members[step.Name]; ok {
			return []string{string(m)}
		}
		for _, e := range elements {
			members, _ := container(string(e))
			if m, ok := members[step.Name]; ok && !strictly {
				out = append(out, string(m))
			}
		}
		return out
	}
	if !array && !strictly {
		elements = []json.RawMessage{json.RawMessage(value)}
	}
	for i, e := range elements {
		if step.Kind == function.PathElements || i == step.Index {
			out = append(out, string(e))
		}
	}
	return out
}

// jsonAt are the values at a path.
func jsonAt(a []stream.Value) (values []string, reason string) {
	p, err := function.CompilePath(a[1].S)
	if err != nil {
		return nil, function.ErrPattern
	}
	if !json.Valid([]byte(a[0].S)) {
		return nil, ""
	}
	return follow([]string{strings.Trim(a[0].S, " \t\r\n")}, p.Steps, p.Strict), ""
}

func jsonOne(a []stream.Value, t stream.Type, query bool) (stream.Value, string) {
	values, reason := jsonAt(a)
	if reason != "" || len(values) != 1 || strings.ContainsAny(values[0][:1], "{[") != query {
		return stream.NullOf(t), reason
	}
	if query {
		return text(values[0])
	}
	return jsonText(values[0], t)
}

// jsonText is a value as text, null as NULL.
func jsonText(value string, t stream.Type) (stream.Value, string) {
	var s *string
	switch value[0] {
	case '"', 'n':
		if json.Unmarshal([]byte(value), &s) != nil || s == nil {
			return stream.NullOf(t), ""
		}
		return text(*s)
	}
	return text(value)
}

func jsonExists(a []stream.Value, _ stream.Type) (stream.Value, string) {
	values, reason := jsonAt(a)
	return stream.Bool(len(values) > 0), reason
}

func jsonMember(a []stream.Value, t stream.Type, asText bool) (stream.Value, string) {
	members, elements := container(a[0].S)
	value, found := json.RawMessage(nil), false
	if a[1].Type == stream.Varchar {
		value, found = members[a[1].S]
	} else {
		n := a[1].I
		if n < 0 {
			n += int64(len(elements))
		}
		if found = n >= 0 && n < int64(len(elements)); found {
			value = elements[n]
		}
	}
	switch {
	case !found:
		return stream.NullOf(t), ""
	case asText:
		return jsonText(string(value), t)
	}
	return stream.Value{Type: t, S: string(value)}, ""
}

func isJSON(a []stream.Value, _ stream.Type) (stream.Value, string) {
	kind := "value"
	if len(a) == 2 {
		kind = a[1].S
	}
	valid := json.Valid([]byte(a[0].S))
	members, elements := container(a[0].S)
	object, array := members != nil, elements != nil
	switch kind {
	case "value":
		return boolean(valid)
	case "object":
		return boolean(valid && object)
	case "array":
		return boolean(valid && array)
	case "scalar":
		return boolean(valid && !object && !array)
	}
	return domainError()
}
