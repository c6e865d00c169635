package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// replay reads a file once and then gives its rows over and over from memory, as fast
// as they are taken or at a pace: a source for measuring everything behind it.
//
// The first `bundle` rows are laid out `copies` times, one behind the other, in a ring
// (so that the ring may be larger than the caches). Every pass over a bundle is a lap:
// all TIMESTAMP columns move on by `lap` each time, which keeps event time ascending.
//
// With ingest = 'share' batches alias the ring's columns. So does event time, if it
// ascends: the batch's base says how far it has moved on. Other TIMESTAMP columns are
// written anew. With 'copy' every column that is read is written into the batch, as a
// decoder would.

const (
	replayRowsMax   = 1 << 28 // of the ring
	replayBlockRows = 16384
	replayShare     = "share"
	replayCopy      = "copy"
)

type replayOptions struct {
	text          textOptions
	files         [][]string
	bundle        int64
	copies        int64
	lap           int64 // microseconds; 0: from the data
	rows          int64 // unboundedRows: no end
	rowsPerSecond float64
	share         bool
}

// takeReplay reads the options of replay.
func (o *optionSet) takeReplay() replayOptions {
	r := replayOptions{rows: o.number("number_of_rows", unboundedRows, 0), bundle: o.number("bundle", 0, 1), copies: o.number("copies", 1, 1)}
	r.rowsPerSecond = o.float("rows_per_second", 0)
	if _, given := o.values["rows_per_second"]; given && !(r.rowsPerSecond > 0 && r.rowsPerSecond <= paceRowsMax) {
		o.bad("rows_per_second", "write a number above 0, or leave it out to replay as fast as possible")
	}
	r.share = o.choice("ingest", replayShare, replayShare, replayCopy) == replayShare
	if text, ok := o.take("lap"); ok {
		d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
		if err != nil || d < time.Microsecond {
			o.bad("lap", "write a duration such as '271s'")
		}
		r.lap = d.Microseconds()
	}
	r.text, r.files = o.takeFile(nil)
	return r
}

type replaySource struct {
	options replayOptions
	name    string
	ring    *stream.Batch
	bundle  int // rows of a lap
	lap     int64
	moved   []bool // columns that move on
	ascends []bool // .. and never fall
}

// newReplaySource loads the ring.
func newReplaySource(name string, src *model.Source, schema *stream.Schema, r replayOptions, env Env) (Source, error) {
	s := &replaySource{options: r, name: name, moved: make([]bool, schema.Len()), lap: r.lap}
	bundle, err := s.load(src, schema, env)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	if bundle.Len == 0 {
		return nil, fmt.Errorf("stream %s: there is no row to replay", name)
	}
	s.bundle = bundle.Len
	if int64(bundle.Len)*r.copies > replayRowsMax {
		return nil, fmt.Errorf("stream %s: %d copies of %d rows are more than %d rows", name, r.copies, bundle.Len, replayRowsMax)
	}
	s.ring = stream.NewBatch(schema, physicalColumns(src, schema))
	for range r.copies {
		s.ring.AppendRange(bundle, 0, bundle.Len)
	}
	for i, f := range schema.Fields {
		s.moved[i] = f.Type == stream.Timestamp && !s.ring.Cols[i].Absent()
	}
	s.findLap()
	s.ascends = make([]bool, len(s.moved))
	for i, moves := range s.moved {
		t := s.ring.Cols[i].I64
		s.ascends[i] = moves && s.ring.Cols[i].Valid == nil && vector.Ascending(t[:s.bundle]) && t[s.bundle-1] <= t[0]+s.lap
		if moves {
			s.layLaps(t)
		}
	}
	return s, nil
}

// layLaps moves the times of the ring's copies on, each by a lap more.
func (s *replaySource) layLaps(times []int64) {
	for at := s.bundle; at < len(times); at += s.bundle {
		by := int64(at/s.bundle) * s.lap
		for i := at; i < at+s.bundle; i++ {
			times[i] += by
		}
	}
}

