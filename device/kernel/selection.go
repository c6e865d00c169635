package kernel

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Numbers of the counts, the first output of every program.
const (
	countRows   = iota // rows, or entries, put out
	countErrors        // rows that failed
	countLost          // rows without a place in a table: the task is run again on the CPU
	countsLen   = 4
)

// Selection is a program of filters and projections. It keeps the order of rows.
type Selection struct {
	Program *device.Program
	layout  *layout
	intake  *intake
	columns []outputColumn
	origin  int // output buffers
	errors  int
	time    int // -1: no window of time among the steps
	ops     []model.OpID
}

// outputColumn is a column that a program puts out; of one that nobody reads the type is
// Invalid.
type outputColumn struct {
	t             stream.Type
	values, valid int // output buffers; valid is -1 if no value can be NULL
}

// NewSelection writes the program of a side's filters and projections. A window among the
// steps is a mark: rows are put out once, with their event time there. An error says why
// there is none.
func NewSelection(side operator.Side) (*Selection, error) {
	l := newLayout()
	timed := false
	for _, op := range side.Steps {
		if op.Kind == model.WindowOp {
			timed = op.Window.Kind.Spans()
		}
	}
	b, err := newRowCode(l, side)
	if err != nil {
		return nil, err
	}
	s := &Selection{layout: l, intake: b.intake, ops: b.ops, time: -1}
	l.output("counts", "i32", extent{fixed: 4 * countsLen}, device.Extent{Fixed: 4 * countsLen})
	size := extent{fixed: 8 * ErrorRowsMax}
	s.errors = l.output("errors", "i32", size, counted(countErrors, perRow(8))).arg.Index
	s.origin = l.output("origin", "i32", perRow(4), counted(countRows, perRow(4))).arg.Index
	if timed {
		s.time = l.output("time_of", "i64", perRow(8), counted(countRows, perRow(8))).arg.Index
	}
	l.buffer(device.TemporaryArg, "place", "i32", perRow(4))
	l.buffer(device.TemporaryArg, "blocks", "i32", perGroup(4))
	if err := s.addColumns(b); err != nil {
		return nil, err
	}
	if err := s.addEntries(b); err != nil {
		return nil, err
	}
	s.Program = l.program("selection")
	return s, nil
}

// addColumns adds an output for every column that is read. Bits - values of BOOLEAN and
// validity - are written as bytes first: rows that go to one word are of many work items.
func (s *Selection) addColumns(b *rowCode) (err error) {
	s.columns, err = s.layout.outputColumns(b.output, b.need)
	return err
}

