package connector

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/leak"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

func openFolderAt(t *testing.T, path, format string, pairs ...string) BatchSink {
	t.Helper()
	info, err := CheckSink(testOptions(path, append(pairs, "format", format)...), threeTexts.Fields)
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenSink(&model.Sink{Connector: info.Connector, Options: info.Options}, threeTexts, threeTexts.Visible(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Abort)
	return s.(BatchSink)
}

// threeRows are rows of threeTexts; a text "NULL" is NULL.
func threeRows(rows ...[2]string) *stream.Batch {
	b := stream.NewBatch(threeTexts, nil)
	for i, r := range rows {
		values := []stream.Value{{Type: stream.Varchar, S: r[0]}, {Type: stream.Varchar, S: r[1]}, {Type: threeTexts.Fields[2].Type, I: int64(i)}}
		values[1].Null = r[1] == "NULL"
		b.AppendRow(values)
	}
	return b
}

var partNumber = regexp.MustCompile(`part-[0-9a-f]{8}-`)

// tree lists all files below a folder, with the drawn part of names left out.
func tree(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(dir, path)
			out = append(out, partNumber.ReplaceAllString(filepath.ToSlash(name), "part-"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// rowsIn reads the columns of a folder back, sorted.
func rowsIn(t *testing.T, dir, format string, pairs ...string) []string {
	t.Helper()
	options := testOptions(dir, append(pairs, "format", format)...)
	var out []string
	src := open(t, options, threeTexts, Env{})
	defer src.Close()
	for _, line := range readAll(t, src, 0, Position{}).lines {
		row, _, _ := strings.Cut(line, " @")
		out = append(out, row)
	}
	slices.Sort(out)
	return out
}

func TestFolderSink(t *testing.T) {
	for _, format := range []string{FormatCSV, FormatNDJSON, FormatParquet, FormatArrow, FormatAvro} {
		t.Run(format, func(t *testing.T) {
			leak.Check(t)
			dir := filepath.Join(t.TempDir(), "out")
			s := openFolderAt(t, dir, format, "partitioned_by", "b", "sink.partition-commit.policy.kind", "success-file")
			b := threeRows([2]string{"x", "1"}, [2]string{"y", "a/b=c%"}, [2]string{"z", "NULL"}, [2]string{"u", "1"}, [2]string{"v", ""}, [2]string{"w", nullPartition})
			if err := errors.Join(s.WriteBatch(b, 0, 6), s.WriteBatch(b, 3, 4), s.Flush()); err != nil {
				t.Fatal(err)
			}
			for _, f := range tree(t, dir) {
				if !unfinished(filepath.Base(f)) {
					t.Errorf("%s can be seen before it is whole", f)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			folders := []string{"b=", "b=%5F" + nullPartition[1:], "b=1", "b=" + nullPartition, "b=a%2Fb%3Dc%25"}
			var files []string
			for _, f := range tree(t, dir) {
				files = append(files, filepath.Dir(f)+"/"+strings.TrimLeft(filepath.Base(f), "part-0123456789"))
			}
			var want []string
			for _, f := range folders {
				want = append(want, f+"/_SUCCESS", f+"/."+format)
			}
			slices.Sort(files)
			slices.Sort(want)
			sameLines(t, "files", files, want)
			sameLines(t, "rows", rowsIn(t, dir, format, "partitioned_by", "b"), []string{
				`{"a":"u","b":"1","c":3}`, `{"a":"u","b":"1","c":3}`, `{"a":"v","b":"","c":4}`, `{"a":"w","b":"` + nullPartition + `","c":5}`,
				`{"a":"x","b":"1","c":0}`, `{"a":"y","b":"a/b=c%","c":1}`, `{"a":"z","b":null,"c":2}`,
			})
		})
	}
}

// Files are finished when they are large or old enough, or too many.
func TestFolderSinkRolls(t *testing.T) {
	row := threeRows([2]string{strings.Repeat("x", 300<<10), "1"})
	dir := filepath.Join(t.TempDir(), "large")
	s := openFolderAt(t, dir, FormatNDJSON, "sink.rolling-policy.file-size", "500 kB")
	for range 5 {
		if err := s.WriteBatch(row, 0, 1); err != nil {
			t.Fatal(err)
		}
	}
	sameLines(t, "large", tree(t, dir), []string{".part-2.ndjson.inprogress", "part-0.ndjson", "part-1.ndjson"})
	s.Abort()
	sameLines(t, "given up", tree(t, dir), []string{"part-0.ndjson", "part-1.ndjson"})

	for _, option := range []string{"sink.rolling-policy.rollover-interval", "sink.rolling-policy.inactivity-interval"} {
		dir = filepath.Join(t.TempDir(), "old")
		s = openFolderAt(t, dir, FormatCSV, option, "20 ms")
		if err := s.WriteBatch(row, 0, 1); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); !slices.Equal(tree(t, dir), []string{"part-0.csv"}); time.Sleep(5 * time.Millisecond) {
			if time.Since(began) > 10*time.Second {
				t.Fatalf("%s: %q after 10 s", option, tree(t, dir))
			}
		}
		s.Abort()
	}

	dir = filepath.Join(t.TempDir(), "many")
	s = openFolderAt(t, dir, FormatCSV, "partitioned_by", "b")
	var rows [][2]string
	for i := range OpenPartsMax + 3 {
		rows = append(rows, [2]string{"x", fmt.Sprint(i)})
	}
	if err := s.WriteBatch(threeRows(rows...), 0, len(rows)); err != nil {
		t.Fatal(err)
	}
	done := slices.DeleteFunc(tree(t, dir), func(f string) bool { return unfinished(filepath.Base(f)) })
	sameLines(t, "those used least recently", done, []string{"b=0/part-0.csv", "b=1/part-1.csv", "b=2/part-2.csv"})
}

// A sink that goes on from a snapshot takes back what was committed since, and nothing else.
func TestFolderSinkGoesOn(t *testing.T) {
	for _, format := range []string{FormatCSV, FormatParquet} {
		dir := filepath.Join(t.TempDir(), "out") + "/"
		other := openFolderAt(t, dir, format, "partitioned_by", "b")
		if err := errors.Join(other.WriteBatch(threeRows([2]string{"other", "1"}), 0, 1), other.Close()); err != nil {
			t.Fatal(err)
		}
		first := openFolderAt(t, dir, format, "partitioned_by", "b")
		write := func(s BatchSink, name, folder string) {
			t.Helper()
			if err := s.WriteBatch(threeRows([2]string{name, folder}), 0, 1); err != nil {
				t.Fatal(err)
			}
		}
		write(first, "before", "1")
		var w state.Writer
		first.Snapshot(&w)
		write(first, "since", "2")
		var lost state.Writer
		first.Snapshot(&lost) // commits
		write(first, "open", "3")

		second := openFolderAt(t, dir, format, "partitioned_by", "b")
		if n := len(tree(t, dir)); n != 4 {
			t.Errorf("%q: what a living job writes is in progress", tree(t, dir))
		}
		first.Abort()
		if err := second.Restore(state.NewReader(w.Bytes())); err != nil {
			t.Fatal(err)
		}
		write(second, "again", "1")
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
		sameLines(t, format, rowsIn(t, dir, format, "partitioned_by", "b"), []string{`{"a":"again","b":"1","c":0}`, `{"a":"before","b":"1","c":0}`, `{"a":"other","b":"1","c":0}`})
	}
}

// What dead jobs left in progress is removed.
func TestFolderSinkClearsUp(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "b=1"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".part-00000000-1.csv.inprogress", "b=1/.part-00000000-2.csv.inprogress", ".somebody.inprogress", "part-00000000-0.csv"} {
		writeAs(t, filepath.Join(dir, name), []byte("half a li"))
	}
	_ = openFolderAt(t, dir, FormatCSV)
	sameLines(t, "left", tree(t, dir), []string{".somebody.inprogress", "part-0.csv"})
}

func TestFolderSinkFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.csv")
	writeAs(t, file, []byte("x\n"))
	for want, options := range map[string]map[string]string{
		"is a file, but a folder is meant": testOptions(file, "format", "csv", "partitioned_by", "b"),
		"a.csv is a file":                  testOptions(file, "roll_size", "1 MB"),
		"folder not found":                 testOptions(filepath.Join(dir, "none", "out")+"/", "format", "csv"),
		"cannot tell the format":           testOptions(filepath.Join(dir, "out") + "/"),
		"cannot be \"many\"":               testOptions(dir, "format", "csv", "roll_size", "many"),
		"cannot be \"0 s\"":                testOptions(dir, "format", "csv", "roll_interval", "0 s"),
		"did you mean 'success-file'?":     testOptions(dir, "format", "csv", "partition_commit", "succes-file"),
		"column \"day\" is not declared":   testOptions(dir, "format", "csv", "partitioned_by", "day"),
	} {
		_, err := CheckSink(options, threeTexts.Fields)
		var wrong *model.OptionError
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Message+wrong.Hint, want) {
			t.Errorf("%v: %v, not %s", options, err, want)
		}
	}
	out := filepath.Join(dir, "out")
	s := openFolderAt(t, out, FormatCSV, "partitioned_by", "b")
	writeAs(t, filepath.Join(out, "b=1"), []byte("in the way"))
	if err := s.WriteBatch(threeRows([2]string{"x", "1"}), 0, 1); err == nil || !strings.Contains(err.Error(), "cannot write "+filepath.Join(out, "b=1")) {
		t.Errorf("a file is where a folder must be: %v", err)
	}
	s.Abort()
	s = openFolderAt(t, out, FormatCSV, "partitioned_by", "b")
	if err := s.WriteBatch(threeRows([2]string{"x", strings.Repeat("long", 100)}), 0, 1); err == nil || !strings.Contains(err.Error(), "file name too long") {
		t.Errorf("a value that is no name: %v", err)
	}
	if err := s.Close(); err == nil {
		t.Error("the failure is forgotten")
	}
}

// A job that goes on from a snapshot writes a file of columns anew beside the one that it
// has finished, and again so from the same snapshot.
func TestColumnFilesGoOn(t *testing.T) {
	for _, format := range columnFormats {
		dir := t.TempDir()
		path := filepath.Join(dir, "out."+format)
		var first, second state.Writer
		run := func(name string, from, to *state.Writer, failing bool) {
			t.Helper()
			info, err := CheckSink(testOptions(path), threeTexts.Fields)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := OpenSink(&model.Sink{Connector: info.Connector, Options: info.Options}, threeTexts, threeTexts.Visible(), Env{})
			if err != nil {
				t.Fatal(err)
			}
			if from != nil {
				err = opened.Restore(state.NewReader(from.Bytes()))
			}
			if err = errors.Join(err, opened.(BatchSink).WriteBatch(threeRows([2]string{name, "1"}), 0, 1)); err != nil {
				t.Fatal(err)
			}
			if failing {
				opened.Abort()
				return
			}
			opened.Snapshot(to)
			if err := opened.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var last state.Writer
		run("one", nil, &first, false)
		run("lost", &first, nil, true)
		run("two", &first, &second, false)
		run("three", &second, &last, false)
		sameLines(t, format, rowsIn(t, filepath.Join(dir, "out*"), format), []string{`{"a":"one","b":"1","c":0}`, `{"a":"three","b":"1","c":0}`, `{"a":"two","b":"1","c":0}`})
	}
}

// When the disk is full the job fails with the name of a file, and nothing half written is
// to be seen.
func TestFolderSinkOnFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	s := openFolderAt(t, dir, FormatCSV, "partitioned_by", "b")
	rows := threeRows([2]string{strings.Repeat("x", 2000), "1"})
	if err := s.WriteBatch(rows, 0, 1); err != nil {
		t.Fatal(err)
	}
	file := s.(*folderSink).open["b=1"].sink.(*fileSink)
	_ = file.file.Close()
	file.file = &fullDisk{room: 1000}
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = s.WriteBatch(rows, 0, 1)
	}
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), filepath.Join(dir, "b=1")) {
		t.Errorf("a full disk: %v", err)
	}
	if again := s.WriteBatch(rows, 0, 1); !errors.Is(again, syscall.ENOSPC) {
		t.Errorf("the failure is forgotten: %v", again)
	}
	var w state.Writer
	s.Snapshot(&w)
	if err := s.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("closed: %v", err)
	}
	sameLines(t, "left", tree(t, dir), nil)
}
