package sql

import (
	"path/filepath"
	"strings"

	"github.com/millrace/millrace/stream"
)

// FileCatalog is a Catalog that can tell what is in a file that FROM names in quotes.
type FileCatalog interface {
	Catalog
	// File returns the connector and options that read the file, and its columns. left names
	// columns that it has beside them. An error's text is shown at the file's name.
	File(path string) (connector string, options map[string]string, columns []stream.Field, left []string, err error)
}

// file is the declaration that stands for a file in FROM, one for each path. Its stream is
// called as the file is, without what stands behind the first dot.
func (r *resolver) file(n name) (*declaration, error) {
	if d := r.files[n.text]; d != nil {
		return d, nil
	}
	cat, ok := r.cat.(FileCatalog)
	if !ok {
		return nil, r.fail(n.span, "declare it with CREATE STREAM", "a file cannot be named here")
	}
	connector, options, columns, left, err := cat.File(n.text)
	if err != nil {
		return nil, r.fail(n.span, "", "%s", err)
	}
	d := &declaration{
		statement: &statement{kind: createStream, span: n.span, name: name{fileAlias(n.text), n.span}, stream: &streamNode{optionsAt: n.span}},
		source: &sourceDeclaration{fields: columns, time: -1, at: n.span, connector: connector, options: options, left: left,
			optionAt: map[string]optionNode{"connector": {valueAt: n.span}}},
	}
	if r.files == nil {
		r.files = map[string]*declaration{}
	}
	r.files[n.text] = d
	text := declarationText(d, "")
	if len(left) > 0 {
		text += " -- without " + strings.Join(left, ", ")
	}
	r.result.Inferred = append(r.result.Inferred, text)
	return d, nil
}

// fileAlias is the name by which a file's columns can be qualified.
func fileAlias(path string) string {
	base := filepath.Base(path)
	if i := strings.IndexByte(base, '.'); i > 0 {
		base = base[:i]
	}
	return strings.ToLower(base)
}

// declarationText writes the CREATE STREAM that means the same as naming the file;
// watermark is a column to put a WATERMARK on, or "".
func declarationText(d *declaration, watermark string) string {
	var columns []string
	for _, f := range d.source.fields {
		text := quoteName(f.Name) + " " + f.Type.String()
		if f.NotNull {
			text += " NOT NULL"
		}
		columns = append(columns, text)
	}
	if watermark != "" {
		w := quoteName(watermark)
		columns = append(columns, "WATERMARK FOR "+w+" AS "+w+" - INTERVAL '5' SECOND")
	}
	options := []string{"connector = '" + d.source.connector + "'"}
	for _, k := range keys(d.source.options) {
		options = append(options, k+" = '"+strings.ReplaceAll(d.source.options[k], "'", "''")+"'")
	}
	return "CREATE STREAM " + quoteName(d.statement.name.text) + " (" + strings.Join(columns, ", ") + ") WITH (" + strings.Join(options, ", ") + ")"
}

// quoteName writes a name so that it is read back.
func quoteName(s string) string {
	plain := s != "" && (s[0] < '0' || s[0] > '9')
	for _, c := range []byte(s) {
		plain = plain && (c == '_' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9')
	}
	if plain && !reserved[s] {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// fileLeaf resolves a file in FROM.
func (b *builder) fileLeaf(l *leaf, n name) error {
	d, err := b.file(n)
	if err != nil {
		return err
	}
	l.alias, l.describe, l.left = d.statement.name.text, "file '"+n.text+"'", d.source.left
	if l.window != nil && l.window.kind.Timed() {
		return b.fail(l.window.span, fileTimeHint(d), "a time window needs event time, and %s has none", l.describe)
	}
	if l.ref.time != nil {
		return b.fail(l.ref.time.span, fileTimeHint(d), "a time window needs event time, and %s has none", l.describe)
	}
	l.rel, err = b.source(d)
	return err
}

// fileTimeHint shows how to declare a file's event time.
func fileTimeHint(d *declaration) string {
	for _, f := range d.source.fields {
		if f.Type == stream.Timestamp {
			return "declare it with its WATERMARK: " + declarationText(d, f.Name)
		}
	}
	return "declare it with CREATE STREAM, with a column of type TIMESTAMP and a WATERMARK on it"
}
