package connector

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/millrace/millrace/stream"
)

const (
	fileScheme    = "file://" // may stand in front of a path, as Flink's scripts have it
	nullPartition = "__HIVE_DEFAULT_PARTITION__"
	keysOption    = "partitioned_by" // names of columns, commas between: what PARTITIONED BY says
)

// partitionKeys are the columns whose values stand in the names of folders.
func partitionKeys(options map[string]string) []string {
	text := options[keysOption]
	if text == "" {
		return nil
	}
	keys := strings.Split(text, ",")
	for i := range keys {
		keys[i] = strings.TrimSpace(keys[i])
	}
	return keys
}

// takeKeys reads the columns of PARTITIONED BY, which must be among those declared and not
// all of them; nil columns: they are not known.
func (o *optionSet) takeKeys(columns []stream.Field) []string {
	if _, given := o.take(keysOption); !given {
		return nil
	}
	at, keys := o.written[keysOption], partitionKeys(o.values)
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	for i, k := range keys {
		switch {
		case columns != nil && !slices.Contains(names, k):
			hint := "declare it"
			if near := nearest(k, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			o.fail(at, fmt.Sprintf("PARTITIONED BY: column %q is not declared, or is computed", k), hint)
		case slices.Contains(keys[:i], k):
			o.fail(at, fmt.Sprintf("PARTITIONED BY names column %q twice", k), "")
		}
	}
	if columns != nil && len(keys) >= len(columns) {
		o.fail(at, "all columns are in PARTITIONED BY: nothing is left for the files", "leave one out")
	}
	return keys
}

// withoutKeys are the columns that stand in the files themselves.
func withoutKeys(columns []stream.Field, keys []string) []stream.Field {
	return slices.DeleteFunc(slices.Clone(columns), func(f stream.Field) bool { return slices.Contains(keys, f.Name) })
}

// searched is where files are looked for.
type searched struct {
	path    string // a file, a folder, a glob, or several files and globs with commas between
	folders bool   // a folder's files stand in folders below it that are called column=value
	none    bool   // that there is no file is no error
}

// find lists the files. Those of a folder or glob come in name order, those of a list in
// list order.
func (s searched) find() ([]string, error) {
	path := strings.TrimPrefix(s.path, fileScheme)
	if scheme, _, ok := strings.Cut(path, "://"); ok {
		if scheme == "http" || scheme == "https" {
			return nil, fmt.Errorf("%s is no file; CREATE STREAM .. WITH (connector = 'http', mode = 'poll', url = '%s') reads it", path, path)
		}
		return nil, fmt.Errorf("%s is no file, and there is no connector for %s", path, scheme)
	}
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return checkFiles([]string{path})
		}
		files, err := s.below(path, nil)
		if err == nil && len(files) == 0 && !s.none {
			err = fmt.Errorf("folder %s holds no file%s", path, keyFolders(path))
		}
		sort.Strings(files)
		return files, err
	}
	var out []string
	seen := map[string]bool{}
	for _, part := range strings.Split(path, ",") {
		matches, err := s.matches(strings.TrimSpace(part))
		if err != nil {
			return nil, err
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

// matches are a file, or those of a glob.
func (s searched) matches(part string) ([]string, error) {
	if _, err := os.Stat(part); err == nil || !strings.ContainsAny(part, "*?[") {
		return []string{part}, nil
	}
	matches, err := filepath.Glob(part)
	if err != nil {
		return nil, fmt.Errorf("path %q is not a valid pattern", part)
	}
	if !unfinished(filepath.Base(part)) {
		matches = slices.DeleteFunc(matches, func(m string) bool { return unfinished(filepath.Base(m)) })
	}
	if len(matches) == 0 && !s.none {
		return nil, fmt.Errorf("no file matches %s", part)
	}
	sort.Strings(matches)
	return matches, nil
}

// unfinished reports whether a file's name says that somebody still writes it, or that it
// is none of the data.
func unfinished(name string) bool {
	return name[0] == '.' || name[0] == '_' || strings.HasSuffix(name, ".tmp") || strings.HasSuffix(name, ".inprogress")
}

// below adds the files of a folder, those that are unfinished left out. Other folders in
// it than those of column=value are not entered.
func (s searched) below(folder string, out []string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", folder, cause(err))
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		switch info, err := os.Stat(path); {
		case unfinished(e.Name()), errors.Is(err, fs.ErrNotExist): // it was taken away meanwhile
		case err != nil:
			return nil, fmt.Errorf("cannot read %s: %w", path, cause(err))
		case !info.IsDir():
			out = append(out, path)
		case s.folders && strings.IndexByte(e.Name(), '=') > 0:
			if out, err = s.below(path, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// findFiles lists the files of a path, at least one.
func findFiles(path string) ([]string, error) { return searched{path: path}.find() }

func checkFiles(files []string) ([]string, error) {
	for _, f := range files {
		info, err := os.Stat(f)
		switch {
		case os.IsNotExist(err):
			return nil, fmt.Errorf("file not found: %s%s", f, besides(f))
		case err != nil:
			return nil, fmt.Errorf("cannot read %s: %w", f, cause(err))
		case info.IsDir():
			return nil, fmt.Errorf("%s is a directory; name a folder alone, or use a glob such as %s", f, filepath.Join(f, "*.csv"))
		}
	}
	return files, nil
}

// keyFolders says how the files are read that stand in folders called column=value.
func keyFolders(folder string) string {
	found, _ := filepath.Glob(filepath.Join(folder, "*=*"))
	if len(found) == 0 {
		return ""
	}
	key, _, _ := strings.Cut(filepath.Base(found[0]), "=")
	return fmt.Sprintf(", but folders such as %s; declare them, CREATE TABLE .. (.., %s VARCHAR) PARTITIONED BY (%s) WITH .., or read the files alone: '%s'",
		filepath.Base(found[0]), key, key, filepath.Join(folder, "*", "*"))
}

// besides says which file of a folder a name may be meant for.
func besides(name string) string {
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return ""
	}
	defer folder.Close()
	if len(strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))) < 3 {
		return "" // all short names are alike
	}
	names, _ := folder.Readdirnames(besidesMax)
	sort.Strings(names)
	near := nearest(filepath.Base(name), names)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean '%s'?", filepath.Join(filepath.Dir(name), near))
}

const besidesMax = 1000 // files that are looked at

// cause is the reason of a file error without operation and path.
func cause(err error) error {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err
	case *os.LinkError:
		return e.Err
	}
	return err
}

// folderTexts finds what a path says of columns: .../column=value/... It is nil where the
// value is NULL.
func folderTexts(path string, keys []string) ([]*string, error) {
	out, found := make([]*string, len(keys)), make([]bool, len(keys))
	for _, part := range strings.Split(filepath.ToSlash(filepath.Dir(path)), "/") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		name, err := url.PathUnescape(name)
		if err != nil {
			continue
		}
		i := slices.Index(keys, name)
		if i < 0 {
			continue
		}
		found[i], out[i] = true, nil
		if value == nullPartition {
			continue
		}
		if value, err = url.PathUnescape(value); err != nil {
			return nil, fmt.Errorf("%s: the value of %q is not escaped as it must be", path, name)
		}
		out[i] = &value
	}
	for i, ok := range found {
		if !ok {
			return nil, fmt.Errorf("%s: PARTITIONED BY (%s) wants it in a folder called %s=value", path, keys[i], keys[i])
		}
	}
	return out, nil
}
