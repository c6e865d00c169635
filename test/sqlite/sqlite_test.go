package sqlite_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/reference"
	"github.com/millrace/millrace/stream"
)

const (
	second     = 1_000_000
	seeds      = 20
	perSeed    = 25 // expressions, and grouped queries
	tableRows  = 60
	exprDepth  = 3
	timeSpread = 100 // seconds
)

// table is the same rows for both sides.
type table struct {
	db   *sql.DB
	rows []reference.Row
}

func newTable(t *testing.T, r *rand.Rand) *table {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // every connection has a memory of its own
	tb := &table{db: db}
	for range tableRows {
		row := reference.Row{stream.Time(int64(r.IntN(timeSpread)) * second)}
		for _, c := range columns[1:] {
			row = append(row, randomValue(r, c.t))
		}
		tb.rows = append(tb.rows, row)
	}
	sort.SliceStable(tb.rows, func(i, j int) bool { return tb.rows[i][0].I < tb.rows[j][0].I })
	exec := func(q string) {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	exec("PRAGMA case_sensitive_like = ON")
	exec("CREATE TABLE t (id INTEGER PRIMARY KEY, ts INTEGER, a INTEGER, b INTEGER, x REAL, y REAL, s TEXT, u TEXT, p INTEGER, q INTEGER)")
	for i, row := range tb.rows {
		values := []string{fmt.Sprint(i), fmt.Sprint(row[0].I / second)}
		for _, v := range row[1:] {
			values = append(values, literal(v).sql)
		}
		exec("INSERT INTO t VALUES (" + strings.Join(values, ", ") + ")")
	}
	return tb
}

// query returns rows as text: booleans as 0 and 1, floats in their shortest form.
func (tb *table) query(t *testing.T, q string) []string {
	t.Helper()
	rows, err := tb.db.Query(q)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, v := range values {
			cells = append(cells, cell(v))
		}
		out = append(out, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return out
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case float64:
		return number(v)
	case string:
		return "'" + v + "'"
	default:
		return fmt.Sprint(v)
	}
}

func number(f float64) string {
	if f == 0 {
		f = 0 // no difference between -0 and 0
	}
	return string(stream.AppendDouble(nil, f, 64)) + "f"
}

// text shows a value of ours as cell shows SQLite's.
func text(v stream.Value) string {
	switch {
	case v.Null:
		return "NULL"
	case v.Type == stream.Varchar:
		return "'" + v.S + "'"
	case v.Type == stream.Double:
		return number(v.F)
	case v.Type.IsNested(): // of numbers
		return "'" + strings.ReplaceAll(v.String(), " ", "") + "'"
	case v.Type == stream.Boolean:
		return fmt.Sprint(v.I)
	case v.Type == stream.Timestamp:
		return fmt.Sprint(v.I / second)
	default:
		return v.String()
	}
}

func rowText(row reference.Row) string {
	var cells []string
	for _, v := range row {
		cells = append(cells, text(v))
	}
	return strings.Join(cells, "|")
}

func eachSeed(t *testing.T, f func(t *testing.T, g generator, tb *table)) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			f(t, generator{r}, newTable(t, r))
		})
	}
}

func TestExpressions(t *testing.T) {
	eachSeed(t, func(t *testing.T, g generator, tb *table) {
		for range perSeed {
			for _, typ := range []stream.Type{stream.BigInt, stream.Double, stream.Varchar, stream.Boolean} {
				e := g.of(typ, exprDepth)
				theirs := tb.query(t, "SELECT "+e.sql+" FROM t ORDER BY id")
				for i, row := range tb.rows {
					v, reason := reference.Eval(e.expr, row)
					if reason != "" {
						t.Fatalf("%s fails: %s", e.sql, reason)
					}
					if got := text(v); got != theirs[i] {
						t.Fatalf("%s\nover %s\nis %s, SQLite says %s", e.sql, rowText(row), got, theirs[i])
					}
				}
			}
		}
	})
}

// input gives the table as a stream.
func (tb *table) input(context.Context, *model.Operator) iter.Seq2[reference.Record, error] {
	return func(yield func(reference.Record, error) bool) {
		for _, row := range tb.rows {
			if !yield(reference.Record{Row: row}, nil) {
				return
			}
		}
	}
}

// collected are the rows of the sink.
type collected []string

func (c *collected) Row(op *model.Operator, port model.Port, row reference.Row) error {
	if port != model.Out {
		return fmt.Errorf("%s has a row on port %s: %s", op.Name, port, rowText(row))
	}
	*c = append(*c, rowText(row))
	return nil
}

// grouped is a query in both forms: window_start, keys, aggregates.
type grouped struct {
	model *model.Model
	sql   string
}

