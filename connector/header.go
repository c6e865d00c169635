package connector

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/millrace/millrace/stream"
)

// positional is the layout of a file without a header: its fields are the physical
// columns in order.
func (s *textSource) positional() *layout {
	l := &layout{}
	for i, physical := range s.physical {
		if physical {
			l.fields = append(l.fields, i)
		}
	}
	return l
}

// matchHeader decides what a file's first record is. A record that names every column
// is a header, and the columns are found by name, more fields than columns included.
// Any other record is a header by position if header = true says so, or if the option
// is not given and the record is not a row of the columns' types though it has their
// number.
func (s *textSource) matchHeader(name string, record []byte) (l *layout, isHeader bool, err error) {
	byPosition := s.positional()
	if len(record) == 0 {
		return byPosition, false, nil
	}
	names, ok := splitRecord(s.schema, s.options.dialect, record)
	if ok {
		if l := s.byName(names); l != nil {
			return l, true, nil
		}
	}
	if s.header == headerAuto {
		if !ok || bytes.IndexByte(record, 0) >= 0 || len(names) != len(byPosition.fields) || s.isRow(record, byPosition) {
			return byPosition, false, nil
		}
		s.warn(fmt.Sprintf("%s: the first line is taken as a header but does not name the columns; they are matched by position (header = true says so, header = false makes it a row)", name))
		return byPosition, true, nil
	}
	if len(names) != len(byPosition.fields) {
		hint := ""
		if other := otherDelimiter(record, len(byPosition.fields), s.schema, s.options.dialect); other != "" {
			hint = fmt.Sprintf("; with the option %s it would have %d", other, len(byPosition.fields))
		}
		return nil, false, fmt.Errorf("%s: the header has %d field%s (%s), the stream %d columns (%s)%s", name, len(names), plural(names),
			cutText([]byte(strings.Join(names, ", ")), headerBytesShown), len(byPosition.fields), strings.Join(s.columnNames(), ", "), hint)
	}
	s.warn(fmt.Sprintf("%s: the header does not name the column%s %s; columns are matched by position", name, plural(s.missing(names)), strings.Join(s.missing(names), ", ")))
	return byPosition, true, nil
}

const headerBytesShown = 200

func plural(words []string) string {
	if len(words) == 1 {
		return ""
	}
	return "s"
}

// splitRecord returns a record's fields as text.
func splitRecord(schema *stream.Schema, dialect dialect, record []byte) ([]string, bool) {
	d := newCSVDecoder(schema, dialect, nil)
	d.begin(record)
	var names []string
	for at := 0; ; at++ {
		sp, end, problem := d.field(record, at)
		if problem != "" {
			return nil, false
		}
		names = append(names, strings.TrimSpace(toValidText(d.text(sp))))
		if at = end; at >= len(record) || record[at] == '\n' {
			return names, true
		}
	}
}

// byName matches every physical column with a field by name, in any case if there is
// no exact match, or returns nil.
func (s *textSource) byName(names []string) *layout {
	l := &layout{fields: make([]int, len(names))}
	for i := range l.fields {
		l.fields[i] = -1
	}
	for col, physical := range s.physical {
		if !physical {
			continue
		}
		at := find(names, func(n string) bool { return n == s.schema.Fields[col].Name })
		if at < 0 {
			at = find(names, func(n string) bool { return strings.EqualFold(n, s.schema.Fields[col].Name) })
		}
		if at < 0 || l.fields[at] >= 0 {
			return nil
		}
		l.fields[at] = col
	}
	return l
}

func find(names []string, match func(string) bool) int {
	for i, n := range names {
		if match(n) {
			return i
		}
	}
	return -1
}

// isRow reports whether the record can be read as a row.
func (s *textSource) isRow(record []byte, l *layout) bool {
	out := stream.NewBatch(s.schema, s.physical)
	d := newCSVDecoder(s.schema, s.options.dialect, s.readers)
	errs, err := d.Decode(&Block{Data: record, layout: l}, out, nil)
	return err == nil && len(errs) == 0 && out.Len == 1
}

func (s *textSource) columnNames() []string {
	var names []string
	for i, physical := range s.physical {
		if physical {
			names = append(names, s.schema.Fields[i].Name)
		}
	}
	return names
}

// missing are the columns that names does not hold.
func (s *textSource) missing(names []string) []string {
	var out []string
	for _, column := range s.columnNames() {
		if find(names, func(n string) bool { return strings.EqualFold(n, column) }) < 0 {
			out = append(out, column)
		}
	}
	return out
}
