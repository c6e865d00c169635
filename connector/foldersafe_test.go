package connector

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
)

// What else is in a folder, or comes into it, is left as it is: these tests hold that a
// sink touches its own files only, and that nothing is lost without an error.

func TestPartNames(t *testing.T) {
	for _, extension := range []string{".csv", ".csv.gz", ".ndjson.zst", ".parquet", ".arrow", ".avro"} {
		if id, n, ok := parsePart(partName("5f3a9c01", 17, extension)); id != "5f3a9c01" || n != 17 || !ok {
			t.Errorf("%s: %s %d %v", extension, id, n, ok)
		}
	}
	for _, name := range []string{
		"", "part-", "part-5f3a9c01", "part-5f3a9c01-", "part-5f3a9c01-1", "part-5f3a9c01-1.", "part-5f3a9c01-1.txt", "part-5f3a9c01-1.csv.bak", "part-5f3a9c01-1.csv.gz.bak",
		"part-5f3a9c01-1.parquet.crc", "part-5f3a9c01-1.parquet.gz", "part-5f3a9c01-01.csv", "part-5f3a9c01-+1.csv", "part-5f3a9c01--1.csv", "part-5f3a9c01-1x.csv", "part-5f3a9c01-1 (copy).csv",
		"part-5F3A9C01-1.csv", "part-5f3a9c0-1.csv", "part-5f3a9c0g-1.csv", "part-5f3a9c0100-1.csv", "apart-5f3a9c01-1.csv", "part-5f3a9c01-99999999999999999999.csv",
	} {
		if id, n, ok := parsePart(name); ok {
			t.Errorf("%s is taken for part %d of job %s", name, n, id)
		}
	}
}

// A part does not replace a file that has its name already, on file systems with links and
// without them.
func TestPartsReplaceNothing(t *testing.T) {
	for _, format := range []string{FormatCSV, FormatParquet} {
		dir := filepath.Join(t.TempDir(), "out")
		s := openFolderAt(t, dir+"/", format)
		if err := s.WriteBatch(threeRows([2]string{"x", "1"}), 0, 1); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, partName(s.(*folderSink).id, 0, "."+format))
		writeAs(t, path, []byte("somebody's"))
		for range 2 {
			if err := s.Close(); err == nil || !strings.Contains(err.Error(), path+": a file of this name is there") {
				t.Errorf("a part whose name is taken: %v", err)
			}
		}
		sameLines(t, "left", tree(t, dir), []string{"part-0." + format})
		if got := contents(t, path); got != "somebody's" {
			t.Errorf("another's file has become %q", got)
		}
	}
	dir := t.TempDir()
	if err := publish(filepath.Join(dir, "none"), filepath.Join(dir, "final")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "cannot write "+filepath.Join(dir, "final")) {
		t.Errorf("there is nothing to be published: %v", err)
	}
}

// A job that goes on takes back its own parts and no other file, also from folders that are
// links, such as to another file system.
func TestRestoredFolderKeepsOthers(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if shm, err := os.MkdirTemp("/dev/shm", "millrace-test-"); err == nil {
		elsewhere = shm
		t.Cleanup(func() { _ = os.RemoveAll(shm) })
	}
	if err := os.Symlink(elsewhere, filepath.Join(dir, "b=1")); err != nil {
		t.Fatal(err)
	}
	s := openFolderAt(t, dir, FormatCSV, "partitioned_by", "b")
	write := func(s BatchSink, name string) {
		t.Helper()
		if err := s.WriteBatch(threeRows([2]string{name, "1"}), 0, 1); err != nil {
			t.Fatal(err)
		}
	}
	write(s, "kept")
	var saved, lost state.Writer
	s.Snapshot(&saved)
	write(s, "lost")
	s.Snapshot(&lost) // commits
	id := s.(*folderSink).id
	foreign := []string{"part-" + id + "-1.csv.bak", "part-" + id + "-1.txt", "part-" + id + "-2 (copy).csv", "part-" + id + "0-3.csv", ".part-x.csv.inprogress", ".part-" + id + "-9.csv.inprogress.5f"}
	for _, name := range foreign {
		writeAs(t, filepath.Join(elsewhere, name), []byte("a\n"))
	}
	dead := filepath.Join(elsewhere, ".part-"+id+"-8.csv.inprogress")
	writeAs(t, dead, []byte("half"))
	s.Abort()

	s = openFolderAt(t, dir, FormatCSV, "partitioned_by", "b")
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a dead job left in a folder that is a link: %v", err)
	}
	if err := s.Restore(state.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	for _, name := range foreign {
		if err := os.Remove(filepath.Join(elsewhere, name)); err != nil {
			t.Errorf("another's file was taken away: %v", err)
		}
	}
	write(s, "again")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sameLines(t, "rows", rowsIn(t, dir, FormatCSV, "partitioned_by", "b"), []string{`{"a":"again","b":"1","c":0}`, `{"a":"kept","b":"1","c":0}`})
}

