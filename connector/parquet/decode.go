package parquet

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace/millrace/stream"
)

// Unit is what is decoded at once: rows [From, To) of a row group.
type Unit struct {
	Group    int
	From, To int64
}

// First is the row of the file with which a unit begins.
func (f *File) First(u Unit) int64 { return f.groups[u.Group].first + u.From }

// Failure is a row that is no row of the stream, by its number in the unit.
type Failure struct {
	Row    int
	Reason string
}

// Decoder decodes units, one at a time. It keeps each column's last page, so that units
// of one page that it gets in order unpack the page once.
type Decoder struct {
	file     *File
	group    int
	columns  []column
	failures []Failure
}

// column is what a Decoder has of one column.
type column struct {
	reader pageReader
	chunk  *chunk
	at     int // page of the chunk in values, or -1
	levels []byte
	coded  bool // values are of the dictionary
	codes  []int32
	own    values
	dict   *values    // of the chunk, where values are of the dictionary
	nest   *assembler // of a nested column, which uses of the rest only chunk
}

// Decode appends the unit's rows to out, an empty batch; absent columns are passed over.
// Rows that are none, in ascending order, are among out's and have to be taken out. The
// error of damaged or truncated files names the file.
func (d *Decoder) Decode(f *File, r io.ReaderAt, u Unit, out *stream.Batch) ([]Failure, error) {
	if d.file != f || d.group != u.Group {
		d.file, d.group = f, u.Group
		d.columns = slices.Grow(d.columns[:0], len(f.bound))[:len(f.bound)]
		for i := range d.columns {
			d.columns[i].chunk, d.columns[i].at = nil, -1
		}
	}
	d.failures = d.failures[:0]
	rows := int(u.To - u.From)
	for i := range out.Cols {
		b := &f.bound[i]
		if out.Cols[i].Absent() || b.leaf < 0 {
			continue
		}
		read := d.column
		if b.nest != nil {
			read = d.nested
		}
		if err := read(r, i, u, &out.Cols[i]); err != nil {
			return nil, fmt.Errorf("%s: row group %d, column %q: %w", f.Path, u.Group, b.name, err)
		}
		if out.Schema.Fields[i].NotNull && out.Cols[i].Valid != nil {
			d.nulls(&out.Cols[i], rows, b.name)
		}
	}
	out.Len = rows
	return d.sorted(), nil
}

// column fills one column from the pages that hold the unit's rows.
func (d *Decoder) column(r io.ReaderAt, i int, u Unit, out *stream.Column) error {
	f, b, g := d.file, &d.file.bound[i], &d.file.groups[u.Group]
	c := &d.columns[i]
	optional := f.leaves[b.leaf].optional
	c.chunk = &g.chunks[f.leaves[b.leaf].chunk]
	if err := c.chunk.load(r, g.rows); err != nil {
		return err
	}
	pages := c.chunk.pages
	at, _ := slices.BinarySearchFunc(pages, u.From, func(p page, row int64) int {
		if p.first+p.rows <= row {
			return -1
		}
		return 1
	})
	prepare(out, int(u.To-u.From))
	for n := 0; at < len(pages) && pages[at].first < u.To; at++ {
		p := pages[at]
		if c.at != at {
			c.at = -1
			if err := c.load(r, b.read, p, optional); err != nil {
				return err
			}
			c.at = at
		}
		from, to := int(max(u.From, p.first)-p.first), int(min(u.To, p.first+p.rows)-p.first)
		d.noteBad(c, b, n, from, to)
		c.appendRows(out, b.read, n, from, to, int(u.To-u.From))
		if len(out.Bytes) > math.MaxInt32 {
			return fmt.Errorf("the texts of %d rows take more than 2 GiB", u.To-u.From)
		}
		n += to - from
	}
	return nil
}

// load decodes a page; a dictionary is decoded once for all decoders.
func (c *column) load(r io.ReaderAt, f form, p page, optional bool) error {
	b, err := c.reader.read(r, c.chunk, p, optional)
	if err != nil {
		return err
	}
	c.levels = b.levels
	c.coded = b.encoding == format.RLEDictionary || b.encoding == plainDictionary
	if !c.coded {
		return c.own.decode(f, b)
	}
	if c.dict, err = c.chunk.loadDictionary(r, f); err != nil {
		return err
	}
	return c.decodeCodes(b)
}

func (c *column) decodeCodes(b body) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: the values of a page cannot be read: %v", errDamaged, p)
		}
	}()
	if err := b.check(); err != nil {
		return err
	}
	c.codes, err = dictionaryCodes.DecodeInt32(sized(c.codes, b.count+codesSlack), b.values)
	if err != nil {
		return fmt.Errorf("%w: the values of a page cannot be read: %w", errDamaged, err)
	}
	if len(c.codes) < b.count {
		return fmt.Errorf("%w: a page has %d values instead of %d", errDamaged, len(c.codes), b.count)
	}
	c.codes = c.codes[:b.count]
	last := uint32(0)
	for _, x := range c.codes {
		last = max(last, uint32(x))
	}
	if b.count > 0 && last >= uint32(c.dict.count) {
		return fmt.Errorf("%w: a page refers to value %d of a dictionary of %d", errDamaged, last, c.dict.count)
	}
	return nil
}

// loadDictionary decodes the chunk's dictionary, once for all that read the column in the
// same form.
func (c *chunk) loadDictionary(r io.ReaderAt, f form) (*values, error) {
	c.dictOnce.Do(func() {
		c.dictForm = f
		c.dict, c.dictErr = c.decodeDictionary(r, f)
	})
	if c.dictForm != f && c.dictErr == nil {
		return c.decodeDictionary(r, f)
	}
	return c.dict, c.dictErr
}

func (c *chunk) decodeDictionary(r io.ReaderAt, f form) (*values, error) {
	if c.dictionary.size == 0 {
		return nil, fmt.Errorf("%w: a page refers to a dictionary that is not there", errDamaged)
	}
	reader := pageReader{}
	b, err := reader.read(r, c, c.dictionary, false)
	if err != nil {
		return nil, err
	}
	dict := &values{}
	return dict, dict.decode(f, b)
}

// noteBad notes the rows [from, to) of the page whose values are none of the type.
func (d *Decoder) noteBad(c *column, b *binding, n, from, to int) {
	bad := c.own.bad
	if c.coded {
		bad = c.dict.bad
	}
	if len(bad) == 0 {
		return
	}
	value := 0
	for row := range to {
		if c.levels != nil && c.levels[row] == 0 {
			continue
		}
		code := int32(value)
		if c.coded {
			code = c.codes[value]
		}
		if _, found := slices.BinarySearch(bad, code); found && row >= from {
			d.failures = append(d.failures, Failure{Row: n + row - from, Reason: b.read.reason(b.name)})
		}
		value++
	}
}

func (d *Decoder) nulls(c *stream.Column, rows int, name string) {
	reason := fmt.Sprintf("column %q is NOT NULL", name)
	for i := range rows {
		if c.IsNull(i) {
			d.failures = append(d.failures, Failure{Row: i, Reason: reason})
		}
	}
}

// sorted brings the failures into row order, the first of each row.
func (d *Decoder) sorted() []Failure {
	slices.SortStableFunc(d.failures, func(a, b Failure) int { return a.Row - b.Row })
	d.failures = slices.CompactFunc(d.failures, func(a, b Failure) bool { return a.Row == b.Row })
	return d.failures
}
