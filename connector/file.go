package connector

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// The formats of files.
const (
	FormatCSV     = "csv"
	FormatNDJSON  = "ndjson"
	FormatParquet = "parquet"
	FormatArrow   = "arrow"
	FormatAvro    = "avro"
)

// The names of formats that options may have.
var (
	textFormats   = []string{FormatCSV, FormatNDJSON, "json", "jsonl"}
	columnFormats = []string{FormatArrow, FormatAvro, FormatParquet}
	fileFormats   = slices.Concat(columnFormats, textFormats)
)

// textOptions are a text source's options, checked.
type textOptions struct {
	path        string
	format      string
	header      headerMode
	dialect     dialect
	compression string
	perFile     bool
	follow      bool
	unit        int64 // microseconds, nanosecondUnit, or 0: timestamps are text
}

type headerMode uint8

const (
	headerAuto headerMode = iota // the first record, if it names the columns or is not a row
	headerYes
	headerNo
)

// takeFormat reads the option format. name guesses the format where it is not given.
func (o *optionSet) takeFormat(name, otherwise string, allowed []string) string {
	format := o.choice("format", "", allowed...)
	switch {
	case format == "json" || format == "jsonl":
		format = FormatNDJSON
	case format == "":
		if format = formatByName(name); !slices.Contains(allowed, format) {
			format = otherwise
		}
	}
	if o.err == nil {
		o.format = format
	}
	if format == "" {
		o.fail("", fmt.Sprintf("connector %s cannot tell the format of %q", o.connector, name), "add format = 'csv' or format = 'ndjson'")
	}
	return format
}

// formatByName returns the format a file name's extension tells, or "".
func formatByName(name string) string {
	name = strings.ToLower(name)
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	switch filepath.Ext(name) {
	case ".csv":
		return FormatCSV
	case ".ndjson", ".jsonl", ".json":
		return FormatNDJSON
	case ".parquet":
		return FormatParquet
	case ".arrow", ".arrows", ".feather":
		return FormatArrow
	case ".avro":
		return FormatAvro
	}
	return ""
}

func (o *optionSet) takeDialect() dialect {
	d := dialect{delimiter: o.character("delimiter", ',')}
	if o.values["quote"] == "" && o.written["quote"] != "" {
		o.take("quote")
	} else {
		d.quote = o.character("quote", '"')
	}
	d.null, d.hasNull = o.take("null")
	if d.hasNull && d.null == "" {
		d.hasNull = false
	}
	if d.quote == d.delimiter {
		o.fail(o.written["quote"], "delimiter and quote cannot be the same character", "change one of them")
	}
	return d
}

func (o *optionSet) takeText(defaultFormat string, allowed []string) textOptions {
	t := textOptions{path: o.values["path"]}
	t.format = o.takeFormat(t.path, defaultFormat, allowed)
	if t.format == FormatCSV {
		switch o.choice("header", "auto", "auto", "true", "false") {
		case "true":
			t.header = headerYes
		case "false":
			t.header = headerNo
		}
		t.dialect = o.takeDialect()
	}
	if t.text() {
		t.compression = o.choice("compression", compressAuto, compressAuto, compressNone, compressGzip, compressZstd)
	}
	if t.format == FormatArrow || t.format == FormatAvro {
		return t
	}
	switch o.choice("timestamp_unit", "", "s", "ms", "us", "ns") {
	case "s":
		t.unit = microsPerSecond
	case "ms":
		t.unit = 1000
	case "us":
		t.unit = 1
	case "ns":
		t.unit = nanosecondUnit
	}
	return t
}

// takeFile reads the options of the file connector and looks for its files.
func (o *optionSet) takeFile() (textOptions, [][]string) {
	t := o.takeText("", fileFormats)
	path, ok := o.take("path")
	if !ok || strings.TrimSpace(path) == "" {
		o.fail(o.written["path"], "connector file needs the option path", "add path = 'dir/*.csv'")
	}
	t.perFile = o.choice("partitions", "one", "one", "per-file") == "per-file"
	if t.text() {
		t.follow = o.boolean("follow", false)
	}
	if o.err != nil {
		return t, nil
	}
	files, err := findFiles(path)
	if err != nil {
		o.fail(o.written["path"], err.Error(), "")
		return t, nil
	}
	if t.follow {
		t.checkFollow(o, files)
	}
	if !t.perFile {
		return t, [][]string{files}
	}
	partitions := make([][]string, len(files))
	for i := range files {
		partitions[i] = files[i : i+1]
	}
	return t, partitions
}

// text: the format is one of lines, or it is not known.
func (t *textOptions) text() bool { return !slices.Contains(columnFormats, t.format) }

func (t *textOptions) checkFollow(o *optionSet, files []string) {
	key := o.written["follow"]
	if len(files) > 1 && !t.perFile {
		o.fail(key, "only one file can be followed as one partition", "name one file or add partitions = 'per-file'")
	}
	for _, f := range files {
		if t.compression == compressGzip || t.compression == compressZstd || compressionByName(f) != "" {
			o.fail(key, "a compressed file cannot be followed: "+f, "")
		}
	}
	t.compression = compressNone
}

const fileScheme = "file://" // may stand in front of a path, as Flink's scripts have it

