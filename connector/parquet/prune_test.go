package parquet

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

var pruned = stream.NewSchema(
	stream.Field{Name: "at", Type: stream.Timestamp}, stream.Field{Name: "id", Type: stream.BigInt},
	stream.Field{Name: "n", Type: stream.Integer}, stream.Field{Name: "f", Type: stream.Double}, stream.Field{Name: "s", Type: stream.Varchar},
	stream.Field{Name: "d6", Type: stream.Decimal(6, 2)}, stream.Field{Name: "d15", Type: stream.Decimal(15, 2)}, stream.Field{Name: "d30", Type: stream.Decimal(30, 2)})

// prunedRow makes columns that rise over the file, so that statistics say something.
func prunedRow(r *rand.Rand, row int) []stream.Value {
	f := stream.Dbl(float64(row/10) + r.Float64())
	switch r.IntN(40) {
	case 0:
		f = stream.Dbl(math.NaN())
	case 1:
		f = stream.Dbl(math.Copysign(0, -1))
	case 2:
		f = stream.NullOf(stream.Double)
	}
	n := stream.Int(int32(row/100 + r.IntN(3)))
	if row/200%3 == 1 {
		n = stream.NullOf(stream.Integer)
	}
	line := []stream.Value{stream.Time(int64(row)*1000 + r.Int64N(20_000)), stream.Big(int64(row)), n, f,
		stream.Text(string(rune('a'+row/150)) + string(rune('a'+r.IntN(3))))}
	for _, f := range pruned.Fields[5:] { // from below zero to above
		line = append(line, stream.DecimalOfUnits(f.Type, int64(row-1500)*100+r.Int64N(1000)))
	}
	return line
}

func prunedFile(t *testing.T, rows int, r *rand.Rand) ([]byte, [][]stream.Value) {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, pruned, pruned.Visible(), "snappy", 800)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]stream.Value
	for row := range rows {
		b := stream.NewBatch(pruned, nil)
		line := prunedRow(r, row)
		b.AppendRow(line)
		all = append(all, line)
		if err := w.Write(b, 0, 1); err != nil {
			t.Fatal(err)
		}
		if row%70 == 69 { // short pages, at other rows in each column
			if err := w.columns[row/70%pruned.Len()].flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), all
}

// randomConjunct compares a column with constants near values that the file has.
func randomConjunct(r *rand.Rand, rows [][]stream.Value) *model.Expr {
	column := 1 + r.IntN(pruned.Len()-1)
	typ := pruned.Fields[column].Type
	constant := func() *model.Expr {
		v := rows[r.IntN(len(rows))][column]
		if r.IntN(20) == 0 {
			v = stream.NullOf(typ)
		}
		return model.Lit(v)
	}
	side := model.Col(column, typ)
	call := []string{"eq", "lt", "le", "gt", "ge", "in", "ne"}[r.IntN(7)]
	args := []*model.Expr{side, constant()}
	switch {
	case call == "in":
		args = append(args, constant(), constant())
	case r.IntN(3) == 0:
		args[0], args[1] = args[1], args[0]
	case typ == stream.Integer && r.IntN(2) == 0:
		v := args[1].Literal
		args = []*model.Expr{model.Call("cast", stream.BigInt, side), model.Lit(stream.Value{Type: stream.BigInt, Null: v.Null, I: v.I})}
	}
	return model.Call(call, stream.Boolean, args...)
}

// holds evaluates a conjunct, as SQL has it: NULL holds nothing, NaN is the greatest.
func holds(e *model.Expr, row []stream.Value) bool {
	values := make([]stream.Value, len(e.Args))
	for i, a := range e.Args {
		for a.Kind == model.CallExpr {
			a = a.Args[0]
		}
		values[i] = a.Literal
		if a.Kind == model.ColumnExpr {
			values[i] = row[a.Column]
		}
	}
	for _, v := range values[1:] {
		if values[0].Null || v.Null {
			continue
		}
		o := order(values[0], v)
		if map[string]bool{"eq": o == 0, "in": o == 0, "ne": o != 0, "lt": o < 0, "le": o <= 0, "gt": o > 0, "ge": o >= 0}[e.Func] {
			return true
		}
	}
	return false
}

func order(a, b stream.Value) int {
	switch nanA, nanB := a.F != a.F, b.F != b.F; {
	case nanA && nanB:
		return 0
	case nanA:
		return 1
	case nanB:
		return -1
	}
	switch {
	case a.I != b.I:
		return sign(a.I < b.I)
	case a.F != b.F:
		return sign(a.F < b.F)
	case a.S != b.S:
		return sign(a.S < b.S)
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// Whatever the conditions, every row that meets them is kept, and the greatest event time
// of the rows passed over is the one that is reported. With and without page indexes, and
// most of a selective query's rows are passed over.
func TestPruningKeepsWhatIsWanted(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	data, rows := prunedFile(t, 3000, r)
	skipped := 0
	for trial := range 600 {
		f := openBytes(t, data, pruned)
		if trial%4 == 0 {
			forgetIndexes(f)
		}
		var where []*model.Expr
		for range 1 + r.IntN(2) {
			where = append(where, randomConjunct(r, rows))
		}
		time := 0
		if trial%2 == 0 {
			time = -1
		}
		skipped += checkPruned(t, f, data, rows, where, time)
	}
	if skipped < 300*len(rows) {
		t.Errorf("only %d of %d rows were passed over", skipped, 600*len(rows))
	}
}

func checkPruned(t *testing.T, f *File, data []byte, rows [][]stream.Value, where []*model.Expr, time int) (skipped int) {
	t.Helper()
	p := NewPruner(where, time)
	for g := range f.Groups() {
		first, groupRows := f.Group(g)
		ranges, err := p.Group(f, bytes.NewReader(data), g)
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for _, k := range ranges {
			if k.From < at || k.To < k.From || k.To > groupRows {
				t.Fatalf("ranges %v of %d rows", ranges, groupRows)
			}
			greatest := stream.MinTime
			for row := at; row < k.From; row++ {
				if line := rows[first+row]; all(where, line) {
					t.Fatalf("row %d %v is passed over by %v", first+row, line, where)
				} else if time >= 0 {
					greatest = max(greatest, line[time].I)
				}
				skipped++
			}
			if k.Passed != greatest {
				t.Fatalf("event time %d is passed, not %d", k.Passed, greatest)
			}
			at = k.To
		}
		if at != groupRows {
			t.Fatalf("ranges %v of %d rows leave some out", ranges, groupRows)
		}
	}
	return skipped
}

func all(where []*model.Expr, row []stream.Value) bool {
	for _, e := range where {
		if !holds(e, row) {
			return false
		}
	}
	return true
}
