package connector

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
)

func openSinkAt(t *testing.T, path string, pairs ...string) ByteSink {
	t.Helper()
	options := testOptions(path, pairs...)
	info, err := CheckSink(options, threeTexts.Fields)
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenSink(&model.Sink{Connector: info.Connector, Options: info.Options}, threeTexts, threeTexts.Visible(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	return s.(ByteSink)
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFileSink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.csv")
	writeAs(t, path, []byte("something old that is longer than what comes\nand more\nand more\n"))
	s := openSinkAt(t, path)
	if err := errors.Join(s.Write([]byte("x,y,1\n")), s.Flush()); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); got != "a,b,c\nx,y,1\n" {
		t.Errorf("after a flush: %q", got)
	}
	var w state.Writer
	s.Snapshot(&w)
	s.Write([]byte("x,y,2\n"))
	s.Abort()
	s.Abort()
	if got := contents(t, path); got != "a,b,c\nx,y,1\nx,y,2\n" {
		t.Errorf("after giving up: %q", got)
	}
	s = openSinkAt(t, path)
	if err := errors.Join(s.Restore(state.NewReader(w.Bytes())), s.Write([]byte("x,y,3\n")), s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); got != "a,b,c\nx,y,1\nx,y,3\n" {
		t.Errorf("restored: %q", got)
	}
	if err := s.Write([]byte("x")); err == nil {
		t.Error("a closed sink takes rows")
	}
	writeAs(t, path, []byte("short"))
	s = openSinkAt(t, path)
	if err := s.Restore(state.NewReader(w.Bytes())); err == nil || !strings.Contains(err.Error(), "it has 5 bytes") {
		t.Errorf("a file shorter than the checkpoint: %v", err)
	}
	s.Abort()
	if got := contents(t, path); got != "short" {
		t.Errorf("a sink that began nothing changed the file: %q", got)
	}
	s = openSinkAt(t, path, "header", "false")
	if err := s.Close(); err != nil || contents(t, path) != "" {
		t.Errorf("no rows: %v %q", err, contents(t, path))
	}
}

func TestCompressedSink(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"o.ndjson.gz", "o.ndjson.zst"} {
		path := filepath.Join(dir, name)
		s := openSinkAt(t, path)
		var w state.Writer
		if err := errors.Join(s.Write([]byte(`{"a":"x"}`+"\n")), s.Flush(), s.Write([]byte(`{"a":"y"}`+"\n")), s.Close()); err != nil {
			t.Fatal(err)
		}
		sameLines(t, name, readAll(t, open(t, testOptions(path), threeTexts, Env{}), 0, Position{}).lines,
			[]string{`{"a":"x","b":null,"c":null} @1 {"a":"x"}`, `{"a":"y","b":null,"c":null} @2 {"a":"y"}`})
		s = openSinkAt(t, path)
		err := s.Write([]byte(`{"a":"kept"}` + "\n"))
		s.Snapshot(&w)
		s.Write([]byte(`{"a":"taken back"}` + "\n"))
		s.Abort()
		s = openSinkAt(t, path)
		if err = errors.Join(err, s.Restore(state.NewReader(w.Bytes())), s.Write([]byte(`{"a":"more"}`+"\n")), s.Close()); err != nil {
			t.Fatal(err)
		}
		sameLines(t, name, readAll(t, open(t, testOptions(path), threeTexts, Env{}), 0, Position{}).lines,
			[]string{`{"a":"kept","b":null,"c":null} @1 {"a":"kept"}`, `{"a":"more","b":null,"c":null} @2 {"a":"more"}`})
		s = openSinkAt(t, path)
		s.Write([]byte(`{"a":"z"}` + "\n"))
		s.Abort()
	}
	f, err := os.Open(filepath.Join(dir, "o.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || string(b) != `{"a":"z"}`+"\n" {
		t.Errorf("given up: %q %v", b, err)
	}
}

// fullDisk takes room bytes.
type fullDisk struct {
	bytes.Buffer
	room int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room-d.Len())
	d.Buffer.Write(p[:n])
	if n < len(p) {
		return n, &os.PathError{Op: "write", Path: "out", Err: syscall.ENOSPC}
	}
	return n, nil
}
func (d *fullDisk) Truncate(n int64) error             { d.Buffer.Truncate(int(n)); return nil }
func (d *fullDisk) Seek(n int64, _ int) (int64, error) { return n, nil }
func (d *fullDisk) Sync() error                        { return nil }
func (d *fullDisk) Close() error                       { return nil }

func TestFullDisk(t *testing.T) {
	row := "x,\"two\nlines\",1\n"
	for room := range 60 {
		disk := &fullDisk{room: room}
		s := &fileSink{name: "out.csv", file: disk, regular: true, schema: threeTexts, visible: []int{0, 1, 2},
			options: sinkOptions{format: FormatCSV, dialect: dialect{delimiter: ',', quote: '"'}, compression: compressNone}}
		err := s.Write([]byte(row + row + row + row))
		if err == nil {
			err = s.Flush()
		}
		if err == nil || err.Error() != "cannot write out.csv: no space left on device" {
			t.Fatalf("room %d: %v", room, err)
		}
		if got, want := disk.String(), strings.Repeat(row, room/len(row)); got != want {
			t.Fatalf("room %d: %q", room, got)
		}
		if again := s.Write([]byte(row)); again != err {
			t.Errorf("after a failure: %v", again)
		}
		s.Abort()
	}
}

func TestClosedPipe(t *testing.T) {
	in, out := io.Pipe()
	in.Close()
	s, err := OpenSink(&model.Sink{Connector: "print", Options: map[string]string{"format": "csv"}}, threeTexts, []int{0, 2}, Env{Stdout: out})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.(ByteSink).Write([]byte("x,1\n")); err != nil {
		t.Fatal(err)
	}
	if err := s.(ByteSink).Flush(); !errors.Is(err, ErrClosedPipe) {
		t.Error(err)
	}
	if err := s.Close(); !errors.Is(err, ErrClosedPipe) {
		t.Error(err)
	}
	if !errors.Is(writeError("x", &os.PathError{Err: syscall.EPIPE}), ErrClosedPipe) {
		t.Error("EPIPE is not told apart")
	}
}

func TestStdoutSink(t *testing.T) {
	var out bytes.Buffer
	s, _ := OpenSink(&model.Sink{Connector: "stdout", Options: map[string]string{"format": "csv"}}, threeTexts, []int{0, 2}, Env{Stdout: &out})
	var w state.Writer
	s.Snapshot(&w)
	if err := errors.Join(s.(ByteSink).Write([]byte("x,1\n")), s.Close()); err != nil || out.String() != "a,c\nx,1\n" {
		t.Errorf("%q %v", out.String(), err)
	}
	out.Reset()
	s, _ = OpenSink(&model.Sink{Connector: "stdout", Options: map[string]string{"format": "csv"}}, threeTexts, []int{0, 2}, Env{Stdout: &out})
	if err := errors.Join(s.Restore(state.NewReader(w.Bytes())), s.Close()); err != nil || out.String() != "" {
		t.Errorf("restored: %q %v", out.String(), err)
	}
	hole, _ := OpenSink(&model.Sink{Connector: "blackhole"}, threeTexts, nil, Env{})
	if err := errors.Join(hole.(BatchSink).WriteBatch(nil, 3, 5), hole.(BatchSink).Flush(), hole.Close()); err != nil || hole.(*blackhole).rows != 2 {
		t.Error("blackhole:", err)
	}
}
