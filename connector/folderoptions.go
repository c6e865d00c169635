package connector

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/stream"
)

// folderOptions are what a sink that writes a folder has beside the options of its files.
type folderOptions struct {
	keys     []string      // columns that stand in the names of folders
	rollSize int64         // bytes after which a part is finished
	rollAge  time.Duration // since it was begun
	rollIdle time.Duration // since its last row
	check    time.Duration // between two looks at the ages
	success  bool          // _SUCCESS at the end
}

// Defaults of parts, which are Flink's.
const (
	rollSizeDefault  = 128 << 20
	rollAgeDefault   = 30 * time.Minute
	rollCheckDefault = time.Minute
)

const commitSuccess = "success-file"

// takeFolder reads the options of folders. It returns nil if a file is meant: a folder is
// one that is there, a path that ends in a slash, or what has columns or options of one.
func (o *optionSet) takeFolder(path string, columns []stream.Field) *folderOptions {
	f := &folderOptions{
		keys:     o.takeKeys(columns),
		rollSize: o.size("roll_size", rollSizeDefault),
		rollAge:  o.duration("roll_interval", rollAgeDefault),
		rollIdle: o.duration("roll_inactivity", rollAgeDefault),
		check:    o.duration("roll_check", rollCheckDefault),
		success:  o.choice("partition_commit", "", commitSuccess) != "",
	}
	meant := strings.HasSuffix(path, "/")
	for _, name := range []string{keysOption, "roll_size", "roll_interval", "roll_inactivity", "roll_check", "partition_commit"} {
		_, given := o.values[name]
		meant = meant || given
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return f
	case !meant:
		return nil
	case err == nil:
		o.fail(o.written["path"], path+" is a file, but a folder is meant", "name a folder, or one that is not there yet")
	}
	return f
}

// duration returns a span of time that is not zero.
func (o *optionSet) duration(name string, otherwise time.Duration) time.Duration {
	d := time.Duration(o.durationMicros(name, otherwise.Microseconds())) * time.Microsecond
	if d < time.Millisecond {
		o.bad(name, "write a duration of at least 1 ms")
		return otherwise
	}
	return d
}

var sizeUnits = map[string]int64{"": 1, "b": 1, "bytes": 1, "k": 1 << 10, "kb": 1 << 10, "kib": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "mib": 1 << 20, "g": 1 << 30, "gb": 1 << 30, "gib": 1 << 30}

// size returns a number of bytes such as '128 MB'; units are powers of 1,024, as in Flink.
func (o *optionSet) size(name string, otherwise int64) int64 {
	v, ok := o.take(name)
	if !ok {
		return otherwise
	}
	text := strings.ToLower(strings.ReplaceAll(v, " ", ""))
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	unit, known := sizeUnits[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || n < 1 || n > math.MaxInt64/unit {
		o.bad(name, "write a size such as '128 MB' or '64 kB'")
		return otherwise
	}
	return n * unit
}

// extension is what the names of a folder's files end in.
func (t *sinkOptions) extension() string {
	switch t.compression {
	case compressGzip:
		if t.text() {
			return "." + t.format + ".gz"
		}
	case compressZstd:
		if t.text() {
			return "." + t.format + ".zst"
		}
	}
	return "." + t.format
}

// appendFolder appends column=value for a row's value, escaped so that it is a name.
func appendFolder(dst []byte, name string, c *stream.Column, row int, text []byte) (folder, scratch []byte) {
	dst = append(appendEscaped(dst, []byte(name)), '=')
	if c.Absent() || c.IsNull(row) {
		return append(dst, nullPartition...), text
	}
	text = text[:0]
	if c.Type == stream.Varchar {
		text = append(text, toValidText(c.Text(row))...)
	} else {
		text = (&csvEncoder{}).appendValue(text, c, row)
	}
	if string(text) == nullPartition {
		return append(dst, "%5F"+nullPartition[1:]...), text
	}
	return appendEscaped(dst, text), text
}

// appendEscaped writes what cannot stand in a name, or would mean something there, as %XX:
// the characters that Hive escapes.
func appendEscaped(dst, text []byte) []byte {
	for _, c := range text {
		if c < ' ' || c == 0x7f || strings.IndexByte(`"#%'*/:=?\{}[]^`, c) >= 0 {
			dst = fmt.Appendf(dst, "%%%02X", c)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// syncFolder makes what was renamed in a folder last. Some file systems cannot, and need not.
func syncFolder(path string) {
	if f, err := os.Open(path); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// makeFolders makes root/folder, and makes each new level last.
func makeFolders(root, folder string) error {
	path := root
	for _, part := range append([]string{""}, strings.Split(folder, "/")...) {
		path = filepath.Join(path, part)
		if err := os.Mkdir(path, 0o755); err == nil {
			syncFolder(filepath.Dir(path))
		} else if !os.IsExist(err) {
			return writeError(path, err)
		}
	}
	return nil
}
