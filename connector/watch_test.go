package connector

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

func putFile(t *testing.T, path, text string) {
	t.Helper()
	hidden := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	writeAs(t, hidden, []byte(text))
	if err := os.Rename(hidden, path); err != nil {
		t.Fatal(err)
	}
}

// takeRows reads rows of a live source until there are n.
func takeRows(t *testing.T, s Source, r Reader, n int) (out []string, last Position) {
	t.Helper()
	d := s.NewDecoder()
	for b := (&Block{}); len(out) < n; {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := r.Next(ctx, b)
		cancel()
		if err != nil {
			t.Fatalf("after %q: %v", out, err)
		}
		batch := stream.NewBatch(threeTexts, nil)
		errs, err := d.Decode(b, batch, nil)
		if err != nil || len(errs) > 0 {
			t.Fatal(err, errs)
		}
		for i := range batch.Len {
			out = append(out, string(AppendJSONRow(nil, batch, []int{0}, i)))
		}
		last = b.End
	}
	return out, last
}

// nothingComes reports whether the source stays silent for some looks.
func nothingComes(t *testing.T, r Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	b := &Block{}
	if err := r.Next(ctx, b); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%q of %s came, %v", b.Data, b.File, err)
	}
}

func watchedOptions(dir string) map[string]string {
	return testOptions(dir, "format", "csv", "header", "false", "source.monitor-interval", "10 ms")
}

func TestWatchedFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.csv", "a.csv"} {
		putFile(t, filepath.Join(dir, name), name+",y,1\n")
	}
	for _, name := range []string{".c.csv", "_c.csv", "c.csv.tmp", "c.csv.inprogress"} {
		writeAs(t, filepath.Join(dir, name), []byte("unfinished,y,1\n"))
	}
	s := open(t, watchedOptions(dir), threeTexts, Env{})
	if s.Bounded() || !s.Live() {
		t.Error("a watched folder has an end")
	}
	r, err := s.Reader(t.Context(), 0, Position{})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := takeRows(t, s, r, 2)
	sameLines(t, "at the start", got, []string{`{"a":"a.csv"}`, `{"a":"b.csv"}`})
	nothingComes(t, r)
	putFile(t, filepath.Join(dir, "a0.csv"), "a0,y,1\n")
	got, _ = takeRows(t, s, r, 1)
	sameLines(t, "later", got, []string{`{"a":"a0"}`})

	writeAs(t, filepath.Join(dir, "a.csv"), []byte("a.csv,y,1\nmore,y,1\n"))
	nothingComes(t, r)
	nothingComes(t, r)
	if n := s.(Filed).Files().Changed; n != 1 || len(s.Warnings()) != 1 || !strings.Contains(s.Warnings()[0], "a.csv has changed") {
		t.Errorf("%d files have changed, %q", n, s.Warnings())
	}
	// A file that was taken away may come again.
	if err := os.Remove(filepath.Join(dir, "b.csv")); err != nil {
		t.Fatal(err)
	}
	nothingComes(t, r)
	putFile(t, filepath.Join(dir, "b.csv"), "again,y,1\n")
	got, _ = takeRows(t, s, r, 1)
	sameLines(t, "again", got, []string{`{"a":"again"}`})
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.Next(ctx, &Block{}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("the folder is gone: %v", err)
	}
}

// A source that goes on from what another one remembers reads every row once, wherever
// that one stopped.
func TestWatchedFolderRemembers(t *testing.T) {
	dir, rows := t.TempDir(), 0
	put := func(name string, n int) {
		var sb strings.Builder
		for range n {
			sb.WriteString(strconv.Itoa(rows) + ",y,1\n")
			rows++
		}
		putFile(t, filepath.Join(dir, name), sb.String())
	}
	put("b.csv", 5)
	put("c.csv", 4)
	put("d.csv", 1)
	for stop := 1; stop <= 10; stop++ {
		first := open(t, watchedOptions(dir), threeTexts, Env{BlockBytes: 8})
		r, err := first.Reader(t.Context(), 0, Position{})
		if err != nil {
			t.Fatal(err)
		}
		got, at := takeRows(t, first, r, stop)
		for range stop % 3 { // it may be ahead, and have seen the end of its file
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			_ = r.Next(ctx, &Block{})
			cancel()
		}
		places := []Position{at}
		var w state.Writer
		first.(Remembering).Remember(&w, places)
		_ = r.Close()

		early := filepath.Join(dir, "a.csv") // sorts before those that were read
		putFile(t, early, "early,y,1\n")
		second := open(t, watchedOptions(dir), threeTexts, Env{BlockBytes: 8})
		if err := second.(Remembering).Recall(state.NewReader(w.Bytes()), places); err != nil {
			t.Fatal(err)
		}
		if r, err = second.Reader(t.Context(), 0, places[0]); err != nil {
			t.Fatal(err)
		}
		rest, _ := takeRows(t, second, r, 11-stop)
		seen := map[string]int{}
		for _, row := range append(got, rest...) {
			seen[row]++
		}
		if len(seen) != 11 {
			t.Errorf("stopped behind %d rows: %q, then %q", stop, got, rest)
		}
		nothingComes(t, r)
		_ = r.Close()
		if err := os.Remove(early); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWatchIsRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.csv")
	writeAs(t, file, []byte("x,y,1\n"))
	for _, c := range []struct {
		options map[string]string
		want    string
	}{
		{testOptions(file, "watch", "1 s"), "is a file; a folder or a glob can be watched"},
		{testOptions(dir, "format", "csv", "watch", "1 ms"), "cannot be \"1 ms\""},
		{testOptions(dir, "format", "csv", "watch", "soon"), "cannot be \"soon\""},
		{testOptions(filepath.Join(dir, "none"), "format", "csv", "watch", "1 s"), "folder not found"},
		{testOptions(dir, "format", "csv", "watch", "1 s", "follow", "true"), "either followed or watched"},
		{testOptions(dir, "format", "csv", "watch", "1 s", "partitions", "per-file"), "one partition"},
		{testOptions(dir, "format", "csv", "watch", "1 s", "source.monitor-interval", "1 s"), "are the same"},
		{testOptions(dir, "format", "csv", "partitioned_by", "d"), "column \"d\" is not declared"},
		{testOptions(dir, "format", "csv", "partitioned_by", "a,a"), "twice"},
		{testOptions(dir, "format", "csv", "partitioned_by", "a,b,c"), "nothing is left"},
	} {
		_, err := CheckSource(c.options, threeTexts.Fields)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, not %s", c.options, err, c.want)
		}
	}
}

