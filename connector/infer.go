package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/millrace/millrace/connector/arrow"
	"github.com/millrace/millrace/connector/avro"
	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/stream"
)

// What a file's columns are found out from, where it does not say.
const (
	InferRowsMax  = 1000    // records of a CSV or NDJSON file that are looked at
	InferBytesMax = 1 << 20 // and no more than this of it
)

// Inferred is what a file says of itself, or is found out from its first records.
type Inferred struct {
	Connector string
	Options   map[string]string // that read it so
	Columns   []stream.Field
	Left      []string // columns that have no type here, with their own
}

// Infer finds the schema of a file (of the first one, if path is a glob). A record that does
// not fit what the first ones look like becomes an error row when it is read.
func Infer(path string) (Inferred, error) {
	out := Inferred{Connector: connectorFile, Options: map[string]string{"path": path}}
	files, err := findFiles(path)
	if err != nil {
		return out, err
	}
	name := files[0]
	switch formatByName(name) {
	case FormatParquet:
		err = out.parquet(name)
	case FormatArrow:
		err = withArrow(name, func(r *arrow.Reader) error {
			out.Columns, out.Left = r.Fields()
			out.fold()
			return nil
		})
	case FormatAvro:
		err = withAvro(name, func(file *avro.File) error {
			out.Columns, out.Left = file.Fields()
			out.fold()
			return nil
		})
	case FormatCSV:
		err = out.sampled(name, out.csv)
	case FormatNDJSON:
		err = out.sampled(name, out.ndjson)
	default:
		err = fmt.Errorf("cannot tell the format of %s by its name; declare it with CREATE STREAM .. WITH (connector = 'file', path = '%s', format = '..')", name, path)
	}
	if err == nil && len(out.Columns) == 0 {
		err = fmt.Errorf("%s has no column that can be read", name)
	}
	return out, err
}

func (f *Inferred) parquet(name string) error {
	file, err := parquet.OpenPath(name)
	if err != nil {
		return fmt.Errorf("cannot read %s", strings.TrimPrefix(err.Error(), "open "))
	}
	f.Columns, f.Left = file.Fields()
	f.fold()
	return nil
}

// fold puts names into lower case, in which unquoted names are looked for, if they stay
// apart.
func (f *Inferred) fold() {
	seen := map[string]bool{}
	for _, c := range f.Columns {
		if seen[strings.ToLower(c.Name)] {
			return
		}
		seen[strings.ToLower(c.Name)] = true
	}
	for i := range f.Columns {
		f.Columns[i].Name = strings.ToLower(f.Columns[i].Name)
	}
}

// sampled reads the beginning of a file and gives it, cut behind a record if there is
// more, to one of the formats.
func (f *Inferred) sampled(name string, look func(name string, data []byte) error) error {
	in, err := openFile(name, compressAuto)
	if err != nil {
		return err
	}
	defer in.Close()
	data, more := make([]byte, InferBytesMax), true
	n := 0
	for n < len(data) && more {
		k, err := in.Read(context.Background(), data[n:])
		if n += k; errors.Is(err, io.EOF) {
			more = false
		} else if err != nil {
			return err
		}
	}
	data = bytes.TrimPrefix(data[:n], utf8Mark)
	if more {
		if i := bytes.LastIndexByte(data, '\n'); i >= 0 {
			data = data[:i+1]
		}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return fmt.Errorf("cannot tell the columns of %s: it is empty; declare them with CREATE STREAM", name)
	}
	return look(name, data)
}

// csv looks at records: the first one is a header if all of it could be names.
func (f *Inferred) csv(name string, data []byte) error {
	d := dialect{delimiter: likelyDelimiter(data), quote: '"'}
	var names []string
	var guesses []guess
	for rows := 0; len(data) > 0 && rows <= InferRowsMax; {
		cut := cutter{quote: d.quote, delimiter: d.delimiter}
		end := cut.first(data)
		if end < 0 {
			end = len(data)
		}
		record := data[:end]
		if data = data[end:]; len(trimLineEnd(record)) == 0 {
			continue
		}
		fields, ok := splitRecord(nil, d, record)
		rows++
		switch {
		case rows == 1 && !ok:
			return fmt.Errorf("cannot tell the columns of %s: its first line is no CSV; declare them with CREATE STREAM", name)
		case rows == 1:
			names, guesses = fields, make([]guess, len(fields))
			if !areNames(fields) {
				names = nil
				observe(guesses, fields)
			}
		case ok && len(fields) == len(guesses):
			observe(guesses, fields)
		}
	}
	f.Options["format"], f.Options["header"] = FormatCSV, strconv.FormatBool(names != nil)
	if d.delimiter != ',' {
		f.Options["delimiter"] = string(d.delimiter)
		if d.delimiter == '\t' {
			f.Options["delimiter"] = "tab"
		}
	}
	for i, g := range guesses {
		column := stream.Field{Name: fmt.Sprintf("column_%d", i+1), Type: g.typ()}
		if names != nil {
			column.Name = names[i]
		}
		f.Columns = append(f.Columns, column)
	}
	f.fold()
	return nil
}

