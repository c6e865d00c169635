package connector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// textReader reads a partition of text files as blocks.
//
// Bytes are read behind what the previous block left over, the last border between two
// records is looked for, and what lies behind the border waits in rest for the next
// block. Invariants:
//
//  1. pos is the place of rest's first byte, and rest begins a record.
//  2. A block's records do not depend on where reads end; only the cuts between blocks do.
//  3. At most recordBytesMax plus one block are held.
type textReader struct {
	src       *textSource
	partition int
	files     fileList
	file      string                                                // the one at pos, once open
	in        input                                                 // nil between files
	from      func(ctx context.Context, name string) (input, error) // opens files; nil: the source does
	pos       Position
	rest      []byte
	long      *longRecord // inside a record that is too long
	ended     error       // what reading the current file ended with
	layout    *layout
}

// Next implements Reader.
func (r *textReader) Next(ctx context.Context, b *Block) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.in == nil {
			err := r.open(ctx, r.pos)
			if err == io.EOF {
				b.End = r.pos
			}
			if err != nil {
				return err
			}
		}
		b.Rows, b.Errors, b.Partition = 0, b.Errors[:0], r.partition
		b.File, b.Start, b.layout = r.file, r.pos, r.layout
		err := r.fill(ctx, b)
		b.End = r.pos
		if err == nil && (len(b.Data) > 0 || len(b.Errors) > 0) {
			return nil
		}
		if err == io.EOF {
			err = r.closeFile()
			r.files.finished(r.pos)
			r.pos = Position{File: r.pos.File + 1}
		}
		if err != nil {
			return err
		}
	}
}

// fill puts the next whole records into b, or returns how the file ended.
func (r *textReader) fill(ctx context.Context, b *Block) error {
	if r.long != nil {
		return r.passLong(ctx, b)
	}
	data := b.Data[:0]
	if cap(data) > 4*r.src.blockBytes || cap(data) == 0 {
		data = make([]byte, 0, max(r.src.blockBytes, len(r.rest)))
	}
	data = append(data, r.rest...)
	r.rest = r.rest[:0]
	cut := r.src.cutter()
	for limit := r.src.blockBytes; ; limit *= 2 {
		limit = min(limit, r.src.recordBytesMax+1)
		data = r.read(ctx, data, max(limit, len(data)), &cut)
		cut.scan(data)
		if cut.border > 0 || r.ended != nil || len(data) > r.src.recordBytesMax {
			break
		}
	}
	b.Data = data
	return r.settle(b, &cut)
}

// read appends up to limit bytes in all. A live input is not waited for once a whole
// record is there.
func (r *textReader) read(ctx context.Context, data []byte, limit int, cut *cutter) []byte {
	for len(data) < limit && r.ended == nil {
		if r.src.live && !r.in.Ready() {
			if cut.scan(data); cut.border > 0 {
				break
			}
		}
		if cap(data) < limit {
			grown := make([]byte, len(data), limit)
			copy(grown, data)
			data = grown
		}
		n, err := r.in.Read(ctx, data[len(data):limit])
		data, r.ended = data[:len(data)+n], err
	}
	return data
}

// settle cuts b at the border and keeps what is behind it.
func (r *textReader) settle(b *Block, cut *cutter) error {
	data, border := b.Data, cut.border
	if border == 0 && r.ended == io.EOF && !cut.open() && len(data) <= r.src.recordBytesMax {
		border = len(data) // the last record needs no line end
	}
	b.Data = data[:border]
	if border > 0 {
		r.keep(data, border)
		return nil
	}
	interrupted := errors.Is(r.ended, context.Canceled) || errors.Is(r.ended, context.DeadlineExceeded)
	if interrupted || r.ended != nil && r.ended != io.EOF || len(data) == 0 {
		err := r.ended
		if interrupted {
			r.ended = nil // a later call goes on
			r.rest = append(r.rest[:0], data...)
		}
		return err
	}
	r.giveUp(b, data, cut)
	return nil
}

// keep moves the reader's place to border and what is behind it to rest.
func (r *textReader) keep(data []byte, border int) {
	r.rest = append(r.rest[:0], data[border:]...)
	r.pos.Offset += int64(border)
	r.pos.Line += countLines(data[:border])
}

// giveUp makes an error of a record that has no end within the limit. If an open quote
// is to blame, only its line is lost: the next line is taken as a record again.
func (r *textReader) giveUp(b *Block, data []byte, cut *cutter) {
	reason, end := "", len(data)
	if cut.open() {
		reason = "quoted field is not closed"
		if i := indexNewline(data); i >= 0 {
			end = i + 1
		}
	}
	if end == len(data) && len(data) > r.src.recordBytesMax {
		r.long = &longRecord{r.pos, RecordError{Line: 1, Record: cutRecord(data),
			Reason: "record longer than " + formatBytes(r.src.recordBytesMax)}}
		r.keep(data, end)
		return
	}
	b.Errors = append(b.Errors, RecordError{Line: 1, Record: cutRecord(data[:end]), Reason: reason})
	r.keep(data, end)
}

