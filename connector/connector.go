// Package connector is where rows come from and go to: sources, sinks and the formats
// between bytes and columns. This file is the contract; file.go, csv.go, ndjson.go,
// datagen.go and the rest implement it; registry.go finds an implementation by name.
//
// On the path of a row it stands at both ends: a Reader cuts a partition into blocks
// of whole records, any number of workers decode blocks side by side with a Decoder
// each, and at the far end workers encode batches with an Encoder each while one
// goroutine writes the bytes in order.
package connector

import (
	"context"
	"time"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// Position is a place between two records of a partition, from which a Reader can
// begin. The zero Position is the start. File counts the partition's files in name
// order; Offset is in bytes of that file's (decompressed) content, or in rows for a
// generator and for files that have no lines; Line is the number of lines (or rows)
// before it in the file.
type Position struct {
	File   int
	Offset int64
	Line   int64
}

// Block is a run of whole records as bytes, or for a generator and for files of columns a
// run of row numbers. It is reused: a Reader overwrites all of it.
type Block struct {
	Data []byte
	Rows int    // generators and files of columns
	File string // name to show in messages
	// Due is when the first row was due, in a paced source; zero: rows are not paced.
	Due        time.Time
	Start, End Position
	Partition  int
	// Errors are records the reader gave up itself (too long); they lie before the
	// block's rows.
	Errors []RecordError
	// Passed are rows before the block's that the reader did not read, because no reader
	// of the stream wants them (Reading).
	Passed Passed

	layout *layout // CSV: how the file's fields match the columns
	unit   any     // files of columns: where the rows stand
}

// Passed are rows that were not read.
type Passed struct {
	Rows int64
	Time int64 // the greatest event time among them; stream.MinTime if there is none
}

func (p *Passed) add(rows, time int64) {
	if p.Rows == 0 {
		p.Time = stream.MinTime
	}
	p.Rows, p.Time = p.Rows+rows, max(p.Time, time)
}

// Reading says what will be read of a source, so that it can leave out the rest. The
// zero value means everything.
type Reading struct {
	Need []bool // columns; nil: all
	// Where are conjuncts over the stream's columns. Rows for which one of them is not TRUE
	// are dropped by whoever reads the stream, so a source need not give them. It may, and
	// then they are no error rows and not late.
	Where []*model.Expr
	Time  int // column of event time, or -1; meaningful with Where
}

// RecordError is a record that could not be decoded. Line is 1-based within the
// block (Start.Line to be added by the caller). Record is cut to RecordBytesMax.
// Before is the number of rows decoded from the block before it, so that error rows
// keep their place.
type RecordError struct {
	Before int
	Line   int64
	Record string
	Reason string
}

// Limits of the package, each with what happens when it is reached.
const (
	RecordBytesMax      = 16 << 20  // a longer record becomes an error row and is skipped to the next line
	ErrorRecordBytesMax = 4 << 10   // a longer record is cut in its error row, with "..." at the end
	BlockBytes          = 256 << 10 // size a Reader aims at; a longer record gets a block of its own
)

// Source is an opened stream. It is safe for concurrent use.
type Source interface {
	// Partitions is fixed once opened; partition order is data order for equal times.
	Partitions() int
	// Bounded: every partition ends. Live: input may pause (a terminal, a pipe, a
	// followed file, a paced generator), so half-filled tasks must not wait for it.
	Bounded() bool
	Live() bool
	// Reader opens partition i at a position that an earlier Reader of the same input
	// put into a Block, or at the start.
	Reader(ctx context.Context, partition int, at Position) (Reader, error)
	// NewDecoder returns a decoder for one goroutine.
	NewDecoder() Decoder
	// Warnings are things to tell the user once, such as columns matched by position.
	// Complete once everything has been read; most come with a file's first block.
	Warnings() []string
	Close() error
}

// Reader reads one partition from one goroutine.
type Reader interface {
	// Next fills b with the next records in order, or returns io.EOF with b.End set. It may block on a
	// live source until ctx is done (then it returns ctx's error).
	Next(ctx context.Context, b *Block) error
	Close() error
}

// Decoder turns blocks into columns. Out's absent columns are skipped, not parsed.
type Decoder interface {
	// Decode appends b's good records to out (empty, from the caller) and its bad ones to
	// errs, in record order; b.Errors are the caller's to put before them. Computed
	// columns stay as they were. An error means the input cannot be read
	// at all.
	Decode(b *Block, out *stream.Batch, errs []RecordError) ([]RecordError, error)
	// Record returns the text (cut to ErrorRecordBytesMax) and the 1-based line within
	// the block of row i of the block decoded last, which must still be intact.
	Record(row int) (text string, line int64)
}

// Counted is a Source that reads less than the bytes of its blocks, or more.
type Counted interface {
	Source
	BytesRead() int64
}

// Ordered is a Decoder that knows whether the values of a TIMESTAMP column ascend in every
// block, without looking at them again.
type Ordered interface {
	Decoder
	Ascends(column int) bool
}

// Rebaser is a Decoder that can give event times as values that lack a base (Base of
// stream.Batch), which saves writing them. It does so only after LeaveBase, with the
// number of the event time column.
type Rebaser interface {
	Decoder
	LeaveBase(column int)
}

// Sink is an opened output: also a ByteSink or a BatchSink. Calls come from one
// goroutine. The element is the sink's committed position (bytes written for files),
// so that a restored job goes on behind it.
type Sink interface {
	state.Element
	// Close finishes the output (footer, flush, sync). Abort gives up: what was written
	// stays, cut at the last whole row where the medium allows.
	Close() error
	Abort()
}

// ByteSink takes rows encoded elsewhere.
type ByteSink interface {
	Sink
	// NewEncoder returns an encoder for one goroutine.
	NewEncoder() Encoder
	// Write appends whole rows. Header bytes, if the format has any, are the sink's own.
	Write(p []byte) error
	// Flush makes what was written visible; called when input pauses and at the end.
	Flush() error
}

// Encoder appends rows [from, to) of b to dst.
type Encoder interface {
	Encode(dst []byte, b *stream.Batch, from, to int) []byte
}

// Discarder is a BatchSink that looks at no values: it is told how many rows there were
// instead of being given them.
type Discarder interface {
	BatchSink
	Discard(rows int) error
}

// BatchSink takes rows as columns.
type BatchSink interface {
	Sink
	// WriteBatch may use b during the call only.
	WriteBatch(b *stream.Batch, from, to int) error
	Flush() error
}
