package connector

import (
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/stream"
)

// The size of all files is known where what is read is as long as the files.
func TestBytesTotal(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "a", Type: stream.Integer})
	dir := t.TempDir()
	writeAs(t, filepath.Join(dir, "1.csv"), []byte("a\n1\n"))
	writeAs(t, filepath.Join(dir, "2.csv"), []byte("a\n22\n"))
	writeAs(t, filepath.Join(dir, "3.csv.gz"), gzipped(t, "a\n3\n"))
	for _, c := range []struct {
		path, more, value string
		want              int64
	}{
		{"1.csv", "header", "true", 4},
		{"?.csv", "partitions", "per-file", 9},
		{"?.csv*", "format", "csv", 0},
		{"1.csv", "follow", "true", 0},
	} {
		src := open(t, testOptions(filepath.Join(dir, c.path), c.more, c.value), schema, Env{})
		if got := src.(interface{ BytesTotal() int64 }).BytesTotal(); got != c.want {
			t.Errorf("%s with %s: %d bytes, want %d", c.path, c.more, got, c.want)
		}
	}
}