// longRecord is a record whose end is still to be found.
type longRecord struct {
	start Position
	err   RecordError
}

// passLong makes a block of a record that is too long, once its end is found.
func (r *textReader) passLong(ctx context.Context, b *Block) error {
	if err := r.skipRecord(ctx); err != nil {
		return err
	}
	b.Data, b.Start, b.Errors = b.Data[:0], r.long.start, append(b.Errors, r.long.err)
	r.long = nil
	return nil
}

// skipRecord drops bytes to the next line end, or the end of the file. It fails only
// when ctx is done, and can be called again then.
func (r *textReader) skipRecord(ctx context.Context) error {
	buf := make([]byte, r.src.blockBytes)
	for r.ended == nil {
		n, err := r.in.Read(ctx, buf)
		if i := indexNewline(buf[:n]); i >= 0 {
			r.pos.Offset, r.pos.Line = r.pos.Offset+int64(i)+1, r.pos.Line+1
			r.rest, r.ended = append(r.rest[:0], buf[i+1:n]...), err
			return nil
		}
		r.pos.Offset += int64(n)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		r.ended = err
	}
	return nil
}

// open opens the file of the position and goes there, or returns io.EOF if there is none. The header and what it says of
// the columns are read first in any case.
func (r *textReader) open(ctx context.Context, at Position) error {
	name, err := r.files.path(ctx, at.File)
	if err != nil {
		return err
	}
	from := r.from
	if from == nil {
		from = r.src.openInput
	}
	in, err := from(ctx, name)
	if reason := cause(err); reason != err {
		return fmt.Errorf("cannot read %s: %w", name, reason)
	}
	if err != nil {
		return err
	}
	r.in, r.file, r.ended, r.rest, r.long = in, name, nil, r.rest[:0], nil
	r.pos = Position{File: at.File}
	if r.layout, err = r.readHeader(ctx, name); err != nil {
		_ = r.closeFile()
		r.pos = at
		return err
	}
	if ahead := at.Offset - r.pos.Offset; ahead > 0 {
		fromRest := min(ahead, int64(len(r.rest)))
		r.rest = append(r.rest[:0], r.rest[fromRest:]...)
		if ahead > fromRest {
			if err := r.in.Skip(ctx, ahead-fromRest); err != nil {
				_ = r.closeFile()
				r.pos = at
				return fmt.Errorf("%s: cannot go on at byte %d: %w", name, at.Offset, err)
			}
		}
		r.pos = at
	}
	return nil
}

// Close implements Reader.
func (r *textReader) Close() error {
	r.files = noFiles
	return r.closeFile()
}

func (r *textReader) closeFile() error {
	if r.in == nil {
		return nil
	}
	err := r.in.Close()
	r.in = nil
	return err
}

var utf8Mark = []byte("\xef\xbb\xbf")

// readHeader skips a byte order mark and, in CSV, decides about the first record: it is
// taken as the header or left in rest as data.
func (r *textReader) readHeader(ctx context.Context, name string) (*layout, error) {
	cut := r.src.cutter()
	for r.ended == nil && len(r.rest) < len(utf8Mark) && bytes.HasPrefix(utf8Mark, r.rest) {
		if err := r.readMore(ctx); err != nil {
			return nil, err
		}
	}
	if bytes.HasPrefix(r.rest, utf8Mark) {
		r.keep(append([]byte(nil), r.rest...), len(utf8Mark))
	}
	if !r.src.csv {
		return nil, nil
	}
	if r.src.header == headerNo {
		return r.src.positional(), nil
	}
	for {
		end := cut.first(r.rest)
		if end < 0 && r.ended == nil && len(r.rest) <= r.src.recordBytesMax {
			if err := r.readMore(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if end < 0 {
			end = len(r.rest)
		}
		record := r.rest[:end]
		if end > 0 && len(trimLineEnd(record)) == 0 {
			r.keep(append([]byte(nil), r.rest...), end)
			continue
		}
		l, isHeader, err := r.src.matchHeader(name, record)
		if isHeader {
			r.keep(append([]byte(nil), r.rest...), end)
		}
		return l, err
	}
}

const headerReadBytes = 16 << 10 // read at a time while the header is looked for

func (r *textReader) readMore(ctx context.Context) error {
	at := len(r.rest)
	r.rest = append(r.rest, make([]byte, min(r.src.blockBytes, headerReadBytes))...)
	n, err := r.in.Read(ctx, r.rest[at:])
	r.rest = r.rest[:at+n]
	if err != nil && ctx.Err() != nil {
		return err
	}
	r.ended = err
	return nil
}
