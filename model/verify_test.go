package model_test

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
)

const sound = `millrace model 1

#0 source s
  connector file
  column 0 ts TIMESTAMP
  column 1 a INTEGER
  column 2 twice BIGINT = mul(cast($1:INTEGER):BIGINT, 2:BIGINT):BIGINT
  time 0

#1 filter f <- #0
  where gt($1:INTEGER, 5:INTEGER):BOOLEAN
  as input

#2 window w <- #1
  window range size 10 slide 5
  column 0 ts TIMESTAMP
  column 1 a INTEGER
  column 2 twice BIGINT
  column 3 window_start TIMESTAMP hidden role window_start
  column 4 window_end TIMESTAMP hidden role window_end
  column 5 window_time TIMESTAMP hidden role window_time
  time 5
  carries range size 10 slide 5

#3 aggregate g <- #2
  key $1:INTEGER
  agg sum($2:BIGINT):BIGINT
  column 0 a INTEGER
  column 1 total BIGINT
  column 2 window_start TIMESTAMP hidden role window_start
  column 3 window_end TIMESTAMP hidden role window_end
  column 4 window_time TIMESTAMP hidden role window_time
  time 4
  carries range size 10 slide 5

#4 join j <- #2, #3
  match $1:INTEGER = $0:INTEGER
  on lt($0:TIMESTAMP, $10:TIMESTAMP):BOOLEAN
  column 0 ts TIMESTAMP
  column 1 a INTEGER
  column 2 twice BIGINT
  column 3 window_start TIMESTAMP hidden role window_start
  column 4 window_end TIMESTAMP hidden role window_end
  column 5 window_time TIMESTAMP hidden role window_time
  column 6 a INTEGER
  column 7 total BIGINT
  column 8 window_start TIMESTAMP hidden role window_start
  column 9 window_end TIMESTAMP hidden role window_end
  column 10 window_time TIMESTAMP hidden role window_time
  time 5
  carries range size 10 slide 5

#5 project p <- #4
  column 0 share DOUBLE = div(cast($1:INTEGER):DOUBLE, cast($7:BIGINT):DOUBLE):DOUBLE
  column 1 start TIMESTAMP role window_start = $3:TIMESTAMP
  column 2 end TIMESTAMP role window_end = $4:TIMESTAMP
  column 3 time TIMESTAMP hidden role window_time = $5:TIMESTAMP
  time 3
  carries range size 10 slide 5

#6 sink out <- #5
  connector print
  as input

#7 window i <- #0
  window rows-instant size 3
  column 0 ts TIMESTAMP
  column 1 a INTEGER
  column 2 twice BIGINT
  time 0
  carries rows-instant size 3

#8 emit e <- #7
  emit istream
  column 0 ts TIMESTAMP
  column 1 a INTEGER
  column 2 twice BIGINT
  column 3 $time TIMESTAMP hidden
  time 3

#9 source table
  connector file
  column 0 a INTEGER
  bounded

#10 lookup l <- #8, #9
  match $1:INTEGER = $0:INTEGER
  column 0 ts TIMESTAMP
  column 1 a INTEGER
  column 2 twice BIGINT
  column 3 $time TIMESTAMP hidden
  column 4 a INTEGER
  time 3

#11 union u <- #0.late, #0.arrival
  column 0 ts TIMESTAMP
  column 1 a INTEGER
  column 2 twice BIGINT

#12 sink looked_up <- #10
  connector print
  as input

#13 sink unioned <- #11
  connector print
  as input
`

