package connector

import (
	"fmt"

	"github.com/millrace/millrace/connector/arrow"
	"github.com/millrace/millrace/connector/avro"
	"github.com/millrace/millrace/connector/parquet"
)

// Groups of connectors and formats that share options.
var (
	onlyFile    = []string{connectorFile}
	fileReaders = []string{connectorFile, connectorReplay}
	textReaders = []string{connectorFile, connectorStdin, connectorReplay}
	lineReaders = []string{connectorFile, connectorStdin, connectorReplay, connectorHTTP}
	textWriters = []string{connectorFile, connectorStdout}
	lineFormats = []string{FormatCSV, FormatNDJSON}
	packings    = []string{compressAuto, compressNone, compressGzip, compressZstd}
	generators  = []string{connectorDatagen}
)

// The kinds of values.
const (
	typeText      = "text"
	typeNumber    = "number"
	typeWhole     = "whole number"
	typeCharacter = "ASCII character"
	typeDuration  = "duration"
	typeSize      = "size"
	typeTime      = "timestamp"
	typeValue     = "value of the column"
)

// optionTable is every option of every connector and format.
var optionTable = concat(fileOptions, folderOptionTable, formatOptions, replayOptionTable, datagenOptionTable, httpOptionTable)

func concat(all ...[]Option) []Option {
	var out []Option
	for _, options := range all {
		out = append(out, options...)
	}
	return out
}

var fileOptions = []Option{
	{Name: "path", Flink: []string{"path"}, Connectors: fileReaders, Direction: Reads, Type: "paths", Required: true,
		About: "a file, a folder, a glob, or several files and globs with commas between; file:// may stand in front. The files of a folder (without those in folders below it, and those that begin with . or _ or end in .tmp or .inprogress) or a glob are read in name order, those of a list in list order, each once"},
	{Name: "path", Flink: []string{"path"}, Connectors: []string{connectorFile}, Direction: Writes, Type: "path", Required: true,
		About: "a file in a folder that exists; made anew, emptied when the first row comes, or at the end if none does. A folder (one that is there, a path that ends in /, or with PARTITIONED BY or an option of folders): files are added to it (below)"},
	{Name: "format", Flink: []string{"format"}, Connectors: fileReaders, Direction: Reads, Words: fileFormats,
		About: "json and jsonl are ndjson. Default: by the extension: .csv, .ndjson, .jsonl, .json, each also with .gz or .zst; .parquet; .arrow, .arrows, .feather; .avro"},
	{Name: "format", Flink: []string{"format"}, Connectors: []string{connectorFile}, Direction: Writes, Words: fileFormats, About: "Default: by the extension, as for reading"},
	{Name: "format", Connectors: []string{connectorStdin}, Direction: Reads, Words: textFormats, Default: FormatNDJSON, About: "json and jsonl are ndjson"},
	{Name: "format", Connectors: []string{connectorStdout}, Direction: Writes, Words: textFormats, Default: FormatNDJSON, About: "json and jsonl are ndjson"},
	{Name: "print_identifier", Flink: []string{"print-identifier"}, Connectors: []string{connectorStdout}, Direction: Writes, Type: typeText,
		About: "what stands in front of every row, with '> ' behind it. Default: nothing"},
	{Name: "partitions", Connectors: fileReaders, Direction: Reads, Words: []string{"one", "per-file"}, Default: "one",
		About: "whether all files are one partition or each is its own, with its own watermark"},
	{Name: "follow", Connectors: fileReaders, Direction: Reads, Formats: lineFormats, Words: booleans, Default: "false",
		About: "read on as the file grows; the stream has no end"},
	{Name: "watch", Flink: []string{"source.monitor-interval"}, Connectors: onlyFile, Direction: Reads, Type: typeDuration,
		About: "look so often for new files in the folder or glob, at least every 10 ms; the stream has no end (below). Default: only the files that are there at the start"},
	{Name: keysOption, Connectors: onlyFile, Direction: Reads | Writes, Type: "names of columns",
		About: "what PARTITIONED BY (a, b) before WITH says: columns that stand in the names of folders (below)"},
}

// folderOptionTable are the options of a folder that is written.
var folderOptionTable = []Option{
	{Name: "roll_size", Flink: []string{"sink.rolling-policy.file-size"}, Connectors: onlyFile, Direction: Writes, Type: typeSize,
		About: "of a folder: a file is finished when it has so many bytes or more. Default: 128 MB"},
	{Name: "roll_interval", Flink: []string{"sink.rolling-policy.rollover-interval"}, Connectors: onlyFile, Direction: Writes, Type: typeDuration,
		About: "of a folder: .. or is so old. Default: 30 min"},
	{Name: "roll_inactivity", Flink: []string{"sink.rolling-policy.inactivity-interval"}, Connectors: onlyFile, Direction: Writes, Type: typeDuration,
		About: "of a folder: .. or has had no row for so long. Default: 30 min"},
	{Name: "roll_check", Flink: []string{"sink.rolling-policy.check-interval"}, Connectors: onlyFile, Direction: Writes, Type: typeDuration,
		About: "of a folder: how often the ages of files are looked at, if they are not smaller. Default: 1 min"},
	{Name: "partition_commit", Flink: []string{"sink.partition-commit.policy.kind"}, Connectors: onlyFile, Direction: Writes, Words: []string{commitSuccess},
		About: "of a folder: when the input has ended, an empty file _SUCCESS in every folder that got files. Default: none"},
}