// likelyDelimiter is the one of which the first line has most.
func likelyDelimiter(data []byte) byte {
	line := data
	if i := indexNewline(data); i >= 0 {
		line = data[:i]
	}
	best, most := byte(','), bytes.Count(line, []byte{','})
	for _, d := range []byte{'\t', ';', '|'} {
		if n := bytes.Count(line, []byte{d}); n > most {
			best, most = d, n
		}
	}
	return best
}

// areNames: different texts, none of them a value of another type.
func areNames(fields []string) bool {
	seen := map[string]bool{}
	for _, text := range fields {
		var g guess
		g.text(text)
		if key := strings.ToLower(text); text == "" || seen[key] || g.typ() != stream.Varchar {
			return false
		}
		seen[strings.ToLower(text)] = true
	}
	return true
}

func observe(guesses []guess, fields []string) {
	for i := range guesses {
		guesses[i].text(fields[i])
	}
}

// guess gathers what the values of a column are.
type guess struct{ flags, integers, floats, times, texts, nested int }

// text looks at a CSV field. Digits behind a leading zero are a name for something, not a
// number.
func (g *guess) text(s string) {
	b := []byte(strings.TrimSpace(s))
	digits := bytes.TrimLeft(b, "+-")
	_, integer := parseInt64(b, 0)
	_, float := parseFloat64(b, 0)
	_, time := parseTimestamp(b)
	switch {
	case len(b) == 0:
	case strings.EqualFold(string(b), "true") || strings.EqualFold(string(b), "false"):
		g.flags++
	case len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' && !time:
		g.texts++
	case integer:
		g.integers++
	case float && len(bytes.Trim(digits, "0123456789")) == 0: // beyond BIGINT: a DOUBLE would round it
		g.texts++
	case float && (digits[0] >= '0' && digits[0] <= '9' || digits[0] == '.'):
		g.floats++
	case time:
		g.times++
	default:
		g.texts++
	}
}

// typ is the type that all values seen have; text, if there is none or nothing was seen.
func (g *guess) typ() stream.Type {
	kinds := 0
	for _, n := range []int{g.flags, g.integers + g.floats, g.times, g.texts} {
		kinds += min(n, 1)
	}
	switch {
	case g.nested > 0:
		return stream.JSON
	case kinds != 1 || g.texts > 0:
		return stream.Varchar
	case g.flags > 0:
		return stream.Boolean
	case g.times > 0:
		return stream.Timestamp
	case g.floats > 0:
		return stream.Double
	}
	return stream.BigInt
}

// ndjson looks at objects: columns are their keys in the order in which they first come.
func (f *Inferred) ndjson(name string, data []byte) error {
	f.Options["format"] = FormatNDJSON
	all := data
	places, guesses := map[string]int{}, []guess{}
	objects := 0
	for n := 0; len(data) > 0 && n < InferRowsMax; n++ {
		line := data
		if i := indexNewline(data); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		err := members(line, func(key string, value json.RawMessage) {
			at, known := places[key]
			if !known {
				at = len(guesses)
				places[key], guesses = at, append(guesses, guess{})
				f.Columns = append(f.Columns, stream.Field{Name: key})
			}
			guesses[at].json(value)
		})
		if err == nil {
			objects++
		}
	}
	if filter := wholeDocument(all, objects > 0); filter != "" {
		return fmt.Errorf("%s is one JSON document, and a file has one object on each line; this writes it so: jq -c '%s' %s > %s-lines.ndjson",
			name, filter, name, strings.TrimSuffix(name, filepath.Ext(name)))
	}
	if objects == 0 {
		return fmt.Errorf("cannot tell the columns of %s: it has no JSON object in its first %d lines; declare them with CREATE STREAM", name, InferRowsMax)
	}
	for i, g := range guesses {
		f.Columns[i].Type = g.typ()
	}
	return nil
}

// wholeDocument returns what jq makes the lines of a document of, or "" if a file is none:
// an object in several lines, or an array of objects, which may stand on lines of their own.
func wholeDocument(data []byte, hasObjects bool) string {
	data = bytes.TrimSpace(data)
	rest := data[1:]
	switch data[0] {
	case '{':
		if !hasObjects {
			return "."
		}
	case '[':
		inside := bytes.TrimSpace(rest)
		if (len(inside) == 0 || inside[0] == '{') && (!hasObjects || rest[0] == '\n' || rest[0] == '\r') {
			return ".[]"
		}
	}
	return ""
}

// members calls each with the members of an object, in order.
func members(line []byte, each func(key string, value json.RawMessage)) error {
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errors.New("no object"))
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		each(key.(string), value)
	}
	_, err := d.Token()
	return err
}

func (g *guess) json(value json.RawMessage) {
	switch value[0] {
	case 'n':
	case 't', 'f':
		g.flags++
	case '"':
		var text string
		_ = json.Unmarshal(value, &text) // it has been scanned
		if _, ok := parseTimestamp([]byte(text)); ok {
			g.times++
		} else {
			g.texts++
		}
	case '{', '[':
		g.nested++
	default:
		if _, ok := parseInt64(value, 0); ok {
			g.integers++
		} else if len(bytes.Trim(value, "-0123456789")) == 0 { // as in text
			g.texts++
		} else {
			g.floats++
		}
	}
}
