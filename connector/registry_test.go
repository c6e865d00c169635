package connector

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
)

func TestOptionMistakes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "in.csv")
	writeAs(t, file, []byte("1\n"))
	writeAs(t, filepath.Join(dir, "plain"), []byte("1\n"))
	for _, c := range []struct {
		options map[string]string
		sink    bool
		want    string // option: message; hint
	}{
		{map[string]string{"path": file}, false, ": the option connector is missing; a source is one of datagen, file, http, replay, stdin"},
		{map[string]string{"connector": "flie"}, false, `connector: there is no source connector "flie"; did you mean "file"?`},
		{map[string]string{"connector": "kafka"}, false, `connector: there is no source connector "kafka"; there are datagen, file, http, replay, stdin`},
		{map[string]string{"connector": "datagen"}, true, `connector: there is no sink connector "datagen"; there are blackhole, file, http, stdout`},
		{map[string]string{"connector": "file"}, false, ": connector file cannot tell the format"},
		{map[string]string{"connector": "file", "format": "csv"}, false, ": connector file needs the option path; add path"},
		{testOptions(file, "pth", "x"), false, `pth: connector file has no option "pth" here; did you mean "path"?`},
		{testOptions(file, "Zzz", "x"), false, `Zzz: connector file has no option "Zzz" here; it has compression, delimiter,`},
		{testOptions(file, "format", "cvs"), false, `format: option "format" cannot be "cvs"; did you mean 'csv'?`},
		{testOptions(file, "header", "maybe"), false, `header: option "header" cannot be "maybe"; write one of`},
		{testOptions(file, "delimiter", ";;"), false, `delimiter: option "delimiter" cannot be ";;"; write a single ASCII character`},
		{testOptions(file, "quote", ","), false, `quote: delimiter and quote cannot be the same`},
		{testOptions(file, "delimiter", ";", "csv.field-delimiter", ";"), false, `are the same; keep one`},
		{testOptions(file, "csv.ignore-parse-errors", "true"), false, `csv.ignore-parse-errors: option "csv.ignore-parse-errors" is not supported; bad records go to the error output`},
		{testOptions(filepath.Join(dir, "no.csv")), false, `path: file not found: ` + filepath.Join(dir, "no.csv")},
		{testOptions(t.TempDir()+"/", "format", "csv"), false, ` holds no file`},
		{testOptions(file+","+dir, "format", "csv"), false, `path: ` + dir + ` is a directory; name a folder alone, or use a glob such as ` + filepath.Join(dir, "*.csv")},
		{testOptions(filepath.Join(dir, "*.ndjson")), false, `path: no file matches`},
		{testOptions(filepath.Join(dir, "plain")), false, `: connector file cannot tell the format of`},
		{testOptions(filepath.Join(dir, "*"), "follow", "true", "format", "csv"), false, `follow: only one file can be followed as one partition; name one file`},
		{testOptions(dir), true, `: connector file cannot tell the format of`},
		{testOptions(filepath.Join(dir, "no", "out.csv")), true, `path: folder not found: ` + filepath.Join(dir, "no")},
		{map[string]string{"connector": "datagen", "rows-per-second": "0"}, false, `rows-per-second: option "rows-per-second" cannot be "0"; write a number above 0`},
		{map[string]string{"connector": "datagen", "fields.d.min": "0"}, false, `fields.d.min: there is no column "d" to generate; did you mean`},
		{map[string]string{"connector": "datagen", "fields.c.min": "5", "fields.c.max": "4"}, false, `min is above max`},
		{map[string]string{"connector": "datagen", "fields.c.knd": "zipf"}, false, `fields.c.knd: connector datagen has no option "fields.c.knd" here; did you mean "fields.c.kind"?`},
		{map[string]string{"connector": "datagen", "fields.c.values": "1,x"}, false, `each value must be a INTEGER: x`},
	} {
		var err error
		if c.sink {
			_, err = CheckSink(c.options, threeTexts.Fields)
		} else {
			_, err = CheckSource(c.options, threeTexts.Fields)
		}
		var mistake *model.OptionError
		if !errors.As(err, &mistake) {
			t.Errorf("%v: %v is not an option error", c.options, err)
			continue
		}
		if got := mistake.Option + ": " + mistake.Error(); !strings.Contains(got, c.want) {
			t.Errorf("%v:\n got %s\nwant %s", c.options, got, c.want)
		}
	}
}

func TestCheckedOptions(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a,b.csv")
	writeAs(t, file, []byte("1\n"))
	info, err := CheckSource(map[string]string{"Connector": "FileSystem", "PATH": file, "csv.field-delimiter": ";", "json.timestamp-format.standard": "SQL"}, threeTexts.Fields)
	if err != nil {
		t.Fatal(err)
	}
	if info.Connector != "file" || !info.Bounded || info.Live || len(info.Options) != 2 || info.Options["delimiter"] != ";" || info.Options["path"] != file {
		t.Errorf("%+v", info)
	}
	again, err := CheckSource(withConnector(info.Connector, info.Options), threeTexts.Fields)
	if err != nil || len(again.Options) != 2 {
		t.Errorf("checked options do not check: %v", err)
	}
	if info, err = CheckSource(map[string]string{"connector": "stdin"}, threeTexts.Fields); err != nil || !info.Live || !info.Bounded {
		t.Errorf("%+v %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "out.csv")); err == nil {
		t.Error("checking a sink makes its file")
	}
}