func TestGroupedWindows(t *testing.T) {
	eachSeed(t, func(t *testing.T, g generator, tb *table) {
		for range perSeed {
			q := g.grouped()
			var ours collected
			if _, err := reference.Run(t.Context(), q.model, tb.input, &ours); err != nil {
				t.Fatal(err)
			}
			theirs := tb.query(t, q.sql)
			sort.Strings(ours)
			sort.Strings(theirs)
			if got, want := strings.Join(ours, "\n"), strings.Join(theirs, "\n"); got != want {
				t.Fatalf("%s\ngives\n%s\nSQLite says\n%s", q.sql, got, want)
			}
		}
	})
}

var aggregates = []struct {
	f      model.AggFunc
	t      stream.Type // argument
	result stream.Type
	sql    string // of x; "": the function's name and x
}{
	{f: model.Count, t: stream.Varchar, result: stream.BigInt}, {f: model.Count, t: stream.BigInt, result: stream.BigInt},
	{f: model.Sum, t: stream.BigInt, result: stream.BigInt}, {f: model.Sum, t: stream.Double, result: stream.Double},
	{f: model.Avg, t: stream.BigInt, result: stream.Double}, {f: model.Avg, t: stream.Double, result: stream.Double},
	{f: model.Min, t: stream.BigInt, result: stream.BigInt}, {f: model.Max, t: stream.Double, result: stream.Double},
	{f: model.Min, t: stream.Varchar, result: stream.Varchar}, {f: model.Max, t: stream.Varchar, result: stream.Varchar},
	{model.BoolAnd, stream.Boolean, stream.Boolean, "MIN(x)"}, {model.BoolOr, stream.Boolean, stream.Boolean, "MAX(x)"},
	{model.StringAgg, stream.Varchar, stream.Varchar, "GROUP_CONCAT(x, ';' ORDER BY (x))"},
	{model.ArrayAgg, stream.BigInt, stream.Array(stream.BigInt), "NULLIF(JSON_GROUP_ARRAY(x ORDER BY (x)) FILTER (WHERE ?), '[]')"},
	{model.VarPop, stream.BigInt, stream.Double, "(COUNT(x) * SUM(x * x) - SUM(x) * SUM(x)) * 1.0 / (COUNT(x) * COUNT(x))"},
	{model.VarSamp, stream.BigInt, stream.Double, "(COUNT(x) * SUM(x * x) - SUM(x) * SUM(x)) * 1.0 / (COUNT(x) * (COUNT(x) - 1))"},
	{model.StddevPop, stream.Double, stream.Double, "SQRT((COUNT(x) * SUM(x * x) - SUM(x) * SUM(x)) / (COUNT(x) * COUNT(x)))"},
	{model.StddevSamp, stream.BigInt, stream.Double, "SQRT((COUNT(x) * SUM(x * x) - SUM(x) * SUM(x)) * 1.0 / (COUNT(x) * (COUNT(x) - 1)))"},
}

// FIRST_VALUE and LAST_VALUE are not compared because SQLite's groups have no order, and
// APPROX_COUNT_DISTINCT because it is an estimate: test/random compares both with the
// reference.

// folded writes the argument and the filter into the SQL of an aggregate, the filter to
// the place of a question mark if there is one.
func folded(sql, arg, filter string) string {
	switch {
	case strings.Contains(sql, "?"):
		sql = strings.Replace(sql, "?", cmp.Or(filter, "1"), 1)
	case filter != "":
		arg = "CASE WHEN " + filter + " THEN " + arg + " END"
	}
	return strings.NewReplacer("(x", "(("+arg+")", "* x)", "* ("+arg+"))").Replace(sql)
}

// aggregate makes a random aggregate call and its SQL.
func (g generator) aggregate() (model.Agg, string) {
	a := model.Agg{Func: model.Count, Type: stream.BigInt}
	text := "COUNT(*)"
	if n := g.IntN(len(aggregates) + 1); n < len(aggregates) {
		kind := aggregates[n]
		arg := g.of(kind.t, 1)
		if kind.sql != "" {
			column := g.pick(kind.t)
			a, filter := model.Agg{Func: kind.f, Arg: column.expr, Type: kind.result}, ""
			if kind.f == model.StringAgg {
				a.By, a.Params = a.Arg, []stream.Value{stream.Text(";")}
			}
			if kind.f == model.ArrayAgg {
				a.By, a.NullsFirst = a.Arg, true
				a.Arg = model.Call("array", kind.result, a.Arg)
			}
			if g.IntN(3) == 0 {
				f := g.of(stream.Boolean, 1)
				a.Filter, filter = f.expr, f.sql
			}
			return a, folded(kind.sql, column.sql, filter)
		}
		a = model.Agg{Func: kind.f, Arg: arg.expr, Type: kind.result, Distinct: g.IntN(3) == 0}
		distinct := ""
		if a.Distinct {
			distinct = "DISTINCT "
		}
		text = strings.ToUpper(string(kind.f)) + "(" + distinct + arg.sql + ")"
	}
	if g.IntN(3) == 0 {
		filter := g.of(stream.Boolean, 1)
		a.Filter = filter.expr
		text += " FILTER (WHERE " + filter.sql + ")"
	}
	return a, text
}

