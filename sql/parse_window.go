package sql

import (
	"slices"

	"github.com/millrace/millrace/model"
)

// bracketWindow reads [ROWS n [SLIDE m]], [RANGE d [SLIDE e]], [NOW], [UNBOUNDED],
// [PARTITION BY k ROWS n] and [[PARTITION BY k] SESSION d].
func (p *parser) bracketWindow() *windowNode {
	start := p.next().span
	w := &windowNode{}
	p.partitionBy(w)
	t := p.peek()
	switch {
	case p.acceptWords("rows"):
		p.rowsWindow(w)
	case p.acceptWords("range"):
		p.rangeWindow(w)
	case p.acceptWords("session"):
		at := p.peek().span
		w.kind, w.size = model.Session, p.signed(p.duration)
		p.positive(at, w.size, "gap", "microsecond")
	case p.acceptWords("now"):
		w.kind, w.size = model.RangeInstant, 1
	case p.acceptWords("unbounded"):
		w.kind, w.size = model.RangeInstant, maxWindowMicros
	default:
		p.refuseWindow(t)
	}
	if w.kind == model.Session && p.isWord("slide") {
		p.fail(p.peek().span, "leave it out, or write [RANGE d SLIDE e]", "sessions do not slide")
	}
	if w.slide == 0 && p.isWord("slide") {
		p.fail(p.peek().span, "write [RANGE d SLIDE e] with a duration", "a window of this instant, or of everything so far, does not slide")
	}
	w.span = start.join(p.expect("]"))
	if w.partitionBy == nil || w.kind == model.Session {
		return w
	}
	if w.kind != model.RowsInstant {
		p.fail(w.span, "write [PARTITION BY k ROWS n] or [PARTITION BY k SESSION d]", "a partitioned window holds the last rows of each key, or its sessions")
	}
	w.kind = model.PartitionRows
	return w
}

// partitionBy reads PARTITION BY and columns, if they are there.
func (p *parser) partitionBy(w *windowNode) {
	if !p.acceptWords("partition", "by") {
		return
	}
	for p.err == nil {
		w.partitionBy = append(w.partitionBy, p.name("the name of a column"))
		if n := p.peekAt(1); !p.isSymbol(",") || n.kind == wordToken && n.text == "descriptor" || p.peekAt(2).text == "=>" {
			break
		}
		p.next()
	}
}

func (p *parser) refuseWindow(t token) {
	p.fail(t.span, suggest(t.text, []string{"ROWS", "RANGE", "SESSION", "PARTITION", "NOW", "UNBOUNDED"}), "expected ROWS, RANGE, SESSION or PARTITION BY, found %s", t.show())
}

func (p *parser) rowsWindow(w *windowNode) {
	if p.acceptWords("unbounded") {
		w.kind, w.size = model.RowsInstant, maxWindowRows
		return
	}
	at := p.peek().span
	w.kind, w.size = model.RowsInstant, p.signed(func() int64 { return p.integer("a number of rows") })
	p.positive(at, w.size, "size", "row")
	if p.acceptWords("slide") {
		at = p.peek().span
		w.kind, w.slide = model.Rows, p.signed(func() int64 { return p.integer("a number of rows") })
		p.positive(at, w.slide, "slide", "row")
	}
}

func (p *parser) rangeWindow(w *windowNode) {
	if p.acceptWords("unbounded") {
		w.kind, w.size = model.RangeInstant, maxWindowMicros
		return
	}
	at := p.peek().span
	w.kind, w.size = model.RangeInstant, p.signed(p.duration)
	p.positive(at, w.size, "size", "microsecond")
	if p.acceptWords("slide") {
		at = p.peek().span
		w.kind, w.slide = model.Range, p.signed(p.duration)
		p.positive(at, w.slide, "slide", "microsecond")
	}
}

func (p *parser) signed(read func() int64) int64 {
	if p.accept("-") {
		return -read()
	}
	return read()
}

func (p *parser) positive(at span, v int64, what, unit string) {
	if v <= 0 {
		p.fail(at.join(p.last()), "write at least one "+unit, "the %s of a window must be positive", what)
	}
	if unit == "microsecond" && v > maxWindowMicros {
		p.fail(at.join(p.last()), "", "the %s of a window is at most 100 years", what)
	}
}

// maxWindowMicros bounds sizes and slides of time windows, so that no sum of a time
// and a size can overflow.
const maxWindowMicros = 36525 * 86400 * int64(1e6)

// maxWindowRows stands for all rows there have been.
const maxWindowRows = 1 << 62