// The number of a job is none that parts in the folder have.
func TestJobsNumbersDiffer(t *testing.T) {
	dir := t.TempDir()
	s := openFolderAt(t, dir, FormatCSV)
	other := openFolderAt(t, dir, FormatCSV)
	if a, b := s.(*folderSink).id, other.(*folderSink).id; a == b || !isPartID(a) || !isPartID(b) {
		t.Errorf("%s and %s", a, b)
	}
	if id, err := drawPartID(filepath.Join(dir, "none")); err == nil {
		t.Errorf("%s was drawn for a folder that cannot be read", id)
	}
}

// A file of columns that a job writes beside the one it has finished replaces none.
func TestColumnFilesReplaceNothing(t *testing.T) {
	for _, format := range columnFormats {
		dir := t.TempDir()
		path, foreign := filepath.Join(dir, "out."+format), filepath.Join(dir, "out-1."+format)
		open := func() *columnSink {
			s, err := OpenSink(&model.Sink{Connector: "file", Options: map[string]string{"path": path}}, threeTexts, threeTexts.Visible(), Env{})
			if err != nil {
				t.Fatal(err)
			}
			return s.(*columnSink)
		}
		s := open()
		err := s.WriteBatch(threeRows([2]string{"x", "1"}), 0, 1)
		var w state.Writer
		s.Snapshot(&w)
		if err = errors.Join(err, s.Close(), os.Remove(path)); err != nil {
			t.Fatal(err)
		}
		writeAs(t, foreign, []byte("somebody's"))
		s = open()
		if err := errors.Join(s.Restore(state.NewReader(w.Bytes())), s.WriteBatch(threeRows([2]string{"y", "1"}), 0, 1), s.Close()); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, foreign); got != "somebody's" {
			t.Errorf("another's file has become %q", got)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("an empty file has come where one was taken away: %v", err)
		}
		sameLines(t, format, rowsIn(t, filepath.Join(dir, "out-*-1."+format), format), []string{`{"a":"y","b":"1","c":0}`})

		var bad state.Writer
		bad.Int(1)
		bad.Int(0)
		bad.Text("../../x")
		s = open()
		if err := s.Restore(state.NewReader(bad.Bytes())); err == nil || !strings.Contains(err.Error(), "is no number of a job") {
			t.Errorf("a number that is none: %v", err)
		}
		s.Abort()
	}
}

// A file of text is cut back only if it is the one that the job wrote.
func TestTextFileIsStillTheJobs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.csv")
	for _, rows := range []int{1, 2000} {
		s := openSinkAt(t, path)
		err := s.Write([]byte(strings.Repeat("x,y,1\n", rows)))
		var w state.Writer
		s.Snapshot(&w)
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		own := contents(t, path)
		foreign := strings.Repeat("somebody's rows\n", len(own))
		writeAs(t, path, []byte(foreign))
		s = openSinkAt(t, path)
		if err := s.Restore(state.NewReader(w.Bytes())); err == nil || !strings.Contains(err.Error(), "another file has been put in its place") {
			t.Errorf("another file: %v", err)
		}
		s.Abort()
		if got := contents(t, path); got != foreign {
			t.Errorf("%d rows: another's file has now %d bytes", rows, len(got))
		}
		writeAs(t, path, []byte(own+"x,y,2\n"))
		s = openSinkAt(t, path)
		if err := errors.Join(s.Restore(state.NewReader(w.Bytes())), s.Close()); err != nil || contents(t, path) != own {
			t.Errorf("%d rows: its own file: %v", rows, err)
		}
	}
}