// Columns of PARTITIONED BY come from the names of folders, in every format.
func TestPartitionedSource(t *testing.T) {
	dir := t.TempDir()
	for folder, row := range map[string]string{
		"b=1/c=x": "r1", "b=2/c=y%2Fz": "r2", "b=10/c=" + nullPartition: "r3", "other/b=3/c=w": "r4",
	} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		writeAs(t, filepath.Join(dir, folder, "part.csv"), []byte(row+"\n"))
		writeAs(t, filepath.Join(dir, folder, "_SUCCESS"), nil)
	}
	schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.Varchar}, stream.Field{Name: "b", Type: stream.BigInt}, stream.Field{Name: "c", Type: stream.Varchar})
	options := testOptions(dir, "format", "csv", "header", "false", "partitioned_by", "b,c")
	info, err := CheckSource(options, schema.Fields)
	if err != nil {
		t.Fatal(err)
	}
	src := &model.Source{Connector: info.Connector, Options: info.Options}
	s, err := OpenSource("s", src, schema, Reading{Time: -1}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	got := readAll(t, s, 0, Position{})
	sameLines(t, "all", got.lines, []string{`{"a":"r1","b":1,"c":"x"} @1 r1`, `{"a":"r3","b":10,"c":null} @1 r3`, `{"a":"r2","b":2,"c":"y/z"} @1 r2`})

	two := model.Call("ge", stream.Boolean, model.Col(1, stream.BigInt), model.Lit(stream.Value{Type: stream.BigInt, I: 2}))
	x := model.Call("eq", stream.Boolean, model.Col(2, stream.Varchar), model.Lit(stream.Value{Type: stream.Varchar, S: "y/z"}))
	for i, want := range []int64{1, 2, 0} {
		reading := Reading{Where: []*model.Expr{two, x}[:min(i+1, 2)], Time: -1}
		if want == 0 {
			reading.Time = 0 // what is not read would have moved event time
		}
		if s, err = OpenSource("s", src, schema, reading, Env{}); err != nil {
			t.Fatal(err)
		}
		if n := s.(Filed).Files().Passed; n != want {
			t.Errorf("%d files are left out, not %d", n, want)
		}
	}
	writeAs(t, filepath.Join(dir, "b=1", "stray.csv"), []byte("r5\n"))
	if _, err = OpenSource("s", src, schema, Reading{Time: -1}, Env{}); err == nil || !strings.Contains(err.Error(), "wants it in a folder called c=value") {
		t.Errorf("a file in no folder: %v", err)
	}
}

// Every format can be watched, and gone on with.
func TestWatchedFormats(t *testing.T) {
	for _, format := range Formats() {
		dir := t.TempDir()
		add := func(name string) {
			t.Helper()
			s := openFolderAt(t, dir, format)
			if err := errors.Join(s.WriteBatch(threeRows([2]string{name, "1"}), 0, 1), s.Close()); err != nil {
				t.Fatal(err)
			}
		}
		options := testOptions(dir, "format", format, "watch", "10 ms")
		first := open(t, options, threeTexts, Env{})
		if first.Bounded() || !first.Live() {
			t.Errorf("%s: a watched folder has an end", format)
		}
		r, err := first.Reader(t.Context(), 0, Position{})
		if err != nil {
			t.Fatal(err)
		}
		add("one")
		got, _ := takeRows(t, first, r, 1)
		add("two")
		more, at := takeRows(t, first, r, 1)
		places := []Position{at}
		var w state.Writer
		first.(Remembering).Remember(&w, places)
		if err := errors.Join(r.Close(), first.Close()); err != nil {
			t.Fatal(err)
		}
		add("three")
		second := open(t, options, threeTexts, Env{})
		if err := second.(Remembering).Recall(state.NewReader(w.Bytes()), places); err != nil {
			t.Fatal(err)
		}
		if r, err = second.Reader(t.Context(), 0, places[0]); err != nil {
			t.Fatal(err)
		}
		rest, _ := takeRows(t, second, r, 1)
		sameLines(t, format, append(append(got, more...), rest...), []string{`{"a":"one"}`, `{"a":"two"}`, `{"a":"three"}`})
		nothingComes(t, r)
		if err := errors.Join(r.Close(), second.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