// findFiles resolves a path, a folder, a glob, or several paths and globs with commas
// between. The files of a folder or glob come in name order, those of a list in list order.
func findFiles(path string) ([]string, error) {
	path = strings.TrimPrefix(path, fileScheme)
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return filesOf(path)
		}
		return checkFiles([]string{path})
	}
	var out []string
	seen := map[string]bool{}
	for _, part := range strings.Split(path, ",") {
		part = strings.TrimSpace(part)
		matches := []string{part}
		if _, err := os.Stat(part); err != nil && strings.ContainsAny(part, "*?[") {
			if matches, err = filepath.Glob(part); err != nil {
				return nil, fmt.Errorf("path %q is not a valid pattern", part)
			}
			if len(matches) == 0 {
				return nil, fmt.Errorf("no file matches %s", part)
			}
			sort.Strings(matches)
		}
		for _, m := range matches {
			if !seen[m] {
				seen[m] = true
				out = append(out, m)
			}
		}
	}
	return checkFiles(out)
}

// filesOf are the files of a folder, in name order. Those in folders below it, and those
// that begin with a dot or an underscore, as unfinished ones do, are not among them.
func filesOf(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", folder, cause(err))
	}
	var out []string
	for _, e := range entries {
		if !e.IsDir() && e.Name()[0] != '.' && e.Name()[0] != '_' {
			out = append(out, filepath.Join(folder, e.Name()))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("folder %s holds no file", folder)
	}
	return checkFiles(out)
}

func checkFiles(files []string) ([]string, error) {
	for _, f := range files {
		info, err := os.Stat(f)
		switch {
		case os.IsNotExist(err):
			return nil, fmt.Errorf("file not found: %s", f)
		case err != nil:
			return nil, fmt.Errorf("cannot read %s: %w", f, cause(err))
		case info.IsDir():
			return nil, fmt.Errorf("%s is a directory; name a folder alone, or use a glob such as %s", f, filepath.Join(f, "*.csv"))
		}
	}
	return files, nil
}

// cause is the reason of a file error without operation and path.
func cause(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}

// textSource reads text files, or standard input as one.
type textSource struct {
	name       string // of the stream
	partitions [][]string
	options    textOptions
	csv        bool
	header     headerMode
	bounded    bool
	live       bool
	bytesTotal int64 // of the files; 0: unknown
	openInput  func(ctx context.Context, name string) (input, error)

	schema         *stream.Schema
	physical       []bool
	readers        []cellReader
	blockBytes     int
	recordBytesMax int

	mu       sync.Mutex
	warnings []string
	watch    delimiterWatch
}

func newTextSource(src *model.Source, name string, schema *stream.Schema, t textOptions, env Env) *textSource {
	s := &textSource{name: name, options: t, csv: t.format == FormatCSV, header: t.header, schema: schema,
		blockBytes: BlockBytes, recordBytesMax: RecordBytesMax, physical: physicalColumns(src, schema)}
	if env.BlockBytes > 0 {
		s.blockBytes = env.BlockBytes
	}
	if s.csv {
		s.readers = csvReaders(schema, t.unit)
	} else {
		s.readers = jsonReaders(schema, t.unit)
	}
	return s
}

func (s *textSource) cutter() cutter {
	if !s.csv {
		return cutter{}
	}
	return cutter{quote: s.options.dialect.quote, delimiter: s.options.dialect.delimiter}
}

// Partitions implements Source.
func (s *textSource) Partitions() int { return len(s.partitions) }

// Bounded implements Source.
func (s *textSource) Bounded() bool { return s.bounded }

// Live implements Source.
func (s *textSource) Live() bool { return s.live }

// BytesTotal is the size of all files together as it was at the start, or 0 if what will
// be read of them is not known.
func (s *textSource) BytesTotal() int64 { return s.bytesTotal }

// sizeOf adds up the sizes of plain files that are read as they are.
func sizeOf(partitions [][]string, t textOptions) (bytes int64) {
	for _, files := range partitions {
		for _, f := range files {
			info, err := os.Stat(f)
			packed := t.compression != compressNone && (t.compression != compressAuto || compressionByName(f) != "")
			if err != nil || packed || t.follow || !info.Mode().IsRegular() {
				return 0
			}
			bytes += info.Size()
		}
	}
	return bytes
}

// Close implements Source. Files belong to the readers.
func (s *textSource) Close() error { return nil }

// Warnings implements Source.
func (s *textSource) Warnings() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := append([]string(nil), s.warnings...)
	if hint := s.watch.hint(s.name, s.schema, s.options.dialect); hint != "" {
		out = append(out, hint)
	}
	return out
}

func (s *textSource) warn(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.warnings {
		if w == message {
			return
		}
	}
	if len(s.warnings) < warningsMax {
		s.warnings = append(s.warnings, message)
	}
}

const warningsMax = 20 // of one source; later ones are left out

// Reader implements Source.
func (s *textSource) Reader(_ context.Context, partition int, at Position) (Reader, error) {
	files := s.partitions[partition]
	if at.File < 0 || at.File > len(files) || at.Offset < 0 {
		return nil, fmt.Errorf("stream %s: position in file %d of %d: not the files of the checkpoint", s.name, at.File+1, len(files))
	}
	return &textReader{src: s, partition: partition, files: files, pos: at}, nil
}

// NewDecoder implements Source.
func (s *textSource) NewDecoder() Decoder {
	if s.csv {
		d := newCSVDecoder(s.schema, s.options.dialect, s.readers)
		d.watch = &s.watch
		return d
	}
	return newJSONDecoder(s.schema, s.physical, s.readers)
}
