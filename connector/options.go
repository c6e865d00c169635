package connector

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/typo"
	"github.com/millrace/millrace/model"
)

// optionSet is a WITH clause while it is checked. Names are looked up in canonical
// form; the user's spelling is kept for messages. The first mistake is kept.
type optionSet struct {
	connector string
	direction Direction
	format    string            // "" while it is not known, and of connectors without
	values    map[string]string // by canonical name
	written   map[string]string // canonical name -> as the user wrote it
	asked     []string          // names that were asked for
	err       *model.OptionError
}

// ignored are options of Flink that say what is the case anyway, or on which results do not
// depend.
var ignored = []string{"json.timestamp_format.standard", "scan.parallelism", "sink.parallelism"}

// refused are option names of Flink with another meaning, and what to do instead.
var refused = map[string]string{
	"csv.ignore_parse_errors":          "bad records go to the error output and are counted; on_error = 'fail' stops at the first",
	"json.ignore_parse_errors":         "bad records go to the error output and are counted; on_error = 'fail' stops at the first",
	"csv.allow_comments":               "remove the option; comment lines become error rows",
	"csv.escape_character":             "double a quote to put it inside a quoted field",
	"csv.disable_quote_character":      "write quote = ''",
	"csv.array_element_delimiter":      "remove the option; there are no array columns",
	"json.fail_on_missing_field":       "remove the option; a missing key is NULL, and NOT NULL columns make it an error row",
	"json.map_null_key.mode":           "remove the option; there are no map columns",
	"sink.partition_commit.trigger":    "remove the option; _SUCCESS is written when the input has ended",
	"sink.partition_commit.delay":      "remove the option; _SUCCESS is written when the input has ended",
	"auto_compaction":                  "remove the option; write larger files with roll_size and roll_interval",
	"partition.default_name":           "remove the option; NULL is __HIVE_DEFAULT_PARTITION__",
	"scan.startup.mode":                "remove the option; files are read from the start",
	"json.ignore_parse_errors.enabled": "remove the option",
	"parquet.utc_timezone":             "remove the option; timestamps are UTC",
	"parquet.block.size":               "write row_group_rows, in rows",
	"standard_error":                   "remove the option; rows go to standard output",
	"source.path.regex_pattern":        "write a glob as path",
}

func newOptionSet(options map[string]string) *optionSet {
	o := &optionSet{values: map[string]string{}, written: map[string]string{}}
	for _, key := range sortedKeys(options) {
		name := canonicalOption(key)
		if strings.HasPrefix(name, "fields.") {
			name = canonicalField(key)
		}
		if hint, ok := refused[name]; ok {
			o.fail(key, fmt.Sprintf("option %q is not supported", key), hint)
		}
		if slices.Contains(ignored, name) {
			continue
		}
		if alias, ok := aliases[name]; ok {
			name = alias
		}
		if before, ok := o.written[name]; ok {
			o.fail(key, fmt.Sprintf("options %q and %q are the same", before, key), "keep one of them")
		}
		o.values[name], o.written[name] = options[key], key
	}
	return o
}

// canonicalField keeps a column's name as it is: fields.Some-Name.max_past.
func canonicalField(key string) string {
	key = strings.TrimSpace(key)
	i := strings.LastIndexByte(key, '.')
	return "fields" + key[len("fields"):i+1] + strings.ReplaceAll(strings.ToLower(key[i+1:]), "-", "_")
}

func (o *optionSet) fail(option, message, hint string) {
	if o.err == nil {
		o.err = &model.OptionError{Option: option, Message: message, Hint: hint}
	}
}

// take returns an option's value. The name is one of the table's.
func (o *optionSet) take(name string) (string, bool) {
	o.asked = append(o.asked, name)
	v, ok := o.values[name]
	return v, ok
}

func (o *optionSet) bad(name, expected string) {
	key := o.written[name]
	o.fail(key, fmt.Sprintf("option %q cannot be %q", key, o.values[name]), expected)
}

