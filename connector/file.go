package connector

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

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
	watch       time.Duration // between two looks for new files; 0: none
	keys        []string      // columns that stand in the names of folders
	unit        int64         // microseconds, nanosecondUnit, or 0: timestamps are text
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
	o.takeRecords(&t)
	if t.text() {
		t.compression = o.choice("compression", compressAuto, compressAuto, compressNone, compressGzip, compressZstd)
	}
	if t.format == FormatArrow || t.format == FormatAvro {
		return t
	}
	t.unit = o.takeUnit()
	return t
}

// takeRecords reads how records are written.
func (o *optionSet) takeRecords(t *textOptions) {
	if t.format != FormatCSV {
		return
	}
	switch o.choice("header", "auto", "auto", "true", "false") {
	case "true":
		t.header = headerYes
	case "false":
		t.header = headerNo
	}
	t.dialect = o.takeDialect()
}

// takeUnit reads what whole numbers in TIMESTAMP columns count.
func (o *optionSet) takeUnit() int64 {
	switch o.choice("timestamp_unit", "", "s", "ms", "us", "ns") {
	case "s":
		return microsPerSecond
	case "ms":
		return 1000
	case "us":
		return 1
	case "ns":
		return nanosecondUnit
	}
	return 0
}

// takeFile reads the options of the file connector and looks for its files. A folder that
// is watched may hold none. Columns are the declared ones, or nil.
func (o *optionSet) takeFile(columns []stream.Field) (textOptions, [][]string) {
	t := o.takeText("", fileFormats)
	path, ok := o.take("path")
	if !ok || strings.TrimSpace(path) == "" {
		o.fail(o.written["path"], "connector file needs the option path", "add path = 'dir/*.csv'")
	}
	t.perFile = o.choice("partitions", "one", "one", "per-file") == "per-file"
	if t.text() {
		t.follow = o.boolean("follow", false)
	}
	if o.connector != connectorReplay {
		t.keys = o.takeKeys(columns)
		o.takeWatch(&t)
	}
	if o.err != nil {
		return t, nil
	}
	files, err := t.search().find()
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

// takeWatch reads how often a folder is looked at for new files.
func (o *optionSet) takeWatch(t *textOptions) {
	t.watch = time.Duration(o.durationMicros("watch", 0)) * time.Microsecond
	key, given := o.written["watch"]
	if !given || o.err != nil {
		return
	}
	path := strings.TrimPrefix(t.path, fileScheme)
	info, err := os.Stat(path)
	switch {
	case t.watch < watchIntervalMin:
		o.bad("watch", "write a duration of at least 10 ms, such as '1 second'")
	case t.follow:
		o.fail(key, "files are either followed or watched for", "leave one of the two out")
	case t.perFile:
		o.fail(key, "the files of a watched folder are one partition", "leave partitions = 'per-file' out")
	case err == nil && !info.IsDir():
		o.fail(key, path+" is a file; a folder or a glob can be watched", "write follow = true to read on as the file grows")
	case err != nil && !strings.ContainsAny(path, "*?["):
		o.fail(o.written["path"], "folder not found: "+path, "make it first")
	}
}

// search is where the files are looked for.
func (t *textOptions) search() searched {
	return searched{path: t.path, folders: len(t.keys) > 0, none: t.watch > 0}
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

// textSource reads text files, or standard input as one.
type textSource struct {
	name string // of the stream
	fileLists
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

// Bounded implements Source.
func (s *textSource) Bounded() bool { return s.bounded }

// Live implements Source.
func (s *textSource) Live() bool { return s.live }

// BytesTotal is the size of all files together as it was at the start, or 0 if what will
// be read of them is not known.
func (s *textSource) BytesTotal() int64 { return s.bytesTotal }

// sizeOf adds up the sizes of plain files that are read as they are.
func sizeOf(partitions [][]string, t textOptions) (bytes int64) {
	if t.watch > 0 {
		return 0
	}
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
	out := append(append([]string(nil), s.warnings...), s.notes()...)
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
	files, err := s.files(s.name, partition, at)
	return &textReader{src: s, partition: partition, files: files, pos: at}, err
}

// NewDecoder implements Source.
func (s *textSource) NewDecoder() Decoder {
	if s.csv {
		d := newCSVDecoder(s.schema, s.options.dialect, s.readers)
		d.watch = &s.watch
		return s.decoder(d)
	}
	return s.decoder(newJSONDecoder(s.schema, s.physical, s.readers))
}
