package avro

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/linkedin/goavro/v2"

	"github.com/millrace/millrace/stream"
)

// Codecs are the compressions of files that are written.
var Codecs = []string{"none", "deflate", "snappy"}

// Writer writes records, a block for each call of Write. It is for one goroutine.
type Writer struct {
	to      *output
	out     *goavro.OCFWriter
	schema  *stream.Schema
	visible []int
	forms   []form
}

// form is the type of a field: as the schema has it, and as unions name it.
type form struct {
	schema any
	name   string
	parts  []form // of an ARRAY its element, of a ROW its members
}

// formOf is the form of a type; path is the full name of its place.
func formOf(t stream.Type, path string) (form, error) {
	if t.IsNested() {
		return nestedForm(t, path)
	}
	if t.IsDecimal() {
		return form{schema: map[string]any{"type": "bytes", "logicalType": "decimal", "precision": t.Precision(), "scale": t.Scale()}, name: "bytes.decimal"}, nil
	}
	out, ok := written[t]
	if !ok {
		return out, fmt.Errorf("%s cannot be written to an Avro file", t)
	}
	return out, nil
}

// written are the forms of the types without parameters.
var written = map[stream.Type]form{
	stream.Boolean: {schema: "boolean", name: "boolean"}, stream.TinyInt: {schema: "int", name: "int"}, stream.SmallInt: {schema: "int", name: "int"}, stream.Integer: {schema: "int", name: "int"},
	stream.BigInt: {schema: "long", name: "long"}, stream.Interval: {schema: "long", name: "long"}, stream.Real: {schema: "float", name: "float"}, stream.Double: {schema: "double", name: "double"}, stream.Varchar: {schema: "string", name: "string"},
	stream.Bytes: {schema: "bytes", name: "bytes"}, stream.JSON: {schema: "string", name: "string"},
	stream.Date:      {schema: map[string]string{"type": "int", "logicalType": "date"}, name: "int.date"},
	stream.TimeOfDay: {schema: map[string]string{"type": "long", "logicalType": "time-micros"}, name: "long.time-micros"},
	stream.Timestamp: {schema: map[string]string{"type": "long", "logicalType": "timestamp-micros"}, name: "long.timestamp-micros"},
}

// NewWriter writes the header of a file.
func NewWriter(w io.Writer, schema *stream.Schema, visible []int, codec string) (*Writer, error) {
	out := &Writer{schema: schema, visible: visible}
	type fieldNode struct {
		Name string `json:"name"`
		Type any    `json:"type"`
	}
	record := struct {
		Type   string      `json:"type"`
		Name   string      `json:"name"`
		Fields []fieldNode `json:"fields"`
	}{Type: "record", Name: "row"}
	for _, i := range visible {
		f := schema.Fields[i]
		if !isName(f.Name) {
			return nil, fmt.Errorf("column %q: a name in an Avro file has letters, digits and _ only; give it another with AS", f.Name)
		}
		t, err := formOf(f.Type, record.Name+"."+f.Name)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		node := fieldNode{f.Name, []any{"null", t.schema}}
		if f.NotNull {
			node.Type = t.schema
		}
		record.Fields, out.forms = append(record.Fields, node), append(out.forms, t)
	}
	text, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	if codec == "none" {
		codec = goavro.CompressionNullLabel
	}
	out.to = &output{to: w}
	out.out, err = goavro.NewOCFWriter(goavro.OCFConfig{W: out.to, Schema: string(text), CompressionName: codec})
	return out, out.to.cause(err)
}

// output keeps the error of what is written to, of which goavro leaves only the text.
type output struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	o.err = err
	return n, err
}

func (o *output) cause(err error) error {
	if err != nil && o.err != nil {
		return o.err
	}
	return err
}

func isName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// Write appends rows [from, to) of a batch without base.
func (w *Writer) Write(b *stream.Batch, from, to int) error {
	records := make([]any, 0, to-from)
	for row := from; row < to; row++ {
		record := make(map[string]any, len(w.visible))
		for k, i := range w.visible {
			f := &w.schema.Fields[i]
			if b.Cols[i].IsNull(row) {
				record[f.Name] = nil
				continue
			}
			record[f.Name] = w.forms[k].native(b.Cols[i].Value(row))
			if !f.NotNull {
				record[f.Name] = goavro.Union(w.forms[k].name, record[f.Name])
			}
		}
		records = append(records, record)
	}
	return w.to.cause(w.out.Append(records))
}

// native is a value as goavro takes it.
func native(v stream.Value) any {
	if v.Type.IsDecimal() {
		x := v.Decimal()
		unscaled := new(big.Int).Lsh(big.NewInt(x.Hi), 64)
		unscaled.Add(unscaled, new(big.Int).SetUint64(x.Lo))
		return new(big.Rat).SetFrac(unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(v.Type.Scale())), nil))
	}
	switch v.Type {
	case stream.Bytes:
		return []byte(v.S)
	case stream.Boolean:
		return v.I != 0
	case stream.Date:
		return time.Unix(v.I*(stream.MicrosPerDay/1e6), 0).UTC()
	case stream.TimeOfDay:
		return time.Duration(v.I) * time.Microsecond
	case stream.Timestamp:
		return time.UnixMicro(v.I).UTC()
	}
	switch v.Type.Storage() {
	case stream.Integer:
		return int32(v.I)
	case stream.Real:
		return float32(v.F)
	case stream.Double:
		return v.F
	case stream.Varchar:
		return v.S
	}
	return v.I
}

// Close does nothing: a container file has no end of its own.
func (w *Writer) Close() error { return nil }