var booleans = []string{"true", "false"}

var formatOptions = []Option{
	{Name: "header", Connectors: lineReaders, Direction: Reads, Formats: []string{FormatCSV}, Words: []string{"auto", "true", "false"}, Default: "auto",
		About: "whether the first record is a header (below)"},
	{Name: "header", Connectors: textWriters, Direction: Writes, Formats: []string{FormatCSV}, Words: booleans, Default: "true",
		About: "begin with a line of column names"},
	{Name: "delimiter", Flink: []string{"csv.field-delimiter", "field-delimiter"}, Connectors: []string{connectorFile, connectorStdin, connectorReplay, connectorStdout, connectorHTTP}, Direction: Reads | Writes,
		Formats: []string{FormatCSV}, Type: typeCharacter, Default: ",", About: `what separates fields; also \t or tab`},
	{Name: "quote", Flink: []string{"csv.quote-character"}, Connectors: []string{connectorFile, connectorStdin, connectorReplay, connectorStdout, connectorHTTP}, Direction: Reads | Writes,
		Formats: []string{FormatCSV}, Type: typeCharacter, Default: `"`, About: "what stands around fields; empty for none, which a sink cannot do without"},
	{Name: "null", Flink: []string{"csv.null-literal"}, Connectors: []string{connectorFile, connectorStdin, connectorReplay, connectorStdout, connectorHTTP}, Direction: Reads | Writes,
		Formats: []string{FormatCSV}, Type: typeText, About: "an unquoted field with this text is NULL, as an empty one is; NULL is written as it"},
	{Name: "compression", Connectors: textReaders, Direction: Reads, Formats: lineFormats, Words: packings, Default: compressAuto,
		About: "auto: by the file's first bytes; a file called .gz or .zst must be what it says"},
	{Name: "compression", Connectors: []string{connectorFile}, Direction: Writes, Formats: lineFormats, Words: packings, Default: compressAuto,
		About: "auto: by the extension"},
	{Name: "timestamp_unit", Connectors: lineReaders, Direction: Reads, Formats: append([]string{FormatParquet}, lineFormats...), Words: []string{"s", "ms", "us", "ns"},
		About: "whole numbers in TIMESTAMP columns count this unit since 1970-01-01 UTC; text forms stay readable"},
	{Name: "compression", Flink: []string{"parquet.compression"}, Connectors: []string{connectorFile}, Direction: Writes, Formats: []string{FormatParquet}, Words: sortedKeys(parquet.Codecs), Default: compressZstd,
		About: "of pages"},
	{Name: "row_group_rows", Connectors: []string{connectorFile}, Direction: Writes, Formats: []string{FormatParquet}, Type: typeWhole, Default: fmt.Sprint(parquet.GroupRowsDefault),
		About: "rows of a row group, which are held in memory until they are written: 1 to " + fmt.Sprint(groupRowsMax)},
	{Name: "compression", Connectors: []string{connectorFile}, Direction: Writes, Formats: []string{FormatArrow}, Words: arrow.Codecs, Default: compressNone, About: "of record batches"},
	{Name: "compression", Connectors: []string{connectorFile}, Direction: Writes, Formats: []string{FormatAvro}, Words: avro.Codecs, Default: compressNone, About: "of blocks"},
}

var replayOptionTable = []Option{
	{Name: "bundle", Connectors: []string{connectorReplay}, Direction: Reads, Type: typeWhole, About: "how many of the file's first rows make a lap. Default: all"},
	{Name: "lap", Connectors: []string{connectorReplay}, Direction: Reads, Type: typeDuration,
		About: "by how much event time moves on, such as '271s'. Default: the rows' span and one row's share of it"},
	{Name: "copies", Connectors: []string{connectorReplay}, Direction: Reads, Type: typeWhole, Default: "1",
		About: "how often the bundle lies in memory, one behind the other, so that what is read may be larger than the caches"},
	{Name: "ingest", Connectors: []string{connectorReplay}, Direction: Reads, Words: []string{replayShare, replayCopy}, Default: replayShare,
		About: "share: batches refer to the rows in memory and only TIMESTAMP columns are written, without event time, which gets a base per batch; copy: every column that is read is written into fresh batches, as a decoder does"},
	{Name: "number_of_rows", Connectors: []string{connectorReplay}, Direction: Reads, Type: typeWhole, About: "Default: no end"},
	{Name: "rows_per_second", Flink: []string{"rows-per-sec"}, Connectors: []string{connectorReplay}, Direction: Reads, Type: typeNumber,
		About: "pace by the clock; latency counts from when a row was due. Default: as fast as possible"},
}

