package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// Limits of the package, each with what happens when it is reached.
const (
	FooterBytesMax = 256 << 20 // a longer footer is refused
	PageBytesMax   = 1 << 30   // a larger page, or one that unpacks to more, is refused
)

const (
	magic      = "PAR1"
	magicBytes = 4
	tailBytes  = 8 // length of the footer, magic
)

// File is a file's footer, bound to the columns of a stream. It is safe for concurrent
// use; it holds no descriptor: whoever reads passes one.
type File struct {
	Path   string
	Rows   int64
	leaves []leaf // of the root, nested ones included
	groups []group
	bound  []binding // by column of the stream
}

// leaf is a column at the top of the file's schema.
type leaf struct {
	element  *format.SchemaElement
	chunk    int // among the leaves of the whole tree; -1: the column is nested
	optional bool
	node     *node
}

type group struct {
	first  int64 // row of the file
	rows   int64
	chunks []chunk
}

// chunk is one column of one group. Its pages and dictionary are read at first use.
type chunk struct {
	meta       *format.ColumnChunk
	def, rep   int // greatest levels of its leaf
	once       sync.Once
	pages      []page
	dictionary page // size 0: none
	err        error

	dictOnce sync.Once
	dictForm form
	dict     *values
	dictErr  error
}

// page is where a page stands in its file, header included.
type page struct {
	offset, size int64
	first, rows  int64 // of the group: the rows that begin in it
	goesOn       bool  // it begins within the row before `first`
}

// Open reads the footer of a file through r.
func Open(path string, r io.ReaderAt, size int64) (*File, error) {
	meta, err := readFooter(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &File{Path: path}
	columns, leaves, err := treeOf(meta.Schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, n := range columns {
		l := leaf{element: n.element, chunk: n.chunk, optional: n.element.RepetitionType.V == format.Optional, node: n}
		if !n.flat() {
			l.chunk = -1
		}
		f.leaves = append(f.leaves, l)
	}
	f.groups = make([]group, len(meta.RowGroups))
	for i := range meta.RowGroups {
		rg := &meta.RowGroups[i]
		g := &f.groups[i]
		g.first, g.rows, g.chunks = f.Rows, rg.NumRows, make([]chunk, len(rg.Columns))
		if rg.NumRows < 0 {
			return nil, fmt.Errorf("%s: %w: row group %d has %d rows", path, errDamaged, i, rg.NumRows)
		}
		for k := range rg.Columns {
			g.chunks[k].meta = &rg.Columns[k]
			if k < len(leaves) {
				g.chunks[k].def, g.chunks[k].rep = leaves[k].def, leaves[k].rep
			}
		}
		f.Rows += rg.NumRows
	}
	return f, nil
}

var errDamaged = errors.New("damaged Parquet file")

// readFooter finds and decodes the file's metadata.
func readFooter(r io.ReaderAt, size int64) (*format.FileMetaData, error) {
	if size < magicBytes+tailBytes {
		return nil, errors.New("not a Parquet file, or cut off: it is too short")
	}
	var head [magicBytes]byte
	var tail [tailBytes]byte
	if err := readFull(r, head[:], 0); err != nil {
		return nil, err
	}
	if err := readFull(r, tail[:], size-tailBytes); err != nil {
		return nil, err
	}
	switch {
	case string(head[:]) == "PARE" || string(tail[4:]) == "PARE":
		return nil, errors.New("encrypted Parquet files are not supported")
	case string(head[:]) != magic:
		return nil, errors.New("not a Parquet file: it does not begin with PAR1")
	case string(tail[4:]) != magic:
		return nil, errors.New("truncated Parquet file: it does not end with PAR1")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:4]))
	if length > size-tailBytes-magicBytes {
		return nil, fmt.Errorf("%w: a footer of %d bytes in a file of %d", errDamaged, length, size)
	}
	if length > FooterBytesMax {
		return nil, fmt.Errorf("the footer is larger than %d MiB", FooterBytesMax>>20)
	}
	data := make([]byte, length)
	if err := readFull(r, data, size-tailBytes-length); err != nil {
		return nil, err
	}
	meta := &format.FileMetaData{}
	if err := decodeThrift(data, meta); err != nil {
		return nil, fmt.Errorf("%w: its footer cannot be read: %w", errDamaged, err)
	}
	return meta, nil
}

// decodeThrift is Unmarshal that survives damaged input and ignores what stands behind.
func decodeThrift(data []byte, v any) (err error) {
	_, err = decodeThriftPrefix(data, v)
	return err
}

func decodeThriftPrefix(data []byte, v any) (read int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	protocol := thrift.CompactProtocol{}
	r := protocol.NewReaderFromBytes(data)
	err = thrift.NewDecoder(r).Decode(v)
	return r.BytesRead(), err
}

// readFull reads all of p; the end of the file in it means that the file is truncated.
func readFull(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return errors.New("truncated Parquet file: it ends before its data does")
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return fmt.Errorf("cannot read: %w", err)
}

// binding is how a column of the stream is filled from the file.
type binding struct {
	leaf int // of the file; -1: not bound
	read form
	nest *nesting // nil: the column is not nested
	name string
}

