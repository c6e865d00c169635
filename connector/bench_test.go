package connector

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace/millrace/stream"
)

// taskEvents has the columns of a compute cluster's task events.
var taskEvents = stream.NewSchema(
	stream.Field{Name: "ts", Type: stream.BigInt}, stream.Field{Name: "job", Type: stream.BigInt},
	stream.Field{Name: "task", Type: stream.BigInt}, stream.Field{Name: "machine", Type: stream.BigInt},
	stream.Field{Name: "event_type", Type: stream.Integer}, stream.Field{Name: "user", Type: stream.Integer},
	stream.Field{Name: "category", Type: stream.Integer}, stream.Field{Name: "priority", Type: stream.Integer},
	stream.Field{Name: "cpu", Type: stream.Real}, stream.Field{Name: "ram", Type: stream.Real},
	stream.Field{Name: "disk", Type: stream.Real}, stream.Field{Name: "constraints", Type: stream.Integer})

func taskEventRows(rows int, json bool) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	formats := [...]string{"%d,%d,%d,%d,%d,%d,%d,%d,%.3f,%.3f,%.3f,%d\n",
		`{"ts":%d,"job":%d,"task":%d,"machine":%d,"event_type":%d,"user":%d,"category":%d,"priority":%d,"cpu":%.3f,"ram":%.3f,"disk":%.3f,"constraints":%d}` + "\n"}
	format := formats[0]
	if json {
		format = formats[1]
	}
	var out []byte
	for i := range rows {
		machine := r.Int64N(5e9)
		if r.IntN(3) == 0 {
			machine = -1
		}
		out = fmt.Appendf(out, format, i/30, 4_000_000_000+r.Int64N(3e9), r.IntN(2000), machine, r.IntN(5), r.IntN(500),
			r.IntN(4), r.IntN(12), r.Float64()/4, r.Float64()/4, r.Float64()/100, r.IntN(2))
	}
	return out
}

func benchmarkDecode(b *testing.B, options textOptions, data []byte, need func(i int) bool) {
	s := newTextSource(noComputed, "s", taskEvents, options, Env{})
	needed := make([]bool, taskEvents.Len())
	for i := range needed {
		needed[i] = need(i)
	}
	d := s.NewDecoder()
	pool := stream.NewPool(1)
	block := &Block{Data: data, layout: s.positional()}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		batch := pool.Get(taskEvents, needed)
		errs, err := d.Decode(block, batch, nil)
		if err != nil || len(errs) > 0 || batch.Len == 0 {
			b.Fatal(err, errs)
		}
		batch.Release()
	}
}

func BenchmarkCSV(b *testing.B) {
	options := textOptions{format: FormatCSV, dialect: dialect{delimiter: ',', quote: '"'}}
	data := taskEventRows(5000, false)
	b.Run("12of12", func(b *testing.B) { benchmarkDecode(b, options, data, func(int) bool { return true }) })
	b.Run("3of12", func(b *testing.B) {
		benchmarkDecode(b, options, data, func(i int) bool { return i == 0 || i == 6 || i == 8 })
	})
}

// Every text in quotes, as many programs write CSV.
func BenchmarkCSVQuoted(b *testing.B) {
	options := textOptions{format: FormatCSV, dialect: dialect{delimiter: ',', quote: '"'}}
	data := bytes.ReplaceAll(taskEventRows(5000, false), []byte(","), []byte(`","`))
	data = bytes.ReplaceAll(data, []byte("\n"), []byte("\"\n\""))
	data = append([]byte{'"'}, data[:len(data)-1]...)
	benchmarkDecode(b, options, data, func(i int) bool { return i == 0 || i == 6 || i == 8 })
}

// The part of reading that one goroutine does for each partition.
func BenchmarkReader(b *testing.B) {
	plain := taskEventRows(50_000, false)
	for name, data := range map[string][]byte{"plain": plain, "quoted": bytes.ReplaceAll(plain, []byte(",-1,"), []byte(`,"-1",`))} {
		b.Run(name, func(b *testing.B) {
			src := open(b, testOptions(writeFile(b, "in.csv", string(data))), taskEvents, Env{})
			b.SetBytes(int64(len(data)))
			var block Block
			for b.Loop() {
				r, err := src.Reader(context.Background(), 0, Position{})
				for err == nil {
					err = r.Next(context.Background(), &block)
				}
				r.Close()
			}
		})
	}
}

func BenchmarkNDJSON(b *testing.B) {
	options := textOptions{format: FormatNDJSON}
	data := taskEventRows(2000, true)
	b.Run("12of12", func(b *testing.B) { benchmarkDecode(b, options, data, func(int) bool { return true }) })
	b.Run("3of12", func(b *testing.B) {
		benchmarkDecode(b, options, data, func(i int) bool { return i == 0 || i == 6 || i == 8 })
	})
}

func BenchmarkEncode(b *testing.B) {
	data := taskEventRows(2000, false)
	s := newTextSource(noComputed, "s", taskEvents, textOptions{format: FormatCSV, dialect: dialect{delimiter: ',', quote: '"'}}, Env{})
	batch := stream.NewBatch(taskEvents, nil)
	if _, err := s.NewDecoder().Decode(&Block{Data: data, layout: s.positional()}, batch, nil); err != nil {
		b.Fatal(err)
	}
	for _, format := range []string{FormatNDJSON, FormatCSV} {
		b.Run(format, func(b *testing.B) {
			e, err := NewEncoder(format, taskEvents, taskEvents.Visible(), "")
			if err != nil {
				b.Fatal(err)
			}
			var out []byte
			for b.Loop() {
				out = e.Encode(out[:0], batch, 0, batch.Len)
			}
			b.SetBytes(int64(len(out)))
		})
	}
}