func (l *layout) outputColumns(schema *stream.Schema, need []bool) (columns []outputColumn, err error) {
	for i, f := range schema.Fields {
		c := outputColumn{valid: -1}
		if need[i] {
			if !SupportsType(f.Type) {
				return nil, refuse("column %s is %s, which devices do not have", f.Name, f.Type)
			}
			store, _ := storage(f.Type)
			c.t = f.Type
			c.values = l.output(fmt.Sprintf("out%d", i), store, columnSize(f.Type), counted(countRows, columnSize(f.Type))).arg.Index
			c.valid = l.output(fmt.Sprintf("out%d_valid", i), "u64", perWord(), counted(countRows, perWord())).arg.Index
			l.buffer(device.TemporaryArg, fmt.Sprintf("out%d_bytes", i), "u8", perRow(1))
			l.buffer(device.TemporaryArg, fmt.Sprintf("out%d_known", i), "u8", perRow(1))
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// beginBody empties the counts.
const beginBody = "  if (ITEM < 4) counts[ITEM] = 0;\n"

// failBody reports a row that failed. It stands behind code that sets g and failed.
const failBody = `
  if (failed) {
    i32 at = ADD(&counts[1], 1);
    if (at < ERRORS_MAX) { errors[2 * at] = g; errors[2 * at + 1] = failed; }
  }
`

// placeBody gives every live row its place among those of its group, and the group's sum to
// blocks. It stands behind code that sets g, l and live.
const placeBody = `
  sums[l] = live;
  MEET();
  for (i32 d = 1; d < GROUP_ITEMS; d <<= 1) {
    i32 before = l >= d ? sums[l - d] : 0;
    MEET();
    sums[l] += before;
    MEET();
  }
  if (g < n) place[g] = live ? sums[l] - 1 : -1;
  if (l == GROUP_ITEMS - 1) blocks[GROUP] = sums[l];
`

// scanBody makes the groups' sums the places at which they begin, in one group of work
// items, and counts the rows.
const scanBody = `
  SHARED i32 sums[GROUP_ITEMS];
  i32 l = LOCAL, groups = (n + GROUP_ITEMS - 1) / GROUP_ITEMS, carry = 0;
  for (i32 base = 0; base < groups; base += GROUP_ITEMS) {
    i32 own = base + l < groups ? blocks[base + l] : 0;
    sums[l] = own;
    MEET();
    for (i32 d = 1; d < GROUP_ITEMS; d <<= 1) {
      i32 before = l >= d ? sums[l - d] : 0;
      MEET();
      sums[l] += before;
      MEET();
    }
    if (base + l < groups) blocks[base + l] = carry + sums[l] - own;
    carry += sums[GROUP_ITEMS - 1];
    MEET();
  }
  if (l == 0) counts[0] = carry;
`

// addEntries writes the four kernels: which rows stay, where they go, their values, bits.
func (s *Selection) addEntries(b *rowCode) error {
	l := s.layout
	decide, err := b.decide()
	if err != nil {
		return err
	}
	text := &emitterText{}
	text.add("  SHARED i32 sums[GROUP_ITEMS];\n  i32 g = ITEM, l = LOCAL, live = 0, failed = 0;\n  if (g < n) do {\n%s  } while (0);\n", decide)
	text.add("%s%s", failBody, placeBody)
	if err := l.entry("begin", oneGroup, []string{"counts"}, beginBody); err != nil {
		return err
	}
	if err := l.entry("decide", allRows, append(slices.Clone(b.parameters), "counts", "errors", "place", "blocks"), text.String()); err != nil {
		return err
	}
	if err := l.entry("scan", oneGroup, []string{"n", "blocks", "counts"}, scanBody); err != nil {
		return err
	}
	return s.addWriters(b)
}

func (s *Selection) addWriters(b *rowCode) error {
	write, results, time, err := b.emit(false)
	if err != nil {
		return err
	}
	for i, c := range s.columns {
		if c.t != stream.Invalid && results[i].value == "" {
			return refuse("column %s is its window's", b.output.Fields[i].Name)
		}
	}
	pack := newPacker("counts[0]")
	stores, outputs := storeColumns(s.columns, results, pack)
	if s.time >= 0 {
		stores += fmt.Sprintf("    time_of[to] = %s;\n", time)
		outputs = append(outputs, "time_of")
	}
	text := "  i32 g = ITEM;\n  if (g < n && place[g] >= 0) {\n    i32 to = blocks[GROUP] + place[g];\n    origin[to] = g;\n" + write + stores + "  }\n"
	if err := s.layout.entry("write", allRows, names(b.parameters, []string{"place", "blocks", "origin"}, outputs), text); err != nil {
		return err
	}
	return pack.entry(s.layout, allWords)
}

// storeColumns is code that writes results to place `to` of the output columns, and the
// buffers it needs. What becomes bits goes to the packer. Columns that turn out never to be
// NULL lose their validity.
func storeColumns(columns []outputColumn, results []value, pack *packer) (code string, buffers []string) {
	text := &emitterText{}
	for i, c := range columns {
		if c.t == stream.Invalid {
			continue
		}
		out, v := fmt.Sprintf("out%d", i), results[i]
		if c.t == stream.Boolean {
			text.add("    %s_bytes[to] = (u8)(%s & 1);\n", out, v.value)
			buffers = append(buffers, out+"_bytes")
			pack.bits(out+"_bytes", out)
		} else {
			text.add("    %s[to] = %s;\n", out, v.value)
			buffers = append(buffers, out)
		}
		if v.null != never {
			text.add("    %s_known[to] = (u8)!%s;\n", out, v.null)
			buffers = append(buffers, out+"_known")
			pack.bits(out+"_known", out+"_valid")
		} else {
			columns[i].valid = -1
		}
	}
	return text.String(), buffers
}

// packer writes the kernel that packs bytes, each 0 or 1, into bits, a word by each work
// item.
type packer struct {
	emitterText
	names []string
	empty int // names before any bits
}

// newPacker: rows is C for how many bytes there are, reading the counts and what else is
// named.
func newPacker(rows string, more ...string) *packer {
	p := &packer{names: append([]string{"counts"}, more...), empty: 1 + len(more)}
	p.add("  i32 w = ITEM, from = w * 64, rows = %s - from;\n  if (rows > 64) rows = 64;\n  if (rows > 0) {\n    u64 bits;\n", rows)
	return p
}

func (p *packer) bits(bytes, bits string) {
	p.add("    bits = 0;\n    for (i32 i = 0; i < rows; i++) bits |= (u64)%s[from + i] << i;\n    %s[w] = bits;\n", bytes, bits)
	p.names = append(p.names, bytes, bits)
}

// entry adds the kernel, if it has anything to do.
func (p *packer) entry(l *layout, items device.Extent) error {
	if len(p.names) == p.empty {
		return nil
	}
	p.add("  }\n")
	return l.entry("pack", items, p.names, p.String())
}

// Sizes are the buffers of a slot for tasks of up to rows rows.
func (s *Selection) Sizes(rows int) device.Sizes { return s.layout.sizes(rows) }

// NewCall returns a call with room for what Load enters.
func (s *Selection) NewCall() *device.Call {
	return s.layout.call()
}

// Load copies the rows of a task to a slot's input buffers and prepares the call. The error
// is ErrTooManyRows, or a column that is read is absent.
func (s *Selection) Load(t *operator.Task, slot device.Slot, call *device.Call) error {
	s.layout.prepare(call)
	return s.intake.load(t, slot, call)
}

// Selected is the rows of a task that come through. Its columns, Time and Origin are the
// slot's output buffers.
type Selected struct {
	operator.Selected
	Outcome
}

// Read makes r the result that lies in a slot's output buffers.
func (s *Selection) Read(slot device.Slot, r *Selected) {
	counts := view[int32](slot.Output(0))
	r.Len, r.Cols = int(counts[countRows]), resize(r.Cols, len(s.columns))
	r.Origin, r.Time, r.TableRows = view[int32](slot.Output(s.origin))[:r.Len], nil, nil
	if s.time >= 0 {
		r.Time = view[int64](slot.Output(s.time))[:r.Len]
	}
	for i, c := range s.columns {
		r.Cols[i] = c.column(slot, r.Len)
	}
	r.Failed = r.read(s.layout, s.ops, int(counts[countErrors]), slot.Output(s.errors), r.Failed)
}

// column is an output buffer's first n values.
func (c *outputColumn) column(slot device.Slot, n int) stream.Column {
	out := stream.Column{Type: c.t}
	if c.t == stream.Invalid {
		return out
	}
	values := slot.Output(c.values)
	switch ctype(c.t) {
	case "i64":
		out.I64 = view[int64](values)[:n]
	case "f32":
		out.F32 = view[float32](values)[:n]
	case "f64":
		out.F64 = view[float64](values)[:n]
	case "i32":
		if c.t == stream.Boolean {
			out.Bits = view[uint64](values)[:stream.WordsFor(n)]
		} else {
			out.I32 = view[int32](values)[:n]
		}
	}
	if c.valid >= 0 {
		if valid := view[uint64](slot.Output(c.valid))[:stream.WordsFor(n)]; !allSet(valid, n) {
			out.Valid = valid
		}
	}
	return out
}

// allSet reports whether the first n bits are set. Bits behind them are not.
func allSet(b stream.Bitmap, n int) bool {
	for _, w := range b[:n>>6] {
		if w != math.MaxUint64 {
			return false
		}
	}
	return n&63 == 0 || b[n>>6] == 1<<(n&63)-1
}

func resize[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return make([]T, n)
}