// Bind finds a column of the file for each physical column of the stream: of the same
// name, or else of the same name in another case. unit is what whole numbers without a
// logical type count in TIMESTAMP columns, in nanoseconds, or 0.
func (f *File) Bind(fields []stream.Field, physical []bool, unit int64) error {
	f.bound = make([]binding, len(fields))
	for i, field := range fields {
		f.bound[i] = binding{leaf: -1, name: field.Name}
		if physical != nil && !physical[i] {
			continue
		}
		at := f.find(field.Name)
		if at < 0 {
			return &ColumnError{File: f.Path, Column: field.Name, Reason: "the file has no such column", Names: f.Names()}
		}
		l := f.leaves[at]
		if l.chunk < 0 {
			nest, err := nestingOf(l.node, field.Type, unit)
			if err != nil {
				return &ColumnError{File: f.Path, Column: field.Name, Reason: err.Error(), Natural: l.node.natural()}
			}
			f.bound[i].leaf, f.bound[i].nest = at, nest
			if err := f.complete(&f.bound[i]); err != nil {
				return err
			}
			continue
		}
		form, ok := formOf(l.element, field.Type, unit)
		if !ok {
			return &ColumnError{File: f.Path, Column: field.Name, Reason: fmt.Sprintf("it is %s, which cannot be read as %s", typeName(l.element), field.Type), Natural: natural(l.element)}
		}
		f.bound[i].leaf, f.bound[i].read = at, form
		if err := f.complete(&f.bound[i]); err != nil {
			return err
		}
	}
	return nil
}

// complete: every row group has the chunks of a column.
func (f *File) complete(b *binding) error {
	for g := range f.groups {
		for _, c := range f.chunksOf(b) {
			if c >= len(f.groups[g].chunks) {
				return fmt.Errorf("%s: %w: row group %d lacks column %q", f.Path, errDamaged, g, b.name)
			}
		}
	}
	return nil
}

// chunksOf are the chunks of a group that a bound column is read from.
func (f *File) chunksOf(b *binding) (out []int) {
	if b.nest == nil {
		return []int{f.leaves[b.leaf].chunk}
	}
	for _, l := range b.nest.leaves {
		out = append(out, l.place)
	}
	return out
}

// ColumnError says that a declared column cannot be read from a file.
type ColumnError struct {
	File, Column, Reason string
	Names                []string    // columns that the file has, where the column is missing
	Natural              stream.Type // what the column could be declared as; Invalid: nothing
}

func (e *ColumnError) Error() string {
	return fmt.Sprintf("%s: column %q: %s", e.File, e.Column, e.Reason)
}

func (f *File) find(name string) int {
	for i, l := range f.leaves {
		if l.element.Name == name {
			return i
		}
	}
	for i, l := range f.leaves {
		if strings.EqualFold(l.element.Name, name) {
			return i
		}
	}
	return -1
}

// Names are the columns at the top of the file's schema.
func (f *File) Names() []string {
	out := make([]string, len(f.leaves))
	for i, l := range f.leaves {
		out[i] = l.element.Name
	}
	return out
}

// Fields is the schema that the file has, with those columns left out that no type of a
// stream fits; skipped names them with their types.
func (f *File) Fields() (fields []stream.Field, skipped []string) {
	for _, l := range f.leaves {
		t := natural(l.element)
		if l.chunk < 0 {
			t = l.node.natural()
		}
		if t == stream.Invalid {
			skipped = append(skipped, fmt.Sprintf("%s (%s)", l.element.Name, l.node.described()))
			continue
		}
		fields = append(fields, stream.Field{Name: l.element.Name, Type: t, NotNull: !l.optional})
	}
	return fields, skipped
}

// OpenPath opens a file by name and reads its footer.
func OpenPath(path string) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	return Open(path, r, info.Size())
}

// Groups is the number of row groups.
func (f *File) Groups() int { return len(f.groups) }

// Group is the row of the file with which a group begins, and its number of rows.
func (f *File) Group(n int) (first, rows int64) { return f.groups[n].first, f.groups[n].rows }

// stepsMax is how many times longer a unit may be than asked for.
const stepsMax = 4

// Units whose nested columns would take more than nestedBytesAim are made shorter, but
// not shorter than nestedRowsMin.
const (
	nestedBytesAim = 4 << 20
	nestedRowsMin  = 64
)

// Step is how many rows the units of a group should have: as many as asked for, or as
// the largest page of the needed columns (nil: all) has, if that is not much more, so
// that few pages are unpacked for two units; fewer where nested values are long.
func (f *File) Step(r io.ReaderAt, n int, need []bool, rows int64) (int64, error) {
	g, step, nested := &f.groups[n], rows, int64(0)
	for i := range f.bound {
		b := &f.bound[i]
		if b.leaf < 0 || need != nil && !need[i] {
			continue
		}
		if b.nest != nil {
			nested += b.nest.nestedBytes(g)
			continue
		}
		c := &g.chunks[f.leaves[b.leaf].chunk]
		if err := c.load(r, g.rows); err != nil {
			return 0, fmt.Errorf("%s: row group %d, column %q: %w", f.Path, n, b.name, err)
		}
		for _, p := range c.pages {
			if p.rows <= stepsMax*rows {
				step = max(step, p.rows)
			}
		}
	}
	if nested > nestedBytesAim {
		step = min(step, max(nestedRowsMin, int64(float64(g.rows)*nestedBytesAim/float64(nested))))
	}
	return step, nil
}
