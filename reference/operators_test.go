package reference_test

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

var (
	i4 = stream.Integer
	i8 = stream.BigInt
	ts = stream.Timestamp
	tx = stream.Varchar
	f8 = stream.Double
)

func ints(v int32) *model.Expr { return model.Lit(stream.Int(v)) }

func call(f string, t stream.Type, args ...*model.Expr) *model.Expr { return model.Call(f, t, args...) }

func eq(a, b *model.Expr) *model.Expr { return call("eq", stream.Boolean, a, b) }

// inverse is 10 / column: it fails for 0.
func inverse(column int) *model.Expr {
	return call("div", i4, ints(10), model.Col(column, i4))
}

func TestSourceOrdersAndSeparates(t *testing.T) {
	s := newScript()
	src := s.source("s", 0, `
		10 1
		!too few fields
		14 2
		12 3
		NULL 4
		11 5
		p1: 5 6
		p1: 12 7
		p1: 12 8
		99 9
		10 10
	`, field("ts", ts), field("a", i4))
	src.Source.WatermarkDelayMicros = 2 * second
	src.Source.MaxJumpMicros = 50 * second
	s.sink(src)
	s.sinkOf(model.Edge{Op: src.ID, Port: model.Arrival})
	late := s.sinkOf(model.Edge{Op: src.ID, Port: model.Late})
	o := s.run(t)
	expect(t, o["sink1"], `
		5 6
		10 1
		12 3
		12 7
		12 8
		14 2`)
	expect(t, o["s$late"], `
		11 5
		10 10`)
	expect(t, o[late.Name], strings.Join(o["s$late"], "\n"))
	expect(t, o["sink2"], `
		10 1
		5 6
		14 2
		12 7
		12 3
		12 8
		11 5
		10 10`)
	expect(t, o["s$errors"], `
		s too few fields !too few fields data.csv 2
		s event time is NULL NULL 4 data.csv 5
		s event time too far ahead of the watermark 99 9 data.csv 10`)
}

func TestSourceWithoutTimeAlternates(t *testing.T) {
	s := newScript()
	s.sink(s.source("s", -1, `
		1
		2
		3
		p1: 7
		p1: 8`, field("a", i4)))
	expect(t, s.run(t)["sink1"], "1\n7\n2\n8\n3")
}

func TestSourceComputesAndFails(t *testing.T) {
	s := newScript()
	src := s.source("s", -1, "2\n0\n5", field("a", i4), field("b", i4))
	src.Source.Computed[1] = inverse(0)
	s.sink(src)
	o := s.run(t)
	expect(t, o["sink1"], "2 5\n5 2")
	expect(t, o["s$errors"], "s division by zero 0 data.csv 2")

	src.Source.OnError = model.ErrorsFail
	stats, err := reference.Run(t.Context(), s.m, s.input, output{})
	if err == nil || err.Error() != "s: data.csv:2: division by zero (on_error = 'fail')" {
		t.Errorf("error %v", err)
	}
	if got := *stats.Operators["s"]; got != (reference.Counts{In: 2}) {
		t.Errorf("stats %+v", got)
	}
}

func TestLateRowsCanBeDropped(t *testing.T) {
	s := newScript()
	src := s.source("s", 0, "10\n9\n11", field("ts", ts))
	src.Source.Late = model.LateDrop
	s.sink(src)
	o := output{}
	stats, err := reference.Run(t.Context(), s.m, s.input, o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, o["s$late"], "")
	if got := *stats.Operators["s"]; got != (reference.Counts{In: 3, Out: 2, Late: 1}) {
		t.Errorf("stats %+v", got)
	}
}

func TestFilterConjuncts(t *testing.T) {
	s := newScript()
	src := s.source("s", -1, "5 1\n0 1\n0 2\n0 NULL\n1 1", field("a", i4), field("b", i4))
	f := s.filter(src, eq(inverse(0), ints(2)), eq(model.Col(1, i4), ints(1)))
	s.sink(f)
	o := s.run(t)
	expect(t, o["sink2"], "5 1")
	expect(t, o["filter1$errors"], `filter1 division by zero {"a":0} NULL NULL`)
}

func TestProjectFailsOncePerRowUnderWindows(t *testing.T) {
	s := newScript()
	src := s.source("s", 0, "0 5\n1 0\n2 1", field("ts", ts), field("a", i4))
	w := s.window(src, rangeWindow(3, 1))
	p := s.project(w, inverse(1), model.Col(2, ts), model.Col(3, ts), model.Col(4, ts))
	p.Relation.Window, p.Relation.Time = w.Relation.Window, 3
	s.sink(s.aggregate(p, nil, countStar()))
	o := s.run(t)
	expect(t, o["sink4"], "1\n1\n2\n1\n1")
	expect(t, o["project2$errors"], `project2 division by zero {"a":0} NULL NULL`)
}

