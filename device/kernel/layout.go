package kernel

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/stream"
)

//go:embed common.h
var common string

// Sizes of generated programs.
const (
	groupItems   = 256     // work items of a group: SHARED arrays are of this length
	argumentsMax = 120     // of an entry point: OpenCL promises room for 128 pointers
	sourceMax    = 1 << 20 // bytes of a program
	columnsMax   = 64      // input columns: their NULLs are announced in the bits of a scalar

	// ErrorRowsMax bounds the failing rows that a task reports. A task with more is run
	// again on the CPU.
	ErrorRowsMax = 1024
)

// extent is a size in bytes: fixed, and each for every per rows begun, of which no more than
// most count, unless most is 0.
type extent struct{ fixed, each, per, most int }

func (x extent) of(rows int) int {
	if x.each == 0 {
		return x.fixed
	}
	if x.most > 0 {
		rows = min(rows, x.most)
	}
	return x.fixed + (rows+x.per-1)/x.per*x.each
}

func perRow(bytes int) extent   { return extent{each: bytes, per: 1} }
func perWord() extent           { return extent{each: 8, per: 64} }
func perGroup(bytes int) extent { return extent{fixed: bytes, each: bytes, per: groupItems} }

// param is a buffer or a scalar that entry points take.
type param struct {
	name, ctype string
	arg         device.Arg
	size        extent // of a buffer
}

// layout collects the buffers and entry points of a program.
type layout struct {
	source   strings.Builder
	launches []device.Launch
	params   map[string]*param
	buffers  [4][]*param // by kind: input, output, temporary, resident
	outputs  []device.Extent
	scalars  int
	reasons  reasons
	texts    *texts // nil: text is refused
}

func newLayout() *layout {
	l := &layout{params: map[string]*param{}}
	fmt.Fprintf(&l.source, "#define GROUP_ITEMS %d\n#define ERRORS_MAX %d\n", groupItems, ErrorRowsMax)
	l.source.WriteString(common)
	return l
}

// buffer adds a buffer of values of a C type.
func (l *layout) buffer(kind device.ArgKind, name, ctype string, size extent) *param {
	p := &param{name: name, ctype: ctype, arg: device.Arg{Kind: kind, Index: len(l.buffers[kind])}, size: size}
	l.buffers[kind] = append(l.buffers[kind], p)
	l.params[name] = p
	return p
}

// output adds an output buffer, of which the amount is moved out.
func (l *layout) output(name, ctype string, size extent, moved device.Extent) *param {
	l.outputs = append(l.outputs, moved)
	return l.buffer(device.OutputArg, name, ctype, size)
}

// counted is the amount of an output of which the number count of the counts tells.
func counted(count int, x extent) device.Extent {
	return device.Extent{Fixed: x.fixed, Each: x.each, Per: x.per, Scalar: count, Counted: true}
}

func (l *layout) scalar(kind device.ArgKind, name string) int {
	ctype := "i64"
	if kind == device.Int32Arg {
		ctype = "i32"
	}
	l.params[name] = &param{name: name, ctype: ctype, arg: device.Arg{Kind: kind, Index: l.scalars}}
	l.scalars++
	return l.scalars - 1
}

// entry adds an entry point over as many work items as items says. names are its
// parameters; body is indented by the caller.
func (l *layout) entry(name string, items device.Extent, names []string, body string) error {
	if len(names) > argumentsMax {
		return refuse("%d buffers are read and written at once, %d can be", len(names), argumentsMax)
	}
	launch := device.Launch{Entry: name, Items: items, Group: groupItems}
	var text []string
	for _, n := range names {
		p := l.params[n]
		launch.Args = append(launch.Args, p.arg)
		switch p.arg.Kind {
		case device.InputArg, device.ResidentArg:
			text = append(text, fmt.Sprintf("GLOBAL const %s *RESTRICT %s", p.ctype, n))
		case device.OutputArg, device.TemporaryArg:
			text = append(text, fmt.Sprintf("GLOBAL %s *RESTRICT %s", p.ctype, n))
		default:
			text = append(text, p.ctype+" "+n)
		}
	}
	fmt.Fprintf(&l.source, "\nKERNEL %s(%s) {\n%s}\n", name, strings.Join(text, ", "), body)
	l.launches = append(l.launches, launch)
	if l.source.Len() > sourceMax {
		return refuse("its program is longer than %d bytes", sourceMax)
	}
	return nil
}

// Of work items, by task.
var (
	oneGroup = device.Extent{Fixed: groupItems}
	allRows  = device.Extent{Each: 1}          // scalar 0 is the number of rows
	allWords = device.Extent{Each: 1, Per: 64} // of bitmaps
)

// program ends the layout.
func (l *layout) program(key string) *device.Program {
	return &device.Program{Key: key, Source: l.source.String(), Launches: l.launches, Outputs: l.outputs, Resident: len(l.buffers[device.ResidentArg])}
}

// sizes are a slot's buffers for tasks of up to rows rows.
func (l *layout) sizes(rows int) device.Sizes {
	list := func(kind device.ArgKind) []int {
		var out []int
		for _, p := range l.buffers[kind] {
			out = append(out, p.size.of(rows))
		}
		return out
	}
	return device.Sizes{Input: list(device.InputArg), Output: list(device.OutputArg), Temporary: list(device.TemporaryArg)}
}

// call returns a call with room for what loading enters.
func (l *layout) call() *device.Call {
	return &device.Call{InputBytes: make([]int, len(l.buffers[device.InputArg])), Scalars: make([]int64, l.scalars)}
}

// prepare makes room in a call that may be of another program.
func (l *layout) prepare(c *device.Call) {
	c.InputBytes, c.Scalars = resize(c.InputBytes, len(l.buffers[device.InputArg])), resize(c.Scalars, l.scalars)
}

// storage is the C type in which columns of a type lie in memory, and its bytes; BOOLEAN
// is one bit.
func storage(t stream.Type) (ctypeName string, bytes int) {
	if t == stream.Boolean {
		return "u64", 0
	}
	return ctype(t), width(t)
}

// width is the bytes of a value that is no BOOLEAN. Text is a code.
func width(t stream.Type) int {
	if isText(t) {
		return 4
	}
	return t.Width()
}

// columnSize is the extent of a column's values.
func columnSize(t stream.Type) extent {
	if t == stream.Boolean {
		return perWord()
	}
	return perRow(width(t))
}
