package connector

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/millrace/millrace/stream"
)

// delimiterWatch notices that no record of a source has the number of fields that it
// should have, which is what a wrong delimiter looks like. Decoders share it.
type delimiterWatch struct {
	fits   atomic.Bool // some record has
	mu     sync.Mutex
	fields int    // that records should have
	record string // the first malformed one that a decoder saw; "": none
}

// look takes what a decoder found in a block: how many records had the right number of
// fields, and the malformed ones.
func (w *delimiterWatch) look(right, fields int, malformed []RecordError) {
	if w == nil || w.fits.Load() {
		return
	}
	if right > 0 {
		w.fits.Store(true)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.record == "" && len(malformed) > 0 {
		w.fields, w.record = fields, malformed[0].Record
	}
}

// hint says which delimiter would fit, or is "".
func (w *delimiterWatch) hint(name string, schema *stream.Schema, d dialect) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fits.Load() || w.record == "" {
		return ""
	}
	other := otherDelimiter([]byte(w.record), w.fields, schema, d)
	if other == "" {
		return ""
	}
	return fmt.Sprintf("%s: no record has %d fields; with the option %s the first one would", name, w.fields, other)
}

// otherDelimiter returns, as an option, the common delimiter that gives the record that
// many fields, or "" if none but the dialect's own does.
func otherDelimiter(record []byte, fields int, schema *stream.Schema, d dialect) string {
	for _, c := range []byte(",;\t|") {
		if c == d.delimiter || c == d.quote {
			continue
		}
		d := d
		d.delimiter = c
		if names, ok := splitRecord(schema, d, record); ok && len(names) == fields {
			return "delimiter = '" + strings.ReplaceAll(string(c), "\t", `\t`) + "'"
		}
	}
	return ""
}
