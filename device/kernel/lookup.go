package kernel

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// Lookup is a program of filters, projections and a join with a table that stays on the
// device. It puts out what it knows of the stream's columns, and of the table the numbers
// of rows: their columns are the host's, text among them, and need not be moved.
//
// Of an outer lookup a row that finds nothing has found the group of one row, of NULLs, that no
// slot leads to.
//
// The table is a hash table of groups, rows of equal keys: slots that hold a group's number
// and one more, 0 where there is none; the groups' keys; and the rows of each, in the
// table's order. It is made on the CPU (NewTable), with the same
// hash. At most half of the
// slots are taken, so that every search ends.
type Lookup struct {
	Program   *device.Program
	layout    *layout
	intake    *intake
	ops       []model.OpID
	columns   []outputColumn
	keys      []*model.Expr
	errors    int // output buffers
	origin    int
	tableRows int
	outer     bool
	mask      int // scalars
	room      int
	alone     int
}

// Why the CPU has to run a task of a lookup.
const tooManyMatches = "more rows of the table match than there is room for"

var errTooManyMatches = errors.New("its rows may match more of the table than a device counts")

// NewLookup writes the program of a stream's side and the lookup behind it. An error says why
// there is none.
func NewLookup(side operator.Side, p *operator.Probe) (*Lookup, error) {
	for _, s := range side.Steps {
		if s.Kind == model.WindowOp {
			return nil, refuse("a window in front of a lookup")
		}
	}
	in, need := side.Output(), side.Need
	l := &Lookup{layout: newLayout(), keys: p.Keys, outer: p.Outer}
	last := &model.Operator{ID: p.Op, Kind: model.ProjectOp, Relation: model.Relation{Schema: &stream.Schema{}, Time: -1}}
	add := func(x *model.Expr, read bool) {
		last.Project = append(last.Project, x)
		last.Relation.Schema.Fields = append(last.Relation.Schema.Fields, stream.Field{Name: fmt.Sprint("c", len(last.Project)), Type: x.Type})
		side.Need = append(side.Need, read)
	}
	side.Need = nil
	for i, f := range in.Schema.Fields {
		add(model.Col(i, f.Type), need[i])
	}
	for _, k := range l.keys {
		if isText(k.Type) || !SupportsType(k.Type) {
			return nil, refuse("its lookup compares text")
		}
		add(k, true)
	}
	side.Steps = append(slices.Clone(side.Steps), last)
	b, err := newRowCode(l.layout, side)
	if err != nil {
		return nil, err
	}
	l.intake, l.ops = b.intake, b.ops
	if err := l.addBuffers(in.Schema, need); err != nil {
		return nil, err
	}
	if err := l.addEntries(b, in.Schema.Len()); err != nil {
		return nil, err
	}
	l.Program = l.layout.program("lookup")
	return l, nil
}

func (l *Lookup) addBuffers(schema *stream.Schema, need []bool) (err error) {
	y := l.layout
	l.mask, l.room = y.scalar(device.Int32Arg, "slot_mask"), y.scalar(device.Int32Arg, "room")
	if l.outer {
		l.alone = y.scalar(device.Int32Arg, "alone")
	}
	y.output("counts", "i32", extent{fixed: 4 * countsLen}, device.Extent{Fixed: 4 * countsLen})
	l.errors = y.output("errors", "i32", extent{fixed: 8 * ErrorRowsMax}, counted(countErrors, perRow(8))).arg.Index
	l.origin = y.output("out_origin", "i32", perRow(4), counted(countRows, perRow(4))).arg.Index
	l.tableRows = y.output("out_table", "i32", perRow(4), counted(countRows, perRow(4))).arg.Index
	if l.columns, err = y.outputColumns(schema, need); err != nil {
		return err
	}
	for _, name := range []string{"match", "place"} {
		y.buffer(device.TemporaryArg, name, "i32", perRow(4))
	}
	y.buffer(device.TemporaryArg, "blocks", "i32", perGroup(4))
	for _, name := range []string{"slots", "starts", "rows"} {
		y.buffer(device.ResidentArg, name, "i32", extent{})
	}
	for i, k := range l.keys {
		y.buffer(device.ResidentArg, fmt.Sprintf("table_key%d", i), memoryType(k.Type), extent{})
	}
	return nil
}

// hashBits is a key's number for the hash, as C.
func hashBits(t stream.Type, value string) string {
	if t.IsFloat() {
		return fmt.Sprintf("KEY_%s(%s)", strings.ToUpper(ctype(t)), value)
	}
	return "(i64)" + value
}

