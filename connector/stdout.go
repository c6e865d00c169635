package connector

import (
	"io"
	"strings"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// stdoutSink writes rows to standard output, a buffer at a time.
type stdoutSink struct {
	options sinkOptions
	schema  *stream.Schema
	visible []int
	out     io.Writer
	buffer  []byte
	written int64
	err     error
}

func newStdoutSink(t sinkOptions, schema *stream.Schema, visible []int, env Env) Sink {
	s := &stdoutSink{options: t, schema: schema, visible: visible, out: env.Stdout}
	if s.out == nil {
		s.out = io.Discard
	}
	s.buffer = t.headerLine(schema, visible)
	return s
}

// takeStdout reads the options of standard output.
func (o *optionSet) takeStdout() sinkOptions {
	t := o.takeSinkFormat("", FormatNDJSON, textFormats)
	if id, _ := o.take("print_identifier"); id != "" {
		if strings.ContainsAny(id, "\r\n") {
			o.bad("print_identifier", "write a text of one line")
		}
		t.prefix = id + "> "
	}
	return t
}

// NewEncoder implements ByteSink.
func (s *stdoutSink) NewEncoder() Encoder {
	e := s.options.encoder(s.schema, s.visible)
	if s.options.prefix == "" {
		return e
	}
	return &prefixEncoder{Encoder: e, prefix: s.options.prefix}
}

// prefixEncoder puts a text in front of every row.
type prefixEncoder struct {
	Encoder
	prefix string
}

// Encode implements Encoder.
func (e *prefixEncoder) Encode(dst []byte, b *stream.Batch, from, to int) []byte {
	for row := from; row < to; row++ {
		dst = e.Encoder.Encode(append(dst, e.prefix...), b, row, row+1)
	}
	return dst
}

// Write implements ByteSink.
func (s *stdoutSink) Write(p []byte) error {
	s.buffer = append(s.buffer, p...)
	if len(s.buffer) < sinkBufferBytes {
		return s.err
	}
	return s.Flush()
}

// Flush implements ByteSink.
func (s *stdoutSink) Flush() error {
	if s.err != nil || len(s.buffer) == 0 {
		return s.err
	}
	n, err := s.out.Write(s.buffer)
	s.written += int64(n)
	s.buffer = s.buffer[:0]
	if err != nil {
		s.err = writeError("standard output", err)
	}
	return s.err
}

// Close implements Sink.
func (s *stdoutSink) Close() error { return s.Flush() }

// Abort implements Sink.
func (s *stdoutSink) Abort() { s.Flush() }

// Snapshot implements state.Element. What was written cannot be taken back; the number
// is kept so that a restored job does not write the header again.
func (s *stdoutSink) Snapshot(w *state.Writer) {
	s.Flush()
	w.Int(s.written)
}

// Restore implements state.Element.
func (s *stdoutSink) Restore(r *state.Reader) error {
	if s.written = r.Int(); s.written > 0 {
		s.buffer = s.buffer[:0]
	}
	return r.End()
}

// blackhole takes rows and keeps their number.
type blackhole struct{ rows int64 }

// WriteBatch implements BatchSink.
// Discard implements Discarder.
func (s *blackhole) Discard(rows int) error {
	s.rows += int64(rows)
	return nil
}

func (s *blackhole) WriteBatch(_ *stream.Batch, from, to int) error {
	s.rows += int64(to - from)
	return nil
}

// Flush implements BatchSink.
func (s *blackhole) Flush() error { return nil }

// Close implements Sink.
func (s *blackhole) Close() error { return nil }

// Abort implements Sink.
func (s *blackhole) Abort() {}

// Snapshot implements state.Element.
func (s *blackhole) Snapshot(w *state.Writer) { w.Int(s.rows) }

// Restore implements state.Element.
func (s *blackhole) Restore(r *state.Reader) error {
	s.rows = r.Int()
	return r.End()
}