func TestVerifySaysWhatIsWrong(t *testing.T) {
	m, err := model.Parse(sound)
	if err == nil {
		err = model.Verify(m)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{"filter f <- #0", "filter s <- #0", `operator #1 "s": its name is already that of operator #0`},
		{"union u <- #0.late, #0.arrival", "union u <- #0.late, #12", `operator #11 "u": input 1: #12 is not an operator before it`},
		{"window w <- #1", "window w <- #1.late", `operator #2 "w": input 0: only a source has port late, and #1 is a filter`},
		{"window w <- #1", "window w <- #1.side", `operator #2 "w": input 0: there is no port "side"`},
		{"union u <- #0.late, #0.arrival", "union u <- #6", `operator #11 "u": input 0: #6 is a sink and has no outputs`},
		{"join j <- #2, #3", "join j <- #2", `operator #4 "j": a join has 2 inputs, not 1`},
		{"  connector file\n  column 0 ts", "  column 0 ts", `operator #0 "s": a source needs a connector`},
		{"= mul(cast($1:INTEGER)", "= mul(cast($2:BIGINT)", `operator #0 "s": computed column 2 reads computed column 2`},
		{"where gt($1", "where gt($9", `operator #1 "f": predicate 0: column $9 does not exist, the input has 3 columns`},
		{"where gt($1:INTEGER, 5:INTEGER)", "where gt($1:BIGINT, 5:BIGINT)", `predicate 0: column $1 is INTEGER, not BIGINT`},
		{"where gt($1:INTEGER, 5:INTEGER)", "where gt($1:INTEGER, 5:BIGINT)", `predicate 0: no form of gt takes (INTEGER, BIGINT)`},
		{"where gt($1:INTEGER, 5:INTEGER)", "where great($1:INTEGER, 5:INTEGER)", `predicate 0: there is no function "great"`},
		{"where gt($1:INTEGER, 5:INTEGER):BOOLEAN", "where gt($1:INTEGER, 5:INTEGER):REAL", `predicate 0: gt(INTEGER, INTEGER) is BOOLEAN, not REAL`},
		{"where gt($1:INTEGER, 5:INTEGER):BOOLEAN", "where add($1:INTEGER, 5:INTEGER):INTEGER", `predicate 0 is INTEGER, not BOOLEAN`},
		{"where gt($1:INTEGER, 5:INTEGER):BOOLEAN", "where case(TRUE:BOOLEAN, TRUE:BOOLEAN):BOOLEAN", `an odd number of arguments from 3, not 2`},
		{"where gt($1:INTEGER, 5:INTEGER):BOOLEAN", "where case($1:INTEGER, TRUE:BOOLEAN, TRUE:BOOLEAN):BOOLEAN", `condition 0 of case is INTEGER, not BOOLEAN`},
		{"where gt($1:INTEGER, 5:INTEGER):BOOLEAN", "where case(TRUE:BOOLEAN, 1:INTEGER, TRUE:BOOLEAN):BOOLEAN", `argument 1 of case is INTEGER, not BOOLEAN`},
		{"where gt($1:INTEGER, 5:INTEGER):BOOLEAN", "where cast($0:TIMESTAMP):BOOLEAN", `TIMESTAMP cannot be cast to BOOLEAN`},
		{"  where gt($1:INTEGER, 5:INTEGER):BOOLEAN\n", "", `operator #1 "f": a filter needs a predicate`},
		{"window range size 10 slide 5\n  column", "window range size 0 slide 5\n  column", `operator #2 "w": size 0 must be above zero`},
		{"window range size 10 slide 5\n  column", "window range size 10\n  column", `operator #2 "w": slide 0 must be above zero`},
		{"window range size 10 slide 5\n  column", "window range size 10 slide 6\n  column", `operator #2 "w": its relation does not carry its window`},
		{"window rows-instant size 3\n  column", "window rows-instant size 3 slide 1\n  column", `operator #7 "i": a rows-instant window has no slide`},
		{"window rows-instant size 3\n  column", "window partition-rows size 3\n  column", `operator #7 "i": a partition-rows window needs a column to partition by`},
		{"window rows-instant size 3\n  column", "window partition-rows size 3 by $7\n  column", `operator #7 "i": partition column $7 does not exist`},
		{"  time 0\n\n#1", "\n#1", `operator #2 "w": a range window needs an input with event time`},
		{"  time 0\n\n#1", "  time 1\n\n#1", `operator #0 "s": time column 1 is INTEGER, not TIMESTAMP`},
		{"  time 0\n\n#1", "  time 9\n\n#1", `operator #0 "s": time column 9 does not exist`},
		{"  column 5 window_time TIMESTAMP hidden role window_time\n  time 5\n  carries range size 10 slide 5\n\n#3", "  time 4\n  carries range size 10 slide 5\n\n#3", `operator #2 "w": it carries a window but has no column with role window_time`},
		{"  agg sum($2:BIGINT):BIGINT", "  agg sum($2:BIGINT):DOUBLE", `operator #3 "g": aggregate 0: sum of BIGINT is BIGINT, not DOUBLE`},
		{"  agg sum($2:BIGINT):BIGINT", "  agg sum(*):BIGINT", `operator #3 "g": aggregate 0: sum needs an argument`},
		{"  agg sum($2:BIGINT):BIGINT", "  agg median($2:BIGINT):BIGINT", `operator #3 "g": aggregate 0: there is no median of BIGINT`},
		{"  agg sum($2:BIGINT):BIGINT", "  agg sum($2:BIGINT):BIGINT filter $1:INTEGER", `operator #3 "g": aggregate 0: filter 0 is INTEGER, not BOOLEAN`},
		{"  column 1 total BIGINT", "  column 1 total DOUBLE", `operator #3 "g": column 1 is DOUBLE, not BIGINT`},
		{"aggregate g <- #2", "aggregate g <- #1", `operator #3 "g": grouping an unbounded stream needs a window`},
		{"  match $1:INTEGER = $0:INTEGER\n  on", "  match $1:INTEGER = $1:BIGINT\n  on", `operator #4 "j": key 0 equates INTEGER with BIGINT`},
		{"join j <- #2, #3", "join j <- #1, #3", `operator #4 "j": both sides of a join carry a window`},
		{"column 0 share DOUBLE = div", "column 0 share BIGINT = div", `operator #5 "p": column 0 is BIGINT but its expression is DOUBLE`},
		{"role window_start = $3", "role window_start = $4", `operator #5 "p": column 1 has role window_start but does not repeat a column with it`},
		{"role window_time = $5:TIMESTAMP\n  time 3", "role window_time = $5:TIMESTAMP\n  time 1", `operator #5 "p": time column 1 does not repeat the event time of the input`},
		{"sink out <- #5\n  connector print\n  as input", "sink out <- #5\n  connector print", `operator #6 "out": it has 0 columns, not 4`},
		{"sink looked_up <- #10", "sink looked_up <- #7", `operator #12 "looked_up": per-instant rows reach a sink; an emit operator must come before it`},
		{"emit e <- #7", "emit e <- #2", `operator #8 "e": its input is not per-instant`},
		{"  column 0 a INTEGER\n  bounded\n", "  column 0 a INTEGER\n", `operator #10 "l": the table of a lookup must be bounded`},
		{"  time 3\n\n#11", "  time 0\n\n#11", `operator #10 "l": a lookup keeps the time column`},
		{"  time 3\n\n#11", "  time 3\n  bounded\n\n#11", `operator #10 "l": it is bounded but input 0 is not`},
		{"union u <- #0.late, #0.arrival", "union u <- #0.late, #9", `operator #11 "u": input 1 has 1 columns, not 3`},
		{"  column 2 twice BIGINT\n\n#12", "  column 2 twice BIGINT\n  time 0\n\n#12", `operator #11 "u": it is ordered by column 0 but input 0 by -1`},
		{"  column 2 twice BIGINT\n\n#12", "  column 2 twice BIGINT\n  changelog\n\n#12", `operator #11 "u": changelogs are not supported`},
		{"#13 sink unioned <- #11", "#13 sink unioned <- #11\n  where TRUE:BOOLEAN", `operator #13 "unioned": a sink with a Filter payload`},
	} {
		text := strings.Replace(sound, c.from, c.to, 1)
		if text == sound {
			t.Errorf("the test does not change anything: %q", c.from)
			continue
		}
		m, err := model.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", c.to, err)
			continue
		}
		if err := model.Verify(m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.to, err, c.want)
		}
	}
	if err := model.Verify(&model.Model{}); err == nil {
		t.Error("an empty model is accepted")
	}
	if err := model.Verify(&model.Model{Ops: []*model.Operator{nil}}); err == nil {
		t.Error("a missing operator is accepted")
	}
}

