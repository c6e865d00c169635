package connector

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/millrace/millrace/connector/parquet"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// fileList is the files of a partition in the order in which they are read, for one reader.
type fileList interface {
	// path is file i; io.EOF: there are no more. A list that is watched waits for the
	// file until ctx is done.
	path(ctx context.Context, i int) (string, error)
	// finished says that a file was read to its end, which is at a position.
	finished(at Position)
	// size is the number of files, as far as it is known.
	size() int
}

// fixedFiles are all known from the start.
type fixedFiles []string

var noFiles = fixedFiles(nil)

func (f fixedFiles) path(_ context.Context, i int) (string, error) {
	if i >= len(f) {
		return "", io.EOF
	}
	return f[i], nil
}

func (f fixedFiles) finished(Position) {}
func (f fixedFiles) size() int         { return len(f) }

// fileLists are the files of a source, by partition, with what their paths say.
type fileLists struct {
	lists   []fileList
	watch   *watched       // nil: the files are fixed
	columns *folderColumns // nil: no column stands in the names of folders
	passed  *atomic.Int64  // files left out by what their paths say
}

// FileCounts is what a source of files knows of them.
type FileCounts struct {
	// Passed were not read: what the names of their folders say is not wanted by any
	// reader of the stream. Changed were no longer the same after they had been read.
	Passed, Changed int64
}

// Filed is a Source that counts its files.
type Filed interface {
	Source
	Files() FileCounts
}

// newFileLists makes lists of the files that were found; those are left out of which
// reading says that nobody wants them.
func newFileLists(t textOptions, partitions [][]string, src *model.Source, schema *stream.Schema, reading Reading, env Env) (fileLists, error) {
	l := fileLists{passed: &atomic.Int64{}, columns: newFolderColumns(t, src, schema)}
	var where []*model.Expr
	if reading.Time < 0 && src.MaxJumpMicros == 0 {
		where = reading.Where // else rows that are not read would have moved event time
	}
	wanted := func(path string) (bool, error) {
		values, err := l.columns.values(path)
		if err != nil || !l.columns.excluded(where, values) {
			return true, err
		}
		l.passed.Add(1)
		return false, nil
	}
	if t.watch > 0 {
		l.watch = newWatched(t, wanted, env.Log)
		l.lists = []fileList{l.watch}
		return l, nil
	}
	for _, files := range partitions {
		var kept fixedFiles
		for _, f := range files {
			ok, err := wanted(f)
			if err != nil {
				return l, err
			}
			if ok {
				kept = append(kept, f)
			}
		}
		l.lists = append(l.lists, kept)
	}
	return l, nil
}

// Partitions implements Source.
func (l *fileLists) Partitions() int { return len(l.lists) }

// Files implements Filed.
func (l *fileLists) Files() FileCounts {
	c := FileCounts{}
	if l.passed != nil {
		c.Passed = l.passed.Load()
	}
	if l.watch != nil {
		c.Changed = l.watch.changed.Load()
	}
	return c
}

func (l *fileLists) watched() bool { return l.watch != nil }

// notes are warnings about the files.
func (l *fileLists) notes() []string {
	if l.watch == nil {
		return nil
	}
	return l.watch.notes()
}

// files are those of a partition, in which a position may be.
func (l *fileLists) files(stream string, partition int, at Position) (fileList, error) {
	files := l.lists[partition]
	if n := files.size(); at.File < 0 || at.File > n || at.Offset < 0 {
		return nil, fmt.Errorf("stream %s: position in file %d of %d: not the files of the checkpoint", stream, at.File+1, n)
	}
	return files, nil
}

// decoder fills in the columns that stand in paths behind d.
func (l *fileLists) decoder(d Decoder) Decoder {
	if l.columns == nil {
		return d
	}
	return &folderDecoder{Decoder: d, columns: l.columns}
}

// folderColumns are the columns whose values stand in the names of folders, as in
// day=2026-01-01/city=Bern/part-0.csv. A nil one has none.
type folderColumns struct {
	keys    []string
	columns []int // of the schema, by key
	fields  []stream.Field
	readers []cellReader
}

func newFolderColumns(t textOptions, src *model.Source, schema *stream.Schema) *folderColumns {
	keys := partitionKeys(src.Options)
	if len(keys) == 0 {
		return nil
	}
	f := &folderColumns{keys: keys, fields: schema.Fields, readers: csvReaders(schema, t.unit)}
	for _, k := range keys {
		f.columns = append(f.columns, slices.IndexFunc(schema.Fields, func(x stream.Field) bool { return x.Name == k }))
	}
	return f
}

// values are those that a path gives the columns, by key.
func (f *folderColumns) values(path string) ([]stream.Value, error) {
	if f == nil {
		return nil, nil
	}
	texts, err := folderTexts(path, f.keys)
	if err != nil {
		return nil, err
	}
	out := make([]stream.Value, len(f.keys))
	for i, text := range texts {
		field := f.fields[f.columns[i]]
		if out[i] = stream.NullOf(field.Type); text == nil {
			if field.NotNull {
				return nil, fmt.Errorf("%s: column %q is NOT NULL", path, field.Name)
			}
			continue
		}
		v, ok := f.readers[f.columns[i]].value(field.Type, []byte(*text))
		if !ok {
			return nil, fmt.Errorf("%s: column %q: cannot read %q as %s", path, field.Name, *text, field.Type)
		}
		out[i] = v
	}
	return out, nil
}

// value reads one cell.
func (r *cellReader) value(t stream.Type, text []byte) (v stream.Value, ok bool) {
	v.Type = t
	switch {
	case r.i32 != nil:
		var n int32
		n, ok = r.i32(text, 0)
		v.I = int64(n)
	case r.i64 != nil:
		v.I, ok = r.i64(text, 0)
	case r.f32 != nil:
		var n float32
		n, ok = r.f32(text, 0)
		v.F = float64(n)
	case r.f64 != nil:
		v.F, ok = r.f64(text, 0)
	case r.bool != nil:
		var b bool
		b, ok = r.bool(text, 0)
		v = stream.Bool(b)
	case r.text != nil:
		text, ok = r.text(nil, text, 0)
		v.S = string(text)
	default:
		v.S, ok = toValidText(text), true
	}
	return v, ok
}

// excluded reports whether no row with these values can meet the conjuncts.
func (f *folderColumns) excluded(where []*model.Expr, values []stream.Value) bool {
	if f == nil {
		return false
	}
	for i, v := range values {
		if parquet.Excluded(where, f.columns[i], v) {
			return true
		}
	}
	return false
}

// folderDecoder adds the columns of a block's path.
type folderDecoder struct {
	Decoder
	columns *folderColumns
	path    string
	values  []stream.Value
}

// Decode implements Decoder.
func (d *folderDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	errs, err := d.Decoder.Decode(b, out, errs)
	if err != nil || out.Len == 0 {
		return errs, err
	}
	if d.path != b.File || d.values == nil {
		if d.values, err = d.columns.values(b.File); err != nil {
			return errs, err
		}
		d.path = b.File
	}
	for k, i := range d.columns.columns {
		col := &out.Cols[i]
		if col.Absent() {
			continue
		}
		col.Reset(col.Type)
		for row := range out.Len {
			col.AppendValue(d.values[k], row)
		}
	}
	return errs, nil
}
