package connector

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// datagen makes rows up. Every value is a function of (seed, row number, column), so
// blocks are just runs of row numbers: they are made by any number of decoders side by
// side, and a restored job goes on at a row number.

const (
	blockRows        = 8192                  // rows of one generated block
	pacePause        = 5 * time.Millisecond  // shortest wait of a paced generator
	paceRowsMax      = 1e9                   // rows_per_second
	startMicros      = 1_767_225_600_000_000 // 2026-01-01
	stepMicros       = 1000                  // between timestamps of an unpaced generator
	textLengthMax    = 1 << 16
	zipfExponent     = 1.2
	textLength       = 8
	integerMax       = 999
	intervalMax      = 3_600_000_000
	daysRange        = 365
	defaultSeed      = 1
	unboundedRows    = -1
	normalWidths     = 6 // standard deviations between min and max where none is given
	fractionBits     = 53
	rowMix           = 0x9e3779b97f4a7c15
	columnMix        = 0xd1342543de82ef95
	nullSalt         = 0x2545f4914f6cdd1d
	lengthSalt       = 0xbb67ae8584caa73b
	pastSalt         = 0x6a09e667f3bcc909
	secondUniform    = 0x3c6ef372fe94f82b
	letters          = "abcdefghijklmnopqrstuvwxyz012345"
	lettersIndexBits = 5
)

type datagenOptions struct {
	rows          int64 // unboundedRows: no end
	rowsPerSecond float64
	columns       map[string]columnOptions
}

// takeDatagen reads the options of datagen and of each column.
func (o *optionSet) takeDatagen(columns []stream.Field) datagenOptions {
	g := datagenOptions{columns: map[string]columnOptions{}}
	g.rowsPerSecond = o.float("rows_per_second", 0)
	if _, given := o.values["rows_per_second"]; given && !(g.rowsPerSecond > 0 && g.rowsPerSecond <= paceRowsMax) {
		o.bad("rows_per_second", "write a number above 0, or leave it out to generate as fast as possible")
	}
	g.rows = o.number("number_of_rows", unboundedRows, 0)
	seed := uint64(o.number("seed", defaultSeed, math.MinInt64))
	step := int64(stepMicros)
	if g.rowsPerSecond > 0 {
		step = max(1, int64(microsPerSecond/g.rowsPerSecond))
	}
	start := o.timestamp("start_time", startMicros)
	end := int64(unboundedRows)
	for i, f := range columns {
		c := o.takeColumn(f, seed^mix(uint64(i+1)*columnMix), start, step)
		g.columns[f.Name] = c
		if n := c.sequenceRows(); n >= 0 && (end < 0 || n < end) {
			end = n
		}
	}
	if g.rows == unboundedRows {
		g.rows = end
	}
	o.checkFieldNames(columns)
	return g
}

func (o *optionSet) timestamp(name string, otherwise int64) int64 {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	t, ok := parseTimestamp([]byte(v))
	if !ok {
		o.bad(name, "write a time such as '2026-01-01 12:00:00'")
	}
	return t
}

// date reads a date as days since 1970; otherwise is a timestamp of the day.
func (o *optionSet) date(name string, otherwise int64) int64 {
	v, ok := o.take(name)
	if !ok {
		days := otherwise / stream.MicrosPerDay
		return min(max(days, stream.DateMin), stream.DateMax)
	}
	days, ok := stream.ParseDate(v)
	if !ok {
		o.bad(name, "write a date such as '2026-01-01'")
	}
	return days
}

// timeOfDay reads a time of day as microseconds since midnight.
func (o *optionSet) timeOfDay(name string, otherwise int64) int64 {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	t, ok := stream.ParseTime(v)
	if !ok {
		o.bad(name, "write a time of day such as '12:00:00'")
	}
	return t
}

// decimal reads a DECIMAL of the type as units of its last digit, which 64 bits hold;
// what stands in its place without it is decimalUnits where the type does not hold that.
func (o *optionSet) decimal(name string, t stream.Type, otherwise string) int64 {
	text, given := o.take(name)
	if !given {
		text = otherwise
	}
	x, fits, ok := stream.ParseDecimal(t, text)
	units, small := x.Int64()
	switch {
	case fits && ok && small:
		return units
	case given:
		o.bad(name, "write a "+t.String()+" of at most 18 digits")
	}
	return decimalUnits
}

// decimalUnits is the range of a DECIMAL that does not hold 1.
const decimalUnits = 9

// checkFieldNames finds options of columns that do not exist.
func (o *optionSet) checkFieldNames(columns []stream.Field) {
	var names []string
	for _, f := range columns {
		names = append(names, f.Name)
	}
	for _, option := range sortedKeys(o.values) {
		rest, ok := strings.CutPrefix(option, "fields.")
		if !ok {
			continue
		}
		name := rest[:max(0, strings.LastIndexByte(rest, '.'))]
		if find(names, func(n string) bool { return n == name }) >= 0 {
			continue
		}
		hint := "columns are " + strings.Join(names, ", ")
		if near := nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		o.fail(o.written[option], fmt.Sprintf("there is no column %q to generate", name), hint)
	}
}

