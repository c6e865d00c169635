package connector

import (
	"strconv"

	"github.com/millrace/millrace/stream"
)

// Arrays that are generated: how many elements they have where nothing is said, at most,
// and those within other nested values.
const (
	arrayLength      = 3
	arrayLengthMax   = 1000
	innerArrayLength = 2
)

// takeNested reads the options of an ARRAY or ROW, whose parts are made as columns without
// options are.
func (o *optionSet) takeNested(c *columnOptions, at string, startTime, timeStep int64) {
	c.length = int(o.number(at+"length", arrayLength, 0))
	if _, given := o.values[at+"length"]; given && (!c.field.Type.IsArray() || c.length > arrayLengthMax) {
		o.bad(at+"length", "an ARRAY has at most "+strconv.Itoa(arrayLengthMax)+" elements, and nothing else of nested types a length")
	}
	for _, name := range []string{"kind", "values", "start", "exponent"} {
		if _, given := o.values[at+name]; given && (name != "kind" || c.kind != kindRandom) {
			o.bad(at+name, "remove it: an ARRAY or ROW is made of random parts")
		}
	}
	c.takeParts(startTime, timeStep)
}

func (c *columnOptions) takeParts(startTime, timeStep int64) {
	types := []stream.Type{c.field.Type.Element()}
	if c.field.Type.IsRow() {
		types = types[:0]
		for _, m := range c.field.Type.Members() {
			types = append(types, m.Type)
		}
	}
	for i, t := range types {
		seed := c.seed ^ mix(uint64(i+1)*columnMix)
		part := newOptionSet(nil).takeColumn(stream.Field{Name: "part", Type: t}, seed, startTime, timeStep)
		if t.IsArray() {
			part.length = innerArrayLength
		}
		c.parts = append(c.parts, part)
	}
}

// nested makes an ARRAY or ROW.
func (m *columnMaker) nested(h uint64, row int64) stream.Value {
	var items []stream.Value
	if m.field.Type.IsRow() {
		for i, p := range m.below {
			items = append(items, p.value(mix(h^uint64(i+1)*columnMix), row))
		}
		return stream.Nested(m.field.Type, items...)
	}
	length := m.length
	if m.varying {
		length = int(below(h^lengthSalt, uint64(length)+1))
	}
	for i := range length {
		items = append(items, m.below[0].value(mix(h^uint64(i+1)*columnMix), row))
	}
	return stream.Nested(m.field.Type, items...)
}