func (o *optionSet) boolean(name string, otherwise bool) bool {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	switch strings.ToLower(v) {
	case "true":
		return true
	case "false":
		return false
	}
	o.bad(name, "write true or false")
	return otherwise
}

// choice returns one of the allowed words.
func (o *optionSet) choice(name, otherwise string, allowed ...string) string {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	v = strings.ToLower(v)
	if slices.Contains(allowed, v) {
		return v
	}
	hint := "write one of '" + strings.Join(allowed, "', '") + "'"
	if near := nearest(v, allowed); near != "" {
		hint = fmt.Sprintf("did you mean '%s'?", near)
	}
	o.bad(name, hint)
	return otherwise
}

// number returns a whole number of at least low.
func (o *optionSet) number(name string, otherwise, low int64) int64 {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil || n < low {
		o.bad(name, fmt.Sprintf("write a whole number of at least %d", low))
		return otherwise
	}
	return n
}

// float returns a number.
func (o *optionSet) float(name string, otherwise float64) float64 {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil || f != f {
		o.bad(name, "write a number")
		return otherwise
	}
	return f
}

// character returns an option that is a single ASCII character.
func (o *optionSet) character(name string, otherwise byte) byte {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	switch v {
	case `\t`, "tab":
		return '\t'
	}
	if len(v) != 1 || v[0] >= 0x80 || v[0] == '\n' || v[0] == '\r' || v[0] == 0 {
		o.bad(name, "write a single ASCII character other than a line end, or '\\t'")
		return otherwise
	}
	return v[0]
}

// durationMicros returns a span of time such as '5 s', '100 ms' or '1 h'.
func (o *optionSet) durationMicros(name string, otherwise int64) int64 {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	d, err := time.ParseDuration(durationWords.Replace(strings.ToLower(v)))
	if err != nil || d < 0 {
		o.bad(name, "write a duration such as '5 s', '100 ms' or '1 h'")
		return otherwise
	}
	return d.Microseconds()
}

var durationWords = strings.NewReplacer(" ", "", "seconds", "s", "second", "s", "sec", "s", "minutes", "m",
	"minute", "m", "min", "m", "hours", "h", "hour", "h", "milliseconds", "ms", "millisecond", "ms")

// known are the names of the options that stand in the table for the connector here; in the
// place of those of any column are those that were asked for.
func (o *optionSet) known() []string {
	var names []string
	for _, name := range optionNames(o.connector, o.direction, o.format) {
		if !strings.Contains(name, "<") {
			names = append(names, name)
		}
	}
	for _, name := range o.asked {
		if strings.HasPrefix(name, "fields.") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return slices.Compact(names)
}

// done reports an option nobody knows, which is often a known one mistyped and then the
// cause of other mistakes, or else the first mistake.
func (o *optionSet) done() error {
	known := o.known()
	for _, name := range sortedKeys(o.values) {
		key := o.written[name]
		if slices.Contains(known, name) || o.err != nil && o.err.Option == key {
			continue
		}
		hint := elsewhere(name, o.connector)
		if near := nearest(name, known); hint == "" && near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		if hint == "" && len(known) == 0 {
			hint = "it has none"
		}
		if hint == "" {
			hint = "it has " + strings.Join(known, ", ")
		}
		return &model.OptionError{Option: key, Message: fmt.Sprintf("connector %s has no option %q here", o.connector, key), Hint: hint}
	}
	return o.errorOrNil()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// nearest returns the candidate that was probably meant, or "".
func nearest(word string, candidates []string) string {
	best, bestDistance := "", max(1, len(word)/3)+1
	for _, c := range candidates {
		d := typo.Distance(strings.ToLower(word), c, bestDistance+1)
		if d < bestDistance || d == bestDistance && best != "" && commonPrefix(word, c) > commonPrefix(word, best) {
			best, bestDistance = c, d
		}
	}
	return best
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