type datagenSource struct {
	options datagenOptions
	schema  *stream.Schema
	columns []*columnOptions // by schema column, nil: computed
}

func newDatagenSource(_ string, src *model.Source, schema *stream.Schema, g datagenOptions) Source {
	s := &datagenSource{options: g, schema: schema, columns: make([]*columnOptions, schema.Len())}
	for i, f := range schema.Fields {
		if i >= len(src.Computed) || src.Computed[i] == nil {
			c := g.columns[f.Name]
			s.columns[i] = &c
		}
	}
	return s
}

// Partitions implements Source.
func (s *datagenSource) Partitions() int { return 1 }

// Bounded implements Source.
func (s *datagenSource) Bounded() bool { return s.options.rows >= 0 }

// Live implements Source.
func (s *datagenSource) Live() bool { return s.options.rowsPerSecond > 0 }

// Warnings implements Source.
func (s *datagenSource) Warnings() []string { return nil }

// Close implements Source.
func (s *datagenSource) Close() error { return nil }

// Reader implements Source.
func (s *datagenSource) Reader(_ context.Context, _ int, at Position) (Reader, error) {
	if at.Offset < 0 {
		return nil, fmt.Errorf("row %d is not a position", at.Offset)
	}
	return &datagenReader{options: s.options, next: at.Offset, first: at.Offset, block: blockRows, name: "<datagen>"}, nil
}

// NewDecoder implements Source.
func (s *datagenSource) NewDecoder() Decoder {
	d := &datagenDecoder{columns: make([]*columnMaker, len(s.columns))}
	for i, c := range s.columns {
		if c != nil {
			d.columns[i] = newColumnMaker(c)
		}
	}
	return d
}

// datagenReader deals out row numbers, not faster than the pace.
type datagenReader struct {
	options     datagenOptions
	first, next int64
	block       int64 // rows of a block at most
	ring        int64 // no block extends over a multiple of it; 0: any may
	name        string
	begun       time.Time
}

// Next implements Reader.
func (r *datagenReader) Next(ctx context.Context, b *Block) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	last := r.next + r.block
	if r.ring > 0 {
		last = min(last, (r.next/r.ring+1)*r.ring)
	}
	if r.options.rows >= 0 {
		last = min(last, r.options.rows)
	}
	if r.next >= last {
		b.End = Position{Offset: r.next, Line: r.next}
		return io.EOF
	}
	if r.options.rowsPerSecond > 0 {
		due, err := r.wait(ctx)
		if err != nil {
			return err
		}
		last = min(last, due)
	}
	var scheduled time.Time
	if r.options.rowsPerSecond > 0 {
		scheduled = r.begun.Add(time.Duration(float64(r.next-r.first) / r.options.rowsPerSecond * float64(time.Second)))
	}
	*b = Block{Data: b.Data[:0], Errors: b.Errors[:0], Due: scheduled, Rows: int(last - r.next), File: r.name,
		Start: Position{Offset: r.next, Line: r.next}, End: Position{Offset: last, Line: last}}
	r.next = last
	return nil
}

// wait waits until a row is due and returns the number of the first that is not.
func (r *datagenReader) wait(ctx context.Context) (int64, error) {
	if r.begun.IsZero() {
		r.begun = time.Now()
	}
	for {
		due := r.first + 1 + int64(time.Since(r.begun).Seconds()*r.options.rowsPerSecond)
		if due > r.next {
			return due, nil
		}
		ahead := time.Duration(float64(r.next-r.first)/r.options.rowsPerSecond*float64(time.Second)) - time.Since(r.begun)
		if err := sleep(ctx, max(ahead, pacePause)); err != nil {
			return 0, err
		}
	}
}

// Close implements Reader.
func (r *datagenReader) Close() error {
	r.options.rows = 0
	return nil
}

// datagenDecoder makes the rows of a block.
type datagenDecoder struct {
	columns []*columnMaker
	first   int64
}

// Decode implements Decoder.
func (d *datagenDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	d.first = b.Start.Offset
	for i, m := range d.columns {
		if m != nil && !out.Cols[i].Absent() {
			m.fill(&out.Cols[i], d.first, b.Rows)
		}
	}
	out.Len = b.Rows
	return errs, nil
}

// Record implements Decoder: a generated row has only its number.
func (d *datagenDecoder) Record(row int) (text string, line int64) {
	return fmt.Sprintf("generated row %d", d.first+int64(row)+1), int64(row) + 1
}
