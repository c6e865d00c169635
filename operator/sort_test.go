package operator_test

import (
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// TestSortAtTheEndOfTime: a window that would end behind the end of time ends there. It is
// one window however often the watermark is there before the input ends, and its rows are
// never behind the sorter's watermark, which does not fall.
func TestSortAtTheEndOfTime(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "x", Type: stream.BigInt},
		stream.Field{Name: "window_start", Type: stream.Timestamp, NotNull: true, Role: stream.WindowStart},
		stream.Field{Name: "window_end", Type: stream.Timestamp, NotNull: true, Role: stream.WindowEnd},
		stream.Field{Name: "window_time", Type: stream.Timestamp, NotNull: true, Role: stream.WindowTime})
	rel := model.Relation{Schema: schema, Time: 3, Window: &model.Window{Kind: model.Range, Size: 10, Slide: 10}}
	op := &model.Operator{Kind: model.SortOp, Relation: rel, Sort: &model.Sort{Limit: -1, Keys: []model.SortKey{{Column: 0}}}}
	fn, err := operator.NewSort(operator.Env{Pool: stream.NewPool(8), BufferBytesMax: 1 << 20, Lanes: 1}, operator.Side{Relation: rel}, op, nil)
	if err != nil {
		t.Fatal(err)
	}
	mark, out := stream.MinTime, []int64{}
	feed := func(watermark int64, ended bool, values ...int64) {
		t.Helper()
		b := stream.NewBatch(schema, nil)
		for _, x := range values {
			at := func(v int64) stream.Value { return stream.Value{Type: stream.Timestamp, I: v} }
			b.AppendRow([]stream.Value{stream.Big(x), at(stream.MaxTime - 5), at(stream.MaxTime), at(stream.MaxTime - 1)})
		}
		task := &operator.Task{Spans: []stream.Span{{Batch: b, From: 0, To: b.Len}}, Rows: b.Len, Watermark: watermark, End: ended}
		p, err := fn.Batch(task, fn.NewScratch())
		if err == nil {
			err = fn.Assemble(task, p)
		}
		if err != nil {
			t.Fatal(err)
		}
		for {
			rows, err := fn.Next()
			if err != nil {
				t.Fatal(err)
			}
			if rows == nil {
				break
			}
			for i := range rows.Len {
				row := rows.Row(i)
				if out = append(out, row[0].I); row[3].I < mark {
					t.Errorf("a row at %d is behind the watermark %d", row[3].I, mark)
				}
			}
			rows.Release()
		}
		if now := fn.Watermark(); now < mark {
			t.Errorf("the watermark fell from %d to %d", mark, now)
		} else {
			mark = now
		}
	}
	feed(6, false)
	feed(stream.MaxTime, false, 3, 2)
	if len(out) != 0 {
		t.Errorf("%v were put out before the window was complete", out)
	}
	feed(stream.MaxTime, false, 1)
	feed(stream.MaxTime, true, 0)
	if len(out) != 4 || out[0] != 0 || out[1] != 1 || out[2] != 2 || out[3] != 3 || mark != stream.MaxTime {
		t.Errorf("put out %v, want 0 1 2 3; the watermark is %d", out, mark)
	}
}