func (l *Lookup) addEntries(b *rowCode, first int) error {
	find, columns, _, err := b.emit(true)
	if err != nil {
		return err
	}
	write, results, err := b.write()
	if err != nil {
		return err
	}
	count := &emitterText{}
	count.add("  SHARED i32 sums[GROUP_ITEMS];\n  i32 g = ITEM, l = LOCAL, live = 0, failed = 0, found = -1;\n  if (g < n) do {\n%s", find)
	same, keys, more := []string{}, []string{}, []string{"slot_mask", "counts", "errors", "match", "place", "blocks", "slots", "starts"}
	unknown := "found < 0"
	if l.outer { // the row goes on in any case
		count.add("    found = alone;\n")
		more, unknown = append(more, "alone"), "found == alone"
	}
	count.add("    u64 h = 0;\n")
	for i, k := range l.keys {
		v := columns[first+i]
		if v.null != never {
			count.add("    if (%s) break;\n", v.null)
		}
		count.add("    h = mix(h, %s);\n", hashBits(k.Type, v.value))
		same = append(same, equal(k.Type, fmt.Sprintf("table_key%d[group]", i), v.value))
		keys = append(keys, fmt.Sprintf("table_key%d", i))
	}
	count.add("    i32 at = (i32)(h & (u64)slot_mask);\n    for (i32 tries = 0; tries <= slot_mask && %s; tries++) {\n", unknown)
	count.add("      i32 group = slots[at] - 1;\n      if (group < 0) break;\n      if (%s) found = group;\n      at = (at + 1) & slot_mask;\n    }\n", strings.Join(same, " && "))
	count.add("  } while (0);\n  live = found >= 0 ? starts[found + 1] - starts[found] : 0;\n  if (g < n) match[g] = found;\n%s%s", failBody, countPlaces)
	pack := newPacker("(counts[0] < room ? counts[0] : room)", "room")
	stores, outputs := storeColumns(l.columns, results[:first], pack)
	text := "  i32 g = ITEM;\n  if (g < n && match[g] >= 0) {\n" + write + "    i32 from = starts[match[g]], found = starts[match[g] + 1] - from;\n" +
		"    for (i32 k = 0; k < found; k++) {\n    i32 to = blocks[GROUP] + place[g] + k;\n    if (to >= room) break;\n    out_origin[to] = g;\n    out_table[to] = rows[from + k];\n" + stores + "    }\n  }\n"
	for _, e := range []struct {
		name  string
		items device.Extent
		names []string
		body  string
	}{
		{"begin", oneGroup, []string{"counts"}, beginBody},
		{"count", allRows, names(b.parameters, more, keys), count.String()},
		{"scan", oneGroup, []string{"n", "blocks", "counts"}, scanBody},
		{"write", allRows, names(b.parameters, []string{"room", "match", "place", "blocks", "starts", "rows", "out_origin", "out_table"}, outputs), text},
	} {
		if err := l.layout.entry(e.name, e.items, e.names, e.body); err != nil {
			return err
		}
	}
	return pack.entry(l.layout, device.Extent{Each: 1, Per: 64, Scalar: l.room})
}

// Sizes are the buffers of a slot for tasks of up to rows rows, and results.
func (l *Lookup) Sizes(rows, results int) device.Sizes {
	s, of := l.layout.sizes(rows), l.layout.sizes(results)
	s.Output = of.Output
	for i, p := range l.layout.buffers[device.TemporaryArg] {
		if strings.HasPrefix(p.name, "out") {
			s.Temporary[i] = of.Temporary[i]
		}
	}
	return s
}

// NewCall returns a call with room for what Load enters. The table's resident buffers are
// the caller's to add.
func (l *Lookup) NewCall() *device.Call { return l.layout.call() }

// Load copies the rows of a task to a slot's input buffers and prepares the call.
// The error says why a device cannot take them: ErrTooManyRows, that they might have too many
// results to be counted, or a column that is read is absent.
func (l *Lookup) Load(t *operator.Task, table *Table, slot device.Slot, call *device.Call) error {
	if int64(t.Rows)*int64(table.most) > math.MaxInt32 {
		return errTooManyMatches
	}
	l.layout.prepare(call)
	call.Scalars[l.mask] = int64(table.slots - 1)
	if l.outer {
		call.Scalars[l.alone] = int64(table.alone)
	}
	call.Scalars[l.room] = int64(len(slot.Output(l.origin)) / 4)
	return l.intake.load(t, slot, call)
}

// Read makes r the result that lies in a slot's output buffers: of the stream's columns, and
// of the table the rows.
func (l *Lookup) Read(slot device.Slot, r *Selected) {
	counts, origin := view[int32](slot.Output(0)), view[int32](slot.Output(l.origin))
	found, failed := int(counts[countRows]), int(counts[countErrors])
	r.Time = nil
	r.Len, r.Cols = min(found, len(origin)), resize(r.Cols, len(l.columns))
	r.Origin, r.TableRows = origin[:r.Len], view[int32](slot.Output(l.tableRows))[:r.Len]
	for i := range l.columns {
		r.Cols[i] = l.columns[i].column(slot, r.Len)
	}
	r.Failed = r.read(l.layout, l.ops, failed, slot.Output(l.errors), r.Failed)
	if found > len(origin) && r.Redo == "" {
		r.Redo = tooManyMatches
	}
}
