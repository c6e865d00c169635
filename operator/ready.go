package operator

import "github.com/millrace/millrace/stream"

// ready holds batches that are to be put out, in order, and numbers their rows.
type ready struct {
	batches []*stream.Batch
	rows    int64 // put out so far
}

// next returns the next batch, the caller's from then on; nil if there is none.
func (r *ready) next() *stream.Batch {
	if len(r.batches) == 0 {
		return nil
	}
	b := r.batches[0]
	r.batches[0] = nil
	r.batches = r.batches[1:]
	r.rows += int64(b.Len)
	return b
}

func (r *ready) close() {
	release(r.batches)
	r.batches = nil
}

func release(batches []*stream.Batch) {
	for _, b := range batches {
		b.Release()
	}
}
