package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace"
)

// scriptBytesMax is the size of a script above which it is refused: something that
// large is data given in place of a script.
const scriptBytesMax = 16 << 20

// readScripts returns the texts of a job: the files in their order, "-" for standard
// input, and behind them the statements of -e.
func readScripts(files, statements []string, in io.Reader) ([]millrace.Script, error) {
	if len(files) == 0 && len(statements) == 0 {
		return nil, errors.New(`nothing to run: name a script, "-" for standard input, or use -e "SELECT ..."`)
	}
	var scripts []millrace.Script
	for _, name := range files {
		text, err := readScript(name, in)
		if err != nil {
			return nil, err
		}
		if name == "-" {
			name = "stdin"
		}
		scripts = append(scripts, millrace.Script{Name: name, Text: text})
	}
	for i, text := range statements {
		name := "-e"
		if len(statements) > 1 {
			name = fmt.Sprintf("-e#%d", i+1)
		}
		scripts = append(scripts, millrace.Script{Name: name, Text: text})
	}
	return scripts, nil
}

// dataFiles are the extensions of files that are asked about, not run.
var dataFiles = []string{".csv", ".tsv", ".json", ".ndjson", ".jsonl", ".parquet", ".arrow", ".arrows", ".feather", ".avro", ".gz", ".zst"}

func readScript(name string, in io.Reader) (string, error) {
	if name != "-" {
		if slices.Contains(dataFiles, strings.ToLower(filepath.Ext(name))) {
			return "", fmt.Errorf("%s is data by its name, not a script; ask about it: -e \"SELECT * FROM '%s'\"", name, name)
		}
		f, err := os.Open(name)
		if err != nil {
			return "", openError(name, err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return "", fmt.Errorf("%s is a directory; name the .sql files in it", name)
		}
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, scriptBytesMax+1))
	if err != nil {
		return "", fmt.Errorf("cannot read script %s: %w", name, err)
	}
	if len(text) > scriptBytesMax {
		return "", fmt.Errorf("%s is larger than a script may be (16 MiB); data belongs behind CREATE STREAM .. WITH (path = '%s')", name, name)
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return "", fmt.Errorf("%s is not a script: it is not UTF-8 text", name)
	}
	return string(text), nil
}

func openError(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no such file: %s", name)
	}
	return fmt.Errorf("cannot open %w", withoutOperation(err))
}

// withoutOperation turns "open x: permission denied" into "x: permission denied".
func withoutOperation(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}
