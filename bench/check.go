package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// rowsSink keeps a query's rows as text, one after another. It is a connector.BatchSink.
type rowsSink struct {
	visible []int
	rows    []string
}

// WriteBatch implements connector.BatchSink.
func (s *rowsSink) WriteBatch(b *stream.Batch, from, to int) error {
	for i := from; i < to; i++ {
		text := ""
		for _, c := range s.visible {
			text += b.Cols[c].Value(i).String() + " "
		}
		s.rows = append(s.rows, text)
	}
	return nil
}

// Flush implements connector.BatchSink.
func (s *rowsSink) Flush() error { return nil }

// Close implements connector.Sink.
func (s *rowsSink) Close() error { return nil }

// Abort implements connector.Sink.
func (s *rowsSink) Abort() {}

// Snapshot implements state.Element; there is nothing to go on from.
func (s *rowsSink) Snapshot(*state.Writer) {}

// Restore implements state.Element.
func (s *rowsSink) Restore(r *state.Reader) error { return r.End() }

var _ connector.BatchSink = (*rowsSink)(nil)

// checked is what a comparison found.
type checked struct {
	rowsOut  int
	checksum uint64 // of the rows as text, in order
}

// check runs the workload over its prefix and compares the rows, in order, with those
// that the reference gave.
func (r *runner) check(ctx context.Context, w *Workload, ingest string, want []string) (checked, error) {
	got, err := r.collect(ctx, w, ingest, millrace.EngineMillrace)
	if err != nil {
		return checked{}, err
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return checked{}, fmt.Errorf("workload %s gives a wrong answer: row %d is %s, the reference says %s", w.Name, i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		return checked{}, fmt.Errorf("workload %s gives a wrong answer: %d rows, the reference says %d", w.Name, len(got), len(want))
	}
	sum := fnv.New64a()
	for _, row := range got {
		_, _ = sum.Write([]byte(row)) // a hash never fails
	}
	return checked{len(got), sum.Sum64()}, nil
}

// reference is what the reference makes of the workload's prefix. It is kept in a file,
// not to count as memory of what is measured.
func (r *runner) reference(ctx context.Context, w *Workload) ([]string, error) {
	kept := filepath.Join(r.folder, w.Name+".rows")
	if r.known[w.Name] {
		var rows []string
		text, err := os.ReadFile(kept)
		if err == nil {
			err = json.Unmarshal(text, &rows)
		}
		return rows, err
	}
	if err := WriteInputs(r.folder, w); err != nil {
		return nil, err
	}
	rows, err := r.collect(ctx, w, "copy", millrace.EngineReference)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(rows)
	if err == nil {
		err = os.WriteFile(kept, text, 0o600)
	}
	r.known[w.Name] = err == nil
	return rows, err
}

func (r *runner) collect(ctx context.Context, w *Workload, ingest, engine string) ([]string, error) {
	sink := &rowsSink{}
	o := r.config.options()
	o.Engine = engine
	if engine == millrace.EngineReference {
		o.Processors = ""
	}
	o.Results = func(q millrace.Query) millrace.ResultSink {
		sink.visible = q.Visible
		return sink
	}
	job, err := r.start(ctx, w.Script(r.folder, ingest, 1, int64(w.CheckRows), 0), w.Name, o)
	if err != nil {
		return nil, err
	}
	if _, err := job.Wait(); err != nil {
		return nil, err
	}
	return sink.rows, nil
}

func (r *runner) start(ctx context.Context, text, name string, o millrace.Options) (*millrace.Job, error) {
	plan, err := millrace.Prepare([]millrace.Script{{Name: name + ".sql", Text: text}}, o)
	if err != nil {
		return nil, err
	}
	return plan.Start(ctx)
}