func TestWindowsAreSpreadByTheirColumns(t *testing.T) {
	s := newScript()
	// Window [0,3): a 0 b; [1,4): 0 b c; the filter looks at window_start.
	src := s.source("s", 0, "0 5 a\n1 0 x\n2 1 b\n2 1 a\n3 2 c", field("ts", ts), field("a", i4), field("k", tx))
	w := s.window(src, rangeWindow(3, 1))
	f := s.filter(w, call("ge", stream.Boolean, model.Col(3, ts), model.Lit(stream.Time(0))),
		call("le", stream.Boolean, model.Col(3, ts), model.Lit(stream.Time(second))))
	p := s.project(f, model.Col(2, tx), inverse(1), model.Col(3, ts), model.Col(4, ts), model.Col(5, ts))
	s.sink(s.aggregate(p, []*model.Expr{model.Col(0, tx)}, countStar()))
	o := s.run(t)
	expect(t, o["sink5"], "a 2\nb 1\nb 1\na 1\nc 1")
	expect(t, o["project3$errors"], `
		project3 division by zero {"a":0} NULL NULL
		project3 division by zero {"a":0} NULL NULL`)
}

func TestRowsWindows(t *testing.T) {
	s := newScript()
	src := s.source("s", -1, "1\n2\n3\n4\n5\n6", field("a", i4))
	w := s.window(src, rowsWindow(3, 2))
	s.showAll(w)
	f := s.filter(w, call("gt", stream.Boolean, model.Col(0, i4), ints(3)))
	s.showAll(s.aggregate(f, nil, countStar(), aggOf(model.Sum, model.Col(0, i4), i8)))
	o := s.run(t)
	expect(t, o["sink3"], "1 0\n2 0\n3 0\n3 1\n4 1\n5 1")
	expect(t, o["sink7"], "0 NULL 0\n2 9 1")
}

func TestRangeWindowsSkipEmptyOnes(t *testing.T) {
	s := newScript()
	src := s.source("s", 0, "1 1\n3 2\n1500000000 3", field("ts", ts), field("a", i4))
	w := s.window(src, rangeWindow(4, 2))
	s.showAll(s.aggregate(w, nil, aggOf(model.Sum, model.Col(1, i4), i8)))
	o := s.run(t)
	expect(t, o["sink4"], `
		1 -2 2 1.999999
		3 0 4 3.999999
		2 2 6 5.999999
		3 1499999998 1500000002 1500000001.999999
		3 1500000000 1500000004 1500000003.999999`)
}

func TestWindowOfTimeWithoutRowsLeftGivesNothing(t *testing.T) {
	s := newScript()
	src := s.source("s", 0, "1 1\n11 2", field("ts", ts), field("a", i4))
	f := s.filter(s.window(src, rangeWindow(10, 10)), eq(model.Col(1, i4), ints(2)))
	s.showAll(s.aggregate(f, nil, countStar()))
	expect(t, s.run(t)["sink5"], "1 10 20 19.999999")
}

func TestGroupsInResidenceOrder(t *testing.T) {
	s := newScript()
	// window [0,4): b a c; [2,6): a and c are shared, in the order of the window before,
	// then d; [4,8): only d has a row in [4,6), then e, b; [6,10): all three have a row in
	// [6,8), so the order stays though e comes first.
	src := s.source("s", 0, "0 b\n1 a\n1 c\n2 c\n3 a\n5 d\n6 e\n6 b\n7 d", field("ts", ts), field("k", tx))
	w := s.window(src, rangeWindow(4, 2))
	s.showAll(s.aggregate(w, []*model.Expr{model.Col(1, tx)}, countStar()))
	expect(t, s.run(t)["sink4"], `
		b 1 -2 2 1.999999
		a 1 -2 2 1.999999
		c 1 -2 2 1.999999
		b 1 0 4 3.999999
		a 2 0 4 3.999999
		c 2 0 4 3.999999
		a 1 2 6 5.999999
		c 1 2 6 5.999999
		d 1 2 6 5.999999
		d 2 4 8 7.999999
		e 1 4 8 7.999999
		b 1 4 8 7.999999
		d 1 6 10 9.999999
		e 1 6 10 9.999999
		b 1 6 10 9.999999`)
}