// duration reads 5 SECONDS or an INTERVAL literal.
func (p *parser) duration() int64 {
	if p.isWord("interval") {
		return p.intervalLiteral()
	}
	t := p.next()
	if t.kind != numberToken {
		p.fail(t.span, "write 5 SECONDS or INTERVAL '5' SECOND", "expected a duration, found %s", t.show())
		return 0
	}
	if p.peek().kind != wordToken || p.isWord("slide") {
		p.fail(t.span, "write "+t.text+" SECONDS", "a duration needs a unit")
		return 0
	}
	m := p.unitWord()
	v, ok := scale(t.text, m)
	if !ok && m > 0 {
		p.fail(t.span, "", "the duration is out of range or finer than a microsecond")
	}
	return v
}

func (p *parser) isWindowFunction() bool {
	n := p.peekAt(1)
	return p.isWord("tumble", "hop", "session", "cumulate") && n.kind == symbolToken && n.text == "("
}

// windowFunction reads TUMBLE(TABLE s, DESCRIPTOR(ts), size), HOP(.., slide, size) and
// CUMULATE(.., step, size), by position or with names.
func (p *parser) windowFunction() *tableRef {
	fn := p.peek()
	r := &tableRef{}
	if !p.isWindowFunction() {
		p.fail(fn.span, suggest(fn.text, []string{"TUMBLE", "HOP", "CUMULATE", "SESSION"}), "expected a window function, TUMBLE, HOP, CUMULATE or SESSION, found %s", fn.show())
		return r
	}
	p.next()
	p.expect("(")
	wanted := []string{"data", "timecol", "size"}
	switch fn.text {
	case "hop":
		wanted = []string{"data", "timecol", "slide", "size"}
	case "cumulate":
		wanted = []string{"data", "timecol", "step", "size"}
	case "session":
		wanted = []string{"data", "timecol", "gap"}
	}
	w := &windowNode{kind: model.Range, visible: true}
	seen := map[string]bool{}
	for i := 0; p.err == nil; i++ {
		p.windowArgument(r, w, wanted, i, seen)
		if !p.accept(",") {
			break
		}
	}
	for _, k := range wanted {
		if !seen[k] {
			p.fail(fn.span.join(p.peek().span), "write "+windowFunctionForms[fn.text], "%s lacks its argument %s", upper(fn.text), upper(k))
		}
	}
	w.span = fn.span.join(p.expect(")"))
	switch fn.text {
	case "tumble":
		w.slide = w.size
	case "session":
		w.kind = model.Session
	case "cumulate":
		w.kind = model.Cumulate
		if p.err == nil && w.size%w.slide != 0 {
			p.fail(w.span, "write a size of so many whole steps", "the size of a CUMULATE window is a multiple of its step")
		}
	}
	r.window, r.span = w, w.span
	return r
}

var windowFunctionForms = map[string]string{
	"tumble": "TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '10' SECOND))",
	"hop":    "TABLE(HOP(TABLE s, DESCRIPTOR(ts), INTERVAL '1' SECOND, INTERVAL '10' SECOND))",

	"cumulate": "TABLE(CUMULATE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR))",
	"session":  "TABLE(SESSION(TABLE s PARTITION BY k, DESCRIPTOR(ts), INTERVAL '30' MINUTE))",
}

func (p *parser) windowArgument(r *tableRef, w *windowNode, wanted []string, i int, seen map[string]bool) {
	t := p.peek()
	key := ""
	if n := p.peekAt(1); n.kind == symbolToken && n.text == "=>" {
		key = t.text
		p.next()
		p.next()
	} else if i < len(wanted) {
		key = wanted[i]
	} else {
		p.fail(t.span, "leave it out", "an offset of windows is not supported yet")
		return
	}
	if seen[key] {
		p.fail(t.span, "", "the argument %s is given twice", upper(key))
	}
	seen[key] = true
	switch key {
	case "data":
		p.windowData(r)
		if at := p.peek().span; p.isWord("partition") {
			if p.partitionBy(w); !slices.Contains(wanted, "gap") {
				p.fail(at.join(p.last()), "leave it out, and group by the columns", "only SESSION windows are partitioned")
			}
		}
	case "timecol":
		if !p.isWord("descriptor") {
			p.fail(p.peek().span, "write DESCRIPTOR(ts)", "expected DESCRIPTOR with the event-time column, found %s", p.peek().show())
			return
		}
		p.next()
		p.expect("(")
		n := p.name("the event-time column")
		p.expect(")")
		r.time = &n
	case "size", "gap":
		at := p.peek().span
		w.size = p.duration()
		p.positive(at, w.size, key, "microsecond")
	case "slide", "step":
		at := p.peek().span
		w.slide = p.duration()
		p.positive(at, w.slide, key, "microsecond")
	default:
		p.fail(t.span, suggest(key, wanted), "the window function has no argument %q", key)
	}
}

func (p *parser) windowData(r *tableRef) {
	start := p.peek().span
	p.acceptWords("table")
	inner := &tableRef{}
	if p.accept("(") {
		inner.query = p.query()
		p.expect(")")
	} else {
		p.streamName(inner)
	}
	inner.span = start.join(p.last())
	r.table = inner
}