// load reads the rows of a bundle.
func (s *replaySource) load(src *model.Source, schema *stream.Schema, env Env) (*stream.Batch, error) {
	file, err := newFileSource(s.name, src, schema, s.options.text, s.options.files, Reading{}, env)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, err := file.Reader(context.Background(), 0, Position{})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	need := physicalColumns(src, schema)
	out, decoder, limit := stream.NewBatch(schema, need), file.NewDecoder(), math.MaxInt
	if s.options.bundle > 0 {
		limit = int(s.options.bundle)
	}
	for block := (&Block{}); out.Len < limit; {
		err := reader.Next(context.Background(), block)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		b := stream.NewBatch(schema, need)
		bad, err := decoder.Decode(block, b, nil)
		if bad = append(bad, block.Errors...); err == nil && len(bad) > 0 {
			err = fmt.Errorf("%s:%d: %s (replay takes only good records)", block.File, block.Start.Line+bad[0].Line, bad[0].Reason)
		}
		if err != nil {
			return nil, err
		}
		out.AppendRange(b, 0, min(b.Len, limit-out.Len))
	}
	return out, nil
}

// findLap sets the lap, if none is given, to what the first TIMESTAMP column spans and
// one row's share of it.
func (s *replaySource) findLap() {
	for i, moves := range s.moved {
		if !moves || s.lap > 0 {
			continue
		}
		t := s.ring.Cols[i].I64
		span := t[s.bundle-1] - t[0]
		s.lap = max(1, span+span/int64(max(1, s.bundle-1)))
	}
}

// Partitions implements Source.
func (s *replaySource) Partitions() int { return 1 }

// Bounded implements Source.
func (s *replaySource) Bounded() bool { return s.options.rows >= 0 }

// Live implements Source.
func (s *replaySource) Live() bool { return s.options.rowsPerSecond > 0 }

// Warnings implements Source.
func (s *replaySource) Warnings() []string { return nil }

// Close implements Source.
func (s *replaySource) Close() error { return nil }

// Reader implements Source.
func (s *replaySource) Reader(_ context.Context, _ int, at Position) (Reader, error) {
	if at.Offset < 0 {
		return nil, fmt.Errorf("row %d is not a position", at.Offset)
	}
	g := datagenOptions{rows: s.options.rows, rowsPerSecond: s.options.rowsPerSecond}
	return &datagenReader{options: g, next: at.Offset, first: at.Offset, block: replayBlockRows, ring: int64(s.ring.Len), name: s.name}, nil
}

// NewDecoder implements Source.
func (s *replaySource) NewDecoder() Decoder { return &replayDecoder{source: s, based: -1} }

// replayDecoder gives the rows of a block. Blocks do not extend over the ring's end.
type replayDecoder struct {
	source *replaySource
	first  int64
	based  int // the column that batches have a base for, or -1
}

// LeaveBase implements Rebaser.
func (d *replayDecoder) LeaveBase(column int) {
	if d.source.options.share && d.source.ascends[column] {
		d.based = column
	}
}

// Decode implements Decoder.
func (d *replayDecoder) Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error) {
	s := d.source
	d.first = b.Start.Offset
	from := int(d.first % int64(s.ring.Len))
	to := from + b.Rows
	for i := range s.ring.Cols {
		src, dst := &s.ring.Cols[i], &out.Cols[i]
		switch {
		case src.Absent() || dst.Absent():
		case i == d.based:
			out.Borrow(i, src.Slice(from, to))
			out.Based, out.Base = i, s.passed(d.first)
		case s.moved[i]:
			s.move(dst, src, from, to, s.passed(d.first))
		case s.options.share:
			out.Borrow(i, src.Slice(from, to))
		default:
			dst.AppendRange(src, from, to, 0)
		}
	}
	out.Len = b.Rows
	return errs, nil
}

// passed is how far event time has moved on when row first of the stream comes, the laps
// of the ring itself apart.
func (s *replaySource) passed(first int64) int64 {
	return first / int64(s.ring.Len) * int64(s.ring.Len/s.bundle) * s.lap
}

// move writes rows [from, to) of a TIMESTAMP column, moved on.
func (s *replaySource) move(dst, src *stream.Column, from, to int, by int64) {
	if src.Valid != nil {
		dst.AppendRange(src, from, to, 0)
		vector.AddInt64(dst.I64, dst.I64, by)
		return
	}
	if n := to - from; cap(dst.I64) < n {
		dst.I64 = make([]int64, n)
	} else {
		dst.I64 = dst.I64[:n]
	}
	vector.AddInt64(dst.I64, src.I64[from:to], by)
}

// Ascends implements Ordered.
func (d *replayDecoder) Ascends(column int) bool { return d.source.ascends[column] }

// Record implements Decoder: a replayed row has only its number.
func (d *replayDecoder) Record(row int) (text string, line int64) {
	return fmt.Sprintf("replayed row %d", d.first+int64(row)+1), int64(row) + 1
}
