package avro

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/millrace/millrace/stream"
	"github.com/millrace/millrace/stream/decimal"
)

// Decode appends the records of a block to out, an empty batch; absent columns are passed
// over. Rows that are none have values there all the same, and fail is told of them.
func (f *File) Decode(block []byte, records int64, out *stream.Batch, fail func(row int, reason string)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: %w: a record cannot be read: %v", f.path, errDamaged, p)
		}
	}()
	data, err := f.unpack(block)
	if err != nil {
		return fmt.Errorf("%s: %w: a block cannot be unpacked: %w", f.path, errDamaged, err)
	}
	if records > int64(len(data)) { // each has a byte at least
		return fmt.Errorf("%s: %w: a block of %d bytes with %d records", f.path, errDamaged, len(data), records)
	}
	for row := range int(records) {
		native, rest, err := f.codec.NativeFromBinary(data)
		record, ok := native.(map[string]any)
		if err != nil || !ok {
			return fmt.Errorf("%s: %w: a record cannot be read: %w", f.path, errDamaged, err)
		}
		data = rest
		for i := range out.Cols {
			if out.Cols[i].Absent() || f.bound[i] < 0 {
				continue
			}
			column := &out.Schema.Fields[i]
			if column.Type.IsNested() {
				if err := f.nested(record, i, out, row, fail); err != nil {
					return err
				}
				continue
			}
			v, ok := valueOf(record[f.fields[f.bound[i]].name], column.Type, f.fields[f.bound[i]].typ)
			if reason := problem(v, ok, column); reason != "" {
				fail(row, reason)
			}
			out.Cols[i].AppendValue(v, row)
		}
	}
	out.Len = int(records)
	if len(data) > 0 {
		return fmt.Errorf("%s: %w: a block is longer than its records", f.path, errDamaged)
	}
	return nil
}

func problem(v stream.Value, ok bool, f *stream.Field) string {
	low, high, ranged := f.Type.Range()
	switch {
	case v.Null && f.NotNull:
		return fmt.Sprintf("column %q is NOT NULL", f.Name)
	case v.Null:
	case !ok || ranged && (v.I < low || v.I > high):
		return fmt.Sprintf("column %q: a value is out of the range of %s", f.Name, f.Type)
	case f.Type == stream.JSON && v.S == "":
		return fmt.Sprintf("column %q: no JSON", f.Name)
	case f.Type == stream.Varchar && !utf8.ValidString(v.S):
		return fmt.Sprintf("column %q: invalid UTF-8", f.Name)
	}
	return ""
}

// valueOf is one of goavro's values, of a field of type from, as type t; a union is a map
// with one entry.
func valueOf(native any, t, from stream.Type) (stream.Value, bool) {
	v := stream.Value{Type: t}
	switch n := native.(type) {
	case nil:
		return stream.NullOf(t), true
	case map[string]any:
		for _, inner := range n {
			return valueOf(inner, t, from)
		}
	case bool:
		return stream.Bool(n), true
	case int32:
		v.I, v.F = int64(n), float64(n)
	case int64:
		v.I, v.F = n, float64(n)
	case float32:
		v.F = float64(n)
	case float64:
		v.F = n
	case string:
		if v.S = n; t == stream.JSON {
			v.S, _ = stream.CompactJSON(n) // empty: it is none
		}
	case []byte:
		if from == stream.Bytes {
			v.S = string(n)
			break
		}
		x, ok := decimal.FromBigEndian(n)
		if !ok || !from.IsDecimal() {
			return stream.DecimalOfUnits(t, 0), false
		}
		return stream.DecimalFrom(t, x, from.Scale())
	case time.Duration:
		v.I = n.Microseconds()
	case time.Time:
		if v.I = n.UnixMicro(); t == stream.Date {
			days, rest := v.I/stream.MicrosPerDay, v.I%stream.MicrosPerDay
			if v.I = days; rest < 0 {
				v.I--
			}
		}
	default:
		return v, false
	}
	return plainly(v), true
}

// plainly leaves in a value only what its type uses.
func plainly(v stream.Value) stream.Value {
	switch v.Type.Storage() {
	case stream.Real, stream.Double:
		v.I = 0
	default:
		v.F = 0
	}
	return v
}
