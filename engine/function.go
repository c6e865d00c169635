package engine

import (
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// functionBody runs an operator's function as a stage.
type functionBody struct {
	run     *run
	fn      operator.Function
	out     *outlet // nil: nobody reads the output
	errors  errorPorts
	inputs  []bool // ended
	left    int    // inputs that have not ended
	rowsOut atomic.Int64

	previewer operator.Previewer // nil: it does not care
	streamer  operator.Streamer  // nil: it puts out nothing in Batch
	fused     *fusedSink         // nil: rows go to the outlet
	pairs     *pairs             // nil: it has no jobs for others
}

func newFunctionBody(r *run, fn operator.Function, inputs int, out *outlet, errors errorPorts) *functionBody {
	b := &functionBody{run: r, fn: fn, out: out, errors: errors, inputs: make([]bool, inputs), left: inputs}
	b.previewer, _ = fn.(operator.Previewer)
	if s, ok := fn.(operator.Streamer); ok && s.Streams() {
		b.streamer = s
	}
	return b
}

func (b *functionBody) newScratch() any {
	if b.streamer == nil {
		return b.fn.NewScratch()
	}
	return b.newStreamScratch()
}

func (b *functionBody) preview(t *operator.Task) {
	if b.previewer != nil {
		b.previewer.Preview(t)
	}
}

func (b *functionBody) compute(sl *slot, scratch any) (err error) {
	if sl.job != nil {
		return b.pairs.fn.Pair(sl.job, sl.task.Paired)
	}
	if b.streamer != nil {
		sl.partial, err = scratch.(*streamScratch).batch(b, sl)
	} else {
		sl.partial, err = b.fn.Batch(&sl.task, scratch)
	}
	if err != nil {
		b.discard(sl, false)
		sl.partial = operator.Partial{}
	}
	return err
}

func (b *functionBody) absorb(sl *slot) error {
	if err := b.errors.send(sl.partial.Errors); err != nil {
		return err
	}
	if sl.task.End && !b.inputs[sl.task.Input] {
		b.inputs[sl.task.Input] = true
		b.left--
	}
	return b.fn.Assemble(&sl.task, sl.partial)
}

func (b *functionBody) produce(sl *slot) (more bool, err error) {
	if b.streamer != nil && b.sendStreamed(sl) {
		return true, nil
	}
	batch, err := b.fn.Next()
	if err != nil {
		return false, err
	}
	if err := b.errors.send(b.fn.TakeErrors()); err != nil {
		return false, err
	}
	if b.pairs != nil {
		more = b.pairs.proceed()
	}
	if batch == nil {
		return more, nil
	}
	batch.First = b.rowsOut.Load()
	b.rowsOut.Add(int64(batch.Len))
	if b.out != nil {
		b.out.send(batch, 0, batch.Len)
	}
	batch.Release()
	return true, nil
}

func (b *functionBody) room() bool       { return b.pairs == nil || b.pairs.ready() }
func (b *functionBody) watermark() int64 { return b.fn.Watermark() }
func (b *functionBody) ended() bool      { return b.left == 0 }
func (b *functionBody) wants(i int) bool { return b.fn.Wants(i) }

func (b *functionBody) discard(sl *slot, absorbed bool) {
	if r, ok := b.fn.(operator.Releaser); ok && !absorbed && sl.partial.Value != nil {
		r.Discard(sl.partial)
	}
	sl.streamed.release()
}

func (b *functionBody) close() {
	if r, ok := b.fn.(operator.Releaser); ok {
		r.Close()
	}
}

// errorPort counts an operator's failing rows, keeps the first ones for display, and
// passes them to whoever reads the port.
type errorPort struct {
	op     *model.Operator
	policy model.ErrorPolicy
	out    *outlet // nil: nobody reads
	tally  *Tally
	sink   func(op *model.Operator, e ErrorRecord)
}

// errorPorts are those of all operators of a stage.
type errorPorts map[model.OpID]*errorPort

func (p errorPorts) send(rows []operator.ErrorRow) error {
	for _, e := range rows {
		port := p[e.Op]
		if port == nil {
			return fmt.Errorf("internal error: operator %d has no error port", e.Op)
		}
		if err := port.send(ErrorRecord{Operator: port.op.Name, Reason: e.Reason, Record: e.Record}); err != nil {
			return err
		}
	}
	return nil
}

func (p *errorPort) send(e ErrorRecord) error {
	p.tally.add(e)
	if p.policy == model.ErrorsFail {
		return &RowError{e}
	}
	if p.sink != nil {
		p.sink(p.op, e)
	}
	if p.out != nil {
		b := stream.NewBatch(model.ErrorSchema, nil)
		b.AppendRow(e.row())
		p.out.send(b, 0, 1)
	}
	return nil
}

// ErrorRecord is a row of an errors port. File is empty and Line 0 except for sources.
type ErrorRecord struct {
	Operator string `json:"operator"`
	Reason   string `json:"reason"`
	Record   string `json:"record"`
	File     string `json:"file,omitempty"`
	Line     int64  `json:"line,omitempty"`
}

func (e ErrorRecord) row() []stream.Value {
	file, line := stream.NullOf(stream.Varchar), stream.NullOf(stream.BigInt)
	if e.File != "" {
		file, line = stream.Text(e.File), stream.Big(e.Line)
	}
	return []stream.Value{stream.Text(e.Operator), stream.Text(e.Reason), stream.Text(e.Record), file, line}
}

func (e ErrorRecord) String() string {
	if e.File != "" {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
	}
	if e.Record == "{}" {
		return e.Reason // of no column
	}
	return e.Reason + " in " + e.Record
}

// RowError fails a job whose stream or sink has on_error = 'fail'.
type RowError struct{ ErrorRecord }

func (e *RowError) Error() string {
	return fmt.Sprintf("%s: %s (on_error = 'fail')", e.Operator, e.String())
}

// AppendJSON appends the record as a JSON object.
func (e ErrorRecord) AppendJSON(dst []byte) []byte {
	text := func(dst []byte, key, value string) []byte {
		dst = append(dst, key...)
		return stream.AppendJSONString(dst, value)
	}
	dst = text(dst, `{"operator":`, e.Operator)
	dst = text(dst, `,"reason":`, e.Reason)
	dst = text(dst, `,"record":`, e.Record)
	if e.File != "" {
		dst = text(dst, `,"file":`, e.File)
		dst = append(dst, `,"line":`...)
		dst = strconv.AppendInt(dst, e.Line, 10)
	}
	return append(dst, '}')
}