func TestMayErr(t *testing.T) {
	const head = "millrace model 1\n#0 filter f\n  where "
	for text, want := range map[string]bool{
		"$0:REAL":                                            false,
		"add($0:REAL, 1:REAL):REAL":                          false,
		"add($0:INTEGER, 1:INTEGER):INTEGER":                 true,
		"neg($0:DOUBLE):DOUBLE":                              false,
		"div($0:INTEGER, 2:INTEGER):INTEGER":                 false,
		"div($0:INTEGER, -1:INTEGER):INTEGER":                true,
		"div($0:INTEGER, $1:INTEGER):INTEGER":                true,
		"div($0:REAL, 0:REAL):REAL":                          false,
		"cast($0:INTEGER):BIGINT":                            false,
		"cast($0:BIGINT):INTEGER":                            true,
		"cast($0:BIGINT):DOUBLE":                             false,
		"cast($0:DOUBLE):REAL":                               true,
		"cast($0:TIMESTAMP):VARCHAR":                         false,
		"cast($0:VARCHAR):TIMESTAMP":                         true,
		"cast($0:BOOLEAN):INTEGER":                           false,
		"try_cast($0:VARCHAR):INTEGER":                       false,
		"try_cast(cast($0:VARCHAR):BIGINT):INTEGER":          true,
		"coalesce($0:REAL, sqrt($1:REAL):REAL):REAL":         true,
		`like($0:VARCHAR, "a%":VARCHAR):BOOLEAN`:             false,
		`like($0:VARCHAR, "a\\":VARCHAR):BOOLEAN`:            true,
		"like($0:VARCHAR, $1:VARCHAR):BOOLEAN":               true,
		`date_trunc("Hour":VARCHAR, $0:TIMESTAMP):TIMESTAMP`: true, // overflows at the least timestamp
		`date_trunc("week":VARCHAR, $0:TIMESTAMP):TIMESTAMP`: true,
		"substring($0:VARCHAR, 2:BIGINT):VARCHAR":            false,
		"substring($0:VARCHAR, 2:BIGINT, 1:BIGINT):VARCHAR":  true,
		"to_timestamp_ltz($0:BIGINT, 6:INTEGER):TIMESTAMP":   false,
		"to_timestamp_ltz($0:BIGINT, 3:INTEGER):TIMESTAMP":   true,
		"unknown():REAL":                                     true,
	} {
		m, err := model.Parse(head + text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := m.Ops[0].Filter[0].MayErr(); got != want {
			t.Errorf("%s may err: %v", text, got)
		}
	}
}

func TestDOT(t *testing.T) {
	m, err := model.Parse(sound)
	if err != nil {
		t.Fatal(err)
	}
	dot := model.DOT(m)
	for _, want := range []string{
		`op1 [label="#1 filter f\na > 5", shape=box];`,
		`op0 -> op11 [label="late", style=dashed];`,
		`op2 -> op4 [label="0"];`,
		`op4 [label="#4 join j\na = a\nts < window_time", shape=box];`,
		`op3 [label="#3 aggregate g\nby a\nSUM(twice)", shape=box];`,
	} {
		if !strings.Contains(dot, want) {
			t.Errorf("%s is missing in\n%s", want, dot)
		}
	}
}
