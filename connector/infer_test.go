package connector

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

func TestInfer(t *testing.T) {
	long := "n,s\n" + strings.Repeat("1,x\n", InferRowsMax) + "many,x\n"
	for _, c := range []struct{ name, text, want string }{
		{"a.csv", "A,b c,D\n1,2.5,x\n,-3,y\n", "a BIGINT, b c DOUBLE, d VARCHAR header=true"},
		{"a.csv", "A,a\n1,2\n", "column_1 VARCHAR, column_2 VARCHAR header=false"},
		{"a.csv", "1,x\n2,y\n", "column_1 BIGINT, column_2 VARCHAR header=false"},
		{"a.csv", "a,a\nb,c\n", "column_1 VARCHAR, column_2 VARCHAR header=false"},
		{"a.csv", "x;y\n1,5;007\n", "x VARCHAR, y VARCHAR delimiter=; header=true"},
		{"a.csv", "x\ty\n0\t0.5\n", "x BIGINT, y DOUBLE delimiter=tab header=true"},
		{"a.csv", "x|y\nTrue|2026-01-02\n", "x BOOLEAN, y TIMESTAMP delimiter=| header=true"},
		{"a.csv", "x,y\n1,2026-01-02T03:04:05Z\ntrue,12\n", "x VARCHAR, y VARCHAR header=true"},
		{"a.csv", "x,y\n9223372036854775808,NaN\n,\n", "x VARCHAR, y VARCHAR header=true"},
		{"a.csv", "x,y\n\n1,\"a\nb\"\n1,2,3\n", "x BIGINT, y VARCHAR header=true"},
		{"a.csv", "\xef\xbb\xbfx\n1", "x BIGINT header=true"},
		{"n.csv", long, "n BIGINT, s VARCHAR header=true"},
		{"a.ndjson", `{"X":1,"y":"a"}` + "\n\nbad\n" + `{"y":null,"z":[1],"X":1.5}`, "X DOUBLE, y VARCHAR, z JSON "},
		{"a.jsonl", `{"t":"2026-01-02","o":{},"n":null,"b":true,"big":1e3,"same":1}` + "\n" + `{"same":"1"}`, "t TIMESTAMP, o JSON, n VARCHAR, b BOOLEAN, big DOUBLE, same VARCHAR "},
		{"a.json", `{"id":18446744073709551615,"n":-1,"mixed":"x"}` + "\n" + `{"id":1,"mixed":{"y":[1]}}`, "id VARCHAR, n BIGINT, mixed JSON "},
	} {
		f, err := Infer(writeFile(t, c.name, c.text))
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var columns, options []string
		for _, column := range f.Columns {
			columns = append(columns, column.Name+" "+column.Type.String())
		}
		for _, k := range []string{"delimiter", "header"} {
			if v, ok := f.Options[k]; ok {
				options = append(options, k+"="+v)
			}
		}
		if got := strings.Join(columns, ", ") + " " + strings.Join(options, " "); got != c.want {
			t.Errorf("%.40q: %s\nnot %s", c.text, got, c.want)
		}
		if _, err := CheckSource(withConnector(f.Connector, f.Options), f.Columns); err != nil {
			t.Errorf("%.40q: what was found out is refused: %v", c.text, err)
		}
	}
}

// A file is read as it was found out: as many rows as there are, none of them an error.
func TestInferredFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	writeWide(t, filepath.Join(dir, "w.parquet"), 500, nil)
	rows := "id,at,ok,x\n"
	for i := range 500 {
		rows += fmt.Sprintf("%d,2026-01-02 03:04:05.%03d,%v,%d.5\n", i, i, i%2 == 0, i)
	}
	for name, path := range map[string]string{"csv": writeFile(t, "a.csv", rows), "parquet": filepath.Join(dir, "w.parquet")} {
		f, err := Infer(path)
		if err != nil {
			t.Fatal(err)
		}
		src := open(t, withConnector(f.Connector, f.Options), stream.NewSchema(f.Columns...), Env{})
		got := readAll(t, src, 0, Position{})
		if len(got.lines) != 500 || strings.Contains(strings.Join(got.lines, "\n"), "error @") {
			t.Errorf("%s: %d rows: %s", name, len(got.lines), got.lines[0])
		}
	}
}

// What is no file, or not such a file, is refused with what would be.
func TestInferRefuses(t *testing.T) {
	array := "jq -c '.[]' "
	for _, c := range []struct{ name, text, want string }{
		{"a.json", `[{"a":1},{"a":2}]`, array},
		{"a.json", "[\n{\"a\":1},\n{\"a\":2}\n]\n", array},
		{"a.json", "\n [\r\n", array},
		{"a.json", "{\n \"a\": 1\n}\n", "jq -c '.' "},
		{"a.ndjson", "some text\n", "it has no JSON object in its first 1000 lines"},
	} {
		if _, err := Infer(writeFile(t, c.name, c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	parts := t.TempDir()
	if err := os.MkdirAll(filepath.Join(parts, "day=2026-01-02"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Infer(parts); err == nil || !strings.Contains(err.Error(), "holds no file, but folders such as day=2026-01-02; declare them, CREATE TABLE .. (.., day VARCHAR) PARTITIONED BY (day)") {
		t.Errorf("a folder of folders: %v", err)
	}
	there := writeFile(t, "bikes.csv", "a\n1\n")
	for path, want := range map[string]string{
		"https://example.com/a.csv?b":               "mode = 'poll', url = 'https://example.com/a.csv?b') reads it",
		"s3://bucket/a.csv":                         "there is no connector for s3",
		strings.TrimSuffix(there, "s.csv") + ".csv": "did you mean '" + there + "'?",
	} {
		if _, err := Infer(path); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{strings.TrimSuffix(there, "bikes.csv") + "x.csv", "/no/such/folder/bikes.csv"} {
		if _, err := Infer(path); err == nil || err.Error() != "file not found: "+path {
			t.Errorf("%s: %v", path, err)
		}
	}
}