func TestAggregates(t *testing.T) {
	s := newScript()
	src := s.source("s", -1, "a 1 1.5\nb NULL NULL\na 3 1e16\na 3 1\na NULL -1e16\nNULL 7 NaN\nNULL 2 1",
		field("k", tx), field("i", i4), field("f", f8))
	i, f := model.Col(1, i4), model.Col(2, f8)
	filtered := aggOf(model.Sum, i, i8)
	filtered.Filter = call("lt", stream.Boolean, i, ints(3))
	distinct := aggOf(model.Sum, i, i8)
	distinct.Distinct = true
	s.sink(s.aggregate(src, []*model.Expr{model.Col(0, tx)},
		countStar(), aggOf(model.Count, i, i8), aggOf(model.Sum, i, i8), aggOf(model.Avg, i, f8),
		aggOf(model.Min, i, i4), aggOf(model.Max, f, f8), aggOf(model.Sum, f, f8), filtered, distinct))
	expect(t, s.run(t)["sink2"], `
		a 4 3 7 2.3333333333333335 1 10000000000000000 2.5 1 4
		b 1 0 NULL NULL NULL NULL NULL NULL NULL
		NULL 2 2 9 4.5 2 NaN NaN 2 9`)
}

func TestAggregateOfNothing(t *testing.T) {
	s := newScript()
	src := s.source("s", -1, "", field("a", i4))
	s.sink(s.aggregate(src, nil, countStar(), aggOf(model.Max, model.Col(0, i4), i4)))
	s.sink(s.aggregate(src, []*model.Expr{model.Col(0, i4)}))
	o := s.run(t)
	expect(t, o["sink2"], "0 NULL")
	expect(t, o["sink4"], "")
}

func TestAggregateErrors(t *testing.T) {
	s := newScript()
	src := s.source("s", 0, "0 1 9223372036854775807\n1 1 1\n2 0 5\n11 2 3",
		field("ts", ts), field("k", i4), field("v", i8))
	w := s.window(src, rangeWindow(10, 10))
	agg := s.aggregate(w, []*model.Expr{inverse(1)}, aggOf(model.Sum, model.Col(2, i8), i8))
	s.sink(agg)
	o := s.run(t)
	expect(t, o["sink3"], "5 3")
	expect(t, o["aggregate2$errors"], `
		aggregate2 division by zero {"k":0} NULL NULL
		aggregate2 number out of range {"k0":10,"window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:10Z","window_time":"1970-01-01T00:00:09.999999Z"} NULL NULL`)
}

func TestWindowsOfWindows(t *testing.T) {
	s := newScript()
	src := s.source("s", 0, "0 1\n3 2\n7 3\n12 4", field("ts", ts), field("a", i4))
	first := s.aggregate(s.window(src, rangeWindow(5, 5)), nil, aggOf(model.Sum, model.Col(1, i4), i8))
	second := s.aggregate(s.window(first, rangeWindow(10, 10)), nil, aggOf(model.Max, model.Col(0, i8), i8))
	s.showAll(second)
	expect(t, s.run(t)["sink6"], "3 0 10 9.999999\n4 10 20 19.999999")
}

func TestWindowJoin(t *testing.T) {
	s := newScript()
	a := s.source("a", 0, "0 1\n1 2\n4 1\n9 3", field("ts", ts), field("x", i4))
	b := s.source("b", 0, "1 1\n1 NULL\n2 2\n3 1\n6 1", field("ts", ts), field("y", i4))
	j := s.join(model.JoinOp, s.window(a, rangeWindow(4, 4)), s.window(b, rangeWindow(4, 4)), model.Join{
		LeftKeys: []*model.Expr{model.Col(1, i4)}, RightKeys: []*model.Expr{model.Col(1, i4)},
		On: []*model.Expr{call("ge", stream.Boolean, model.Col(5, ts), model.Col(0, ts))},
	})
	s.sink(j)
	s.showAll(s.aggregate(j, nil, countStar()))
	o := s.run(t)
	expect(t, o["sink5"], "0 1 1 1\n0 1 3 1\n1 2 2 2\n4 1 6 1")
	expect(t, o["sink8"], "3 0 4 3.999999\n1 4 8 7.999999")
}

func TestRowsJoinPairsByIndex(t *testing.T) {
	s := newScript()
	a := s.source("a", -1, "1\n2\n3\n4\n5\n6", field("x", i4))
	b := s.source("b", -1, "2\n1\n9\n9", field("y", i4))
	j := s.join(model.JoinOp, s.window(a, rowsWindow(2, 2)), s.window(b, rowsWindow(2, 2)), model.Join{
		LeftKeys: []*model.Expr{model.Col(0, i4)}, RightKeys: []*model.Expr{model.Col(0, i4)},
	})
	s.sink(j)
	s.sink(s.aggregate(j, nil, countStar()))
	o := s.run(t)
	expect(t, o["sink5"], "1 1\n2 2")
	expect(t, o["sink7"], "2") // windows of a join exist by their rows
}