var datagenOptionTable = []Option{
	{Name: "rows_per_second", Flink: []string{"rows-per-second", "rows-per-sec"}, Connectors: generators, Direction: Reads, Type: typeNumber, About: "pace by the clock. Default: as fast as possible"},
	{Name: "number_of_rows", Flink: []string{"number-of-rows"}, Connectors: generators, Direction: Reads, Type: typeWhole, About: "Default: no end, or the shortest sequence with an end"},
	{Name: "seed", Connectors: generators, Direction: Reads, Type: typeWhole, Default: fmt.Sprint(defaultSeed), About: "another one gives other rows"},
	{Name: "start_time", Connectors: generators, Direction: Reads, Type: typeTime, Default: "2026-01-01 00:00:00", About: "of TIMESTAMP columns"},
	{Name: "fields.<column>.kind", Flink: []string{"fields.#.kind"}, Connectors: generators, Direction: Reads, Words: []string{kindSequence, kindRandom, "uniform", kindZipf, kindNormal},
		About: "uniform is random. Default: random; of TIMESTAMP columns, and with start: sequence"},
	{Name: "fields.<column>.min", Flink: []string{"fields.#.min"}, Connectors: generators, Direction: Reads, Type: typeValue,
		About: "least value, also of normal, which is cut there, and of zipf, where it is the most frequent. Default: 0"},
	{Name: "fields.<column>.max", Flink: []string{"fields.#.max"}, Connectors: generators, Direction: Reads, Type: typeValue,
		About: "greatest value. Default: 999; of floats 1, of INTERVAL 1 hour, of DATE a year behind the least"},
	{Name: "fields.<column>.start", Flink: []string{"fields.#.start"}, Connectors: generators, Direction: Reads, Type: typeValue, About: "of a sequence. Default: 0; of TIMESTAMP and DATE start_time"},
	{Name: "fields.<column>.step", Connectors: generators, Direction: Reads, Type: "number, or duration",
		About: "of a sequence; durations such as '500 ms' for TIMESTAMP, TIME and INTERVAL, days for DATE. A sequence of a type with few values (TINYINT, SMALLINT, DATE, TIME) begins again at the least of them. Default: 1; of TIMESTAMP the pace, or 1 ms if there is none; of TIME and INTERVAL 1 s"},
	{Name: "fields.<column>.end", Flink: []string{"fields.#.end"}, Connectors: generators, Direction: Reads, Type: typeWhole, About: "last value of a sequence; with more rows than it has, it begins again. Default: no end"},
	{Name: "fields.<column>.mean", Connectors: generators, Direction: Reads, Type: typeNumber, About: "of normal. Default: the middle of the range"},
	{Name: "fields.<column>.stddev", Connectors: generators, Direction: Reads, Type: typeNumber, About: "of normal. Default: a sixth of the range"},
	{Name: "fields.<column>.exponent", Connectors: generators, Direction: Reads, Type: typeNumber, Default: "1.2", About: "of zipf, above 1"},
	{Name: "fields.<column>.length", Flink: []string{"fields.#.length"}, Connectors: generators, Direction: Reads, Type: typeWhole, Default: fmt.Sprint(textLength),
		About: "letters of a random VARCHAR; with min, max or another kind it is a number as text. Elements of an ARRAY, up to 1,000; 3 if nothing is said, and 2 of arrays within it. Parts of ARRAY and ROW are made as columns without options are"},
	{Name: "fields.<column>.var_len", Flink: []string{"fields.#.var-len"}, Connectors: generators, Direction: Reads, Words: booleans, Default: "false",
		About: "a random VARCHAR has 1 to length letters, an ARRAY 0 to length elements"},
	{Name: "fields.<column>.values", Connectors: generators, Direction: Reads, Type: "list with commas",
		About: "picked by random, zipf (the first most often) or in turn (sequence)"},
	{Name: "fields.<column>.max_past", Flink: []string{"fields.#.max-past"}, Connectors: generators, Direction: Reads, Type: typeDuration, Default: "0s",
		About: "a TIMESTAMP is up to this much earlier, so that rows come out of order"},
	{Name: "fields.<column>.null_rate", Flink: []string{"fields.#.null-rate"}, Connectors: generators, Direction: Reads, Type: typeNumber, Default: "0", About: "share of NULLs"},
}
