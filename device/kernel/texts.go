package kernel

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Text on devices.
//
// A device sees of text which values are equal: whole numbers, codes, stand for it. They are
// given anew for every task, when its rows are copied in, in order of appearance; the texts
// of a program's literals have the first ones, the same in every task. So =, IN, CASE and
// grouping work with codes as with INTEGER, and what comes out as codes is made text again
// where it is read.
//
//	code         0 .. literals-1     literals ..
//	stands for   Program's literals  the text at places[code-literals]: column and row of the task
//
// Places lie in an input buffer of the slot that is never moved: from loading a task to reading
// its result the slot is the task's alone, and so is the text that it points at.
//
// Invariants:
//
//  1. Two values of a task have one code if and only if they have the same bytes. NULLs have
//     none: their validity says so.
//  2. Codes say nothing of order. Functions that ask for more than equality are refused.

// isText reports whether a type is text. Others that are carried as text, long decimals, are
// not compared byte by byte.
func isText(t stream.Type) bool { return t == stream.Varchar }

// TextsMax bounds the different texts in a task, of all columns that a program reads. A task
// with more is run on the CPU.
const TextsMax = 1 << 16

var errTooManyTexts = fmt.Errorf("more than %d different texts", TextsMax)

// texts are the literals and columns of text that a program knows by their codes.
type texts struct {
	literals stream.Column // of which none is NULL
	count    int           // of them
	columns  int
	places   *param
	coders   sync.Pool
}

// code is that of a literal.
func (t *texts) code(literal string) string {
	at := 0
	for at < t.count && string(t.literals.Text(at)) != literal {
		at++
	}
	if at == t.count {
		if at == 0 {
			t.literals.Reset(stream.Varchar)
		}
		t.literals.AppendValue(stream.Text(literal), at)
		t.count++
	}
	return fmt.Sprintf("((i32)%d)", at)
}

// read notes that one more column is read.
func (t *texts) read(l *layout) {
	if t.places == nil {
		t.places = l.buffer(device.InputArg, "text_places", "i64", extent{})
	}
	t.columns++
	t.places.size = extent{each: 8 * t.columns, per: 1, most: TextsMax}
}

// coder gives codes to the texts of one task.
type coder struct {
	seed   maphash.Seed
	slots  []int32 // code and one more
	hash   []uint64
	texts  [][]byte // by code; belong to the task
	codes  []int32  // of one batch
	places []int64
	first  int // code of the first that is no literal
}

const coderSlots = 1 << 10 // at first

// begin returns a coder that knows the literals only.
func (t *texts) begin(s device.Slot) *coder {
	c, ok := t.coders.Get().(*coder)
	if !ok {
		c = &coder{seed: maphash.MakeSeed(), slots: make([]int32, coderSlots)}
	}
	clear(c.slots)
	c.hash, c.texts, c.first = c.hash[:0], c.texts[:0], t.count
	c.places = view[int64](s.Input(t.places.arg.Index))
	for i := range t.count {
		c.code(t.literals.Text(i), 0)
	}
	return c
}

// end lets go of the task.
func (t *texts) end(c *coder) {
	clear(c.texts)
	c.places = nil
	t.coders.Put(c)
}

// code returns a text's code, -1 if there are too many. place is told of a new one.
func (c *coder) code(text []byte, place int64) int32 {
	h := maphash.Bytes(c.seed, text)
	mask := uint64(len(c.slots) - 1)
	at := h & mask
	for ; c.slots[at] != 0; at = (at + 1) & mask {
		if k := c.slots[at] - 1; c.hash[k] == h && bytes.Equal(c.texts[k], text) {
			return k
		}
	}
	k := len(c.texts)
	if k >= c.first {
		if k-c.first >= min(len(c.places), TextsMax) {
			return -1
		}
		c.places[k-c.first] = place
	}
	c.slots[at] = int32(k + 1)
	c.hash, c.texts = append(c.hash, h), append(c.texts, text)
	if 2*len(c.texts) > len(c.slots) {
		c.grow()
	}
	return int32(k)
}

func (c *coder) grow() {
	c.slots = make([]int32, 2*len(c.slots))
	mask := uint64(len(c.slots) - 1)
	for k, h := range c.hash {
		at := h & mask
		for c.slots[at] != 0 {
			at = (at + 1) & mask
		}
		c.slots[at] = int32(k + 1)
	}
}

// column is rows [from, to) of a column as codes, to be read there; row is the number of the
// first one in the task.
func (c *coder) column(src *stream.Column, number, from, to, row int) (stream.Column, error) {
	c.codes = resize(c.codes, to)
	for i := from; i < to; i++ {
		if src.IsNull(i) {
			c.codes[i] = 0
			continue
		}
		if c.codes[i] = c.code(src.Text(i), int64(number)<<32|int64(row+i-from)); c.codes[i] < 0 {
			return stream.Column{}, errTooManyTexts
		}
	}
	return stream.Column{Type: stream.Integer, I32: c.codes, Valid: src.Valid}, nil
}

// show makes those of columns that are text, and hold codes of a task, what the codes stand
// for. The memory is used for that.
func (t *texts) show(s device.Slot, task *operator.Task, columns, memory []stream.Column) []stream.Column {
	memory = resize(memory, len(columns))
	for i := range columns {
		if c := &columns[i]; isText(c.Type) {
			t.showColumn(s, task, c, &memory[i])
			*c = memory[i]
		}
	}
	return memory
}

func (t *texts) showColumn(s device.Slot, task *operator.Task, codes, to *stream.Column) {
	var places []int64
	if t.places != nil {
		places = view[int64](s.Input(t.places.arg.Index))
	}
	to.Reset(codes.Type)
	span, first := 0, 0
	for n, code := range codes.I32 {
		k := int(code)
		switch {
		case codes.IsNull(n):
			to.AppendNull(n)
			continue
		case k < t.count:
			to.AppendFrom(&t.literals, k, n)
			continue
		}
		place := places[k-t.count]
		column, row := int(place>>32), int(int32(place))
		if row < first {
			span, first = 0, 0
		}
		for row >= first+task.Spans[span].Len() {
			first += task.Spans[span].Len()
			span++
		}
		at := task.Spans[span].From + row - first
		to.AppendFrom(&task.Spans[span].Batch.Cols[column], at, n)
	}
}