func TestLookup(t *testing.T) {
	s := newScript()
	a := s.source("a", -1, "1\n2\n0\nNULL\n1", field("x", i4))
	b := s.source("b", -1, "5 b\n10 a\n10 c\nNULL d", field("id", i4), field("name", tx))
	l := s.join(model.LookupOp, a, b, model.Join{
		LeftKeys: []*model.Expr{inverse(0)}, RightKeys: []*model.Expr{model.Col(0, i4)},
	})
	s.sink(l)
	o := s.run(t)
	expect(t, o["sink3"], "1 10 a\n1 10 c\n2 5 b\n1 10 a\n1 10 c")
	expect(t, o["join2$errors"], `join2 division by zero {"x":0} NULL NULL`)
}

func TestUnion(t *testing.T) {
	s := newScript()
	a := s.source("a", 0, "1 1\n3 2\n3 3", field("ts", ts), field("x", i4))
	b := s.source("b", 0, "0 4\n3 5", field("ts", ts), field("x", i4))
	s.sink(s.union(a, b))
	c := s.source("c", -1, "1\n2\n3", field("x", i4))
	d := s.source("d", -1, "7", field("x", i4))
	s.sink(s.union(c, d))
	o := s.run(t)
	expect(t, o["sink3"], "0 4\n1 1\n3 2\n3 3\n3 5")
	expect(t, o["sink7"], "1\n7\n2\n3")
}

func TestErrorPortIsAStream(t *testing.T) {
	s := newScript()
	src := s.source("s", -1, "1\n0\n2", field("a", i4))
	p := s.project(src, inverse(0))
	s.sinkOf(model.Edge{Op: p.ID, Port: model.Errors})
	s.sink(p)
	o := s.run(t)
	expect(t, o["sink2"], `project1 division by zero {"a":0} NULL NULL`)
	expect(t, o["sink3"], "10\n5")
}

// outer makes a join an outer one.
func outer(op *model.Operator) *model.Operator {
	op.Join.Outer = true
	return op
}

// TestOuterWindowJoin: a left row without partner stands at its place in each window, also of
// windows that the right side does not have; a NULL key matches nothing.
func TestOuterWindowJoin(t *testing.T) {
	s := newScript()
	a := s.source("a", 0, "0 1\n1 2\n1 NULL\n4 1\n9 3\n20 1", field("ts", ts), field("x", i4))
	b := s.source("b", 0, "1 1\n1 NULL\n3 1\n6 7\n15 1", field("ts", ts), field("y", i4))
	j := outer(s.join(model.JoinOp, s.window(a, rangeWindow(4, 4)), s.window(b, rangeWindow(4, 4)), model.Join{
		LeftKeys: []*model.Expr{model.Col(1, i4)}, RightKeys: []*model.Expr{model.Col(1, i4)},
	}))
	s.sink(j)
	s.showAll(s.aggregate(j, nil, countStar()))
	o := s.run(t)
	expect(t, o["sink5"], "0 1 1 1\n0 1 3 1\n1 2 NULL NULL\n1 NULL NULL NULL\n4 1 NULL NULL\n9 3 NULL NULL\n20 1 NULL NULL")
	expect(t, o["sink8"], "4 0 4 3.999999\n1 4 8 7.999999\n1 8 12 11.999999\n1 20 24 23.999999")
}

// TestOuterErrors: a row whose key fails is an error row alone, one that fails with some row
// of the table is not without partner.
func TestOuterErrors(t *testing.T) {
	s := newScript()
	a := s.source("a", -1, "1 1\n2 1\n0 1\nNULL 2\n1 3\n5 3\n2 0", field("x", i4), field("z", i4))
	b := s.source("b", -1, "10 1\n10 0\n5 2\n2 0", field("id", i4), field("y", i4))
	l := outer(s.join(model.LookupOp, a, b, model.Join{
		LeftKeys: []*model.Expr{inverse(0)}, RightKeys: []*model.Expr{model.Col(0, i4)},
		On: []*model.Expr{call("ge", stream.Boolean, inverse(3), call("mul", i4, model.Col(1, i4), model.Lit(stream.Int(10))))},
	}))
	s.sink(l)
	o := s.run(t)
	expect(t, o["sink3"], "1 1 10 1\n2 1 NULL NULL\nNULL 2 NULL NULL\n2 0 5 2")
	expect(t, o["join2$errors"], `
		join2 division by zero {"x":0} NULL NULL
		join2 division by zero {"z":1,"y":0} NULL NULL
		join2 division by zero {"z":3,"y":0} NULL NULL
		join2 division by zero {"z":3,"y":0} NULL NULL`)
}