// grouped makes WHERE, GROUP BY and HAVING over tumbling windows.
func (g generator) grouped() grouped {
	sizeSeconds := int64(1 + g.IntN(30))
	var fields []stream.Field
	for _, c := range columns {
		fields = append(fields, stream.Field{Name: c.name, Type: c.t})
	}
	where := g.of(stream.Boolean, 2)
	var keys, having []*model.Expr
	var selected, groupBy []string
	for range g.IntN(3) {
		t := []stream.Type{stream.BigInt, stream.Varchar, stream.Boolean, stream.Double}[g.IntN(4)]
		k := g.of(t, 1)
		keys, selected = append(keys, k.expr), append(selected, k.sql)
	}
	for i := range selected {
		groupBy = append(groupBy, fmt.Sprint(i+2)) // ordinals: 1 is the window
	}
	var aggs []model.Agg
	for range 1 + g.IntN(4) {
		a, text := g.aggregate()
		aggs, selected = append(aggs, a), append(selected, text)
	}
	havingSQL := ""
	if n := len(keys); g.IntN(2) == 0 {
		having = []*model.Expr{model.Call("is_not_null", stream.Boolean, model.Col(n, aggs[0].Type))}
		havingSQL = " HAVING " + selected[n] + " IS NOT NULL"
	}
	m := &model.Model{}
	build(m, fields, sizeSeconds*second, where.expr, &model.Aggregate{Keys: keys, Aggs: aggs}, having)
	window := fmt.Sprintf("ts / %d * %d", sizeSeconds, sizeSeconds)
	return grouped{m, "SELECT " + strings.Join(append([]string{window}, selected...), ", ") + " FROM t WHERE " + where.sql +
		" GROUP BY " + strings.Join(append([]string{"1"}, groupBy...), ", ") + havingSQL}
}

// build chains source, window, filter, aggregate, filter, projection and sink.
func build(m *model.Model, fields []stream.Field, sizeMicros int64, where *model.Expr, agg *model.Aggregate, having []*model.Expr) {
	window := &model.Window{Kind: model.Range, Size: sizeMicros, Slide: sizeMicros}
	borders := []stream.Field{
		{Name: "window_start", Type: stream.Timestamp, Role: stream.WindowStart, Hidden: true},
		{Name: "window_end", Type: stream.Timestamp, Role: stream.WindowEnd, Hidden: true},
		{Name: "window_time", Type: stream.Timestamp, Role: stream.WindowTime, Hidden: true},
	}
	add := func(op model.Operator, w *model.Window, time int, fields []stream.Field) {
		if n := len(m.Ops); n > 0 {
			op.Inputs = []model.Edge{{Op: model.OpID(n - 1), Port: model.Out}}
		}
		op.Name = fmt.Sprint(op.Kind, len(m.Ops))
		op.Relation = model.Relation{Schema: stream.NewSchema(fields...), Time: time, Window: w, Bounded: true}
		m.Add(&op)
	}
	source := &model.Source{Computed: make([]*model.Expr, len(fields))}
	add(model.Operator{Kind: model.SourceOp, Source: source}, nil, 0, fields)
	wide := append(append([]stream.Field(nil), fields...), borders...)
	add(model.Operator{Kind: model.WindowOp, Window: window}, window, len(wide)-1, wide)
	add(model.Operator{Kind: model.FilterOp, Filter: []*model.Expr{where}}, window, len(wide)-1, wide)
	var results []stream.Field
	for _, k := range agg.Keys {
		results = append(results, stream.Field{Name: fmt.Sprint("k", len(results)), Type: k.Type})
	}
	for _, a := range agg.Aggs {
		results = append(results, stream.Field{Name: fmt.Sprint("a", len(results)), Type: a.Type})
	}
	n := len(results)
	results = append(results, borders...)
	add(model.Operator{Kind: model.AggregateOp, Aggregate: agg}, window, n+2, results)
	add(model.Operator{Kind: model.FilterOp, Filter: having}, window, n+2, results)
	shown := []stream.Field{{Name: "start", Type: stream.Timestamp}}
	project := []*model.Expr{model.Col(n, stream.Timestamp)}
	for i, f := range results[:n] {
		shown, project = append(shown, f), append(project, model.Col(i, f.Type))
	}
	add(model.Operator{Kind: model.ProjectOp, Project: project}, window, -1, shown)
	add(model.Operator{Kind: model.SinkOp, Sink: &model.Sink{}}, window, -1, shown)
}
