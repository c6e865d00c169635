// Package sql turns a script's text into a model: lexer, recursive-descent parser and
// resolver. It is the first step of a query's path; what it refuses, it refuses with a
// position, the reason and the nearest form that works, and what it accepts means
// exactly what the model says.
//
// Resolve is the entry point, Split what cuts a script into statements for those who run
// one after the other. The parser (parse_*.go) knows no names and no types; the
// resolver (resolve_*.go) knows both, asks a Catalog about connectors and builds the
// operators.
package sql

import (
	"cmp"
	"errors"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Script is one file of a script, or the text of a command line.
type Script struct {
	Name string // shown in errors
	Text string
	Line int // lines before Text in the file it was cut out of (see Split)
}

// Connection is what a catalog answers about a stream's or sink's connector.
type Connection struct {
	Connector string            // canonical name
	Options   map[string]string // canonical names, all of them understood
	Bounded   bool              // sources: the rows end
	Warnings  []string
}

// Catalog knows the connectors. Options are the WITH clause's without "connector" and
// without those the resolver reads itself (see sourceOptions); columns are the physical
// ones. An error may be a *model.OptionError, which is then shown at that option.
type Catalog interface {
	// Connectors are the names of the connectors and their aliases, for DESCRIBE CONNECTOR.
	Connectors() []string
	Source(connector string, options map[string]string, columns []stream.Field) (Connection, error)
	Sink(connector string, options map[string]string, columns []stream.Field) (Connection, error)
}

// Result is a resolved script.
type Result struct {
	Model    *model.Model // every INSERT and bare SELECT, as one job
	Results  []string     // operator names of the bare SELECTs' sinks, by ordinal
	Explain  []Explained  // one for each EXPLAIN statement, not part of Model
	Shows    []Show       // one for each SHOW and DESCRIBE statement
	Settings Settings
	Warnings []string
	Inferred []string // CREATE STREAM statements that mean the same as the files in FROM

	resolver *resolver
}

// Explained is the query of an EXPLAIN statement, as a job of its own. Analyze is EXPLAIN
// ANALYZE: it is to be run, too.
type Explained struct {
	Model   *model.Model
	Analyze bool
}

// ErrNoQuery says that a script only declares things.
var ErrNoQuery = errors.New("the script has no query: add a SELECT or an INSERT INTO .. SELECT")

// RequireQuery returns ErrNoQuery if there is nothing to run, explain or show.
func (r *Result) RequireQuery() error {
	if len(r.Model.Ops) == 0 && len(r.Explain) == 0 && len(r.Shows) == 0 {
		return ErrNoQuery
	}
	return nil
}

// Resolve parses and resolves scripts, which are one script in several files, with
// ${name} replaced from vars. A mistake in the text is an *Error.
func Resolve(scripts []Script, cat Catalog, vars map[string]string) (*Result, error) {
	r, err := ResolveBehind(nil, scripts, cat, vars)
	if err == nil {
		r.Warnings = append(unused(scripts, vars), r.Warnings...)
	}
	return r, err
}

// ResolveBehind is Resolve for scripts that may use what others declared: known hold CREATE
// and SET statements, which are not checked again unless something uses them.
func ResolveBehind(known, scripts []Script, cat Catalog, vars map[string]string) (*Result, error) {
	r := newResolver(cat)
	var statements []*statement
	var found mistakes
	for i, s := range append(append([]Script(nil), known...), scripts...) {
		t, err := expand(s, vars)
		if err != nil {
			found.add(err)
			continue
		}
		r.texts = append(r.texts, t)
		parsed, errs := parse(t, len(r.texts)-1)
		found.add(errs...)
		for _, p := range parsed {
			p.known = i < len(known)
		}
		statements = append(statements, parsed...)
	}
	if found.err(nil) == nil { // else what is missing would look like mistakes, too
		r.run(statements, &found)
	}
	if err := found.err(append(append([]Script(nil), known...), scripts...)); err != nil {
		return nil, err
	}
	return r.result, nil
}

// mistakesMax is the number of mistakes that are told at once.
const mistakesMax = 20

// mistakes collects what is wrong with a script.
type mistakes struct {
	list  []*Error
	other error // what is no *Error
	found map[place]bool
}

// place is what tells a mistake from others.
type place struct {
	file         string
	line, column int
	message      string
}

// add notes mistakes, each place once: a wrong declaration is met by all that use it.
func (m *mistakes) add(errs ...error) {
	for _, err := range errs {
		var e *Error
		if err == nil {
			continue
		}
		if !errors.As(err, &e) {
			m.other = err
			continue
		}
		at := place{e.File, e.Line, e.Column, e.Message}
		if m.found[at] {
			continue
		}
		if m.found == nil {
			m.found = map[place]bool{}
		}
		m.found[at] = true
		m.list = append(m.list, e)
	}
}

// err is the first mistake of the scripts in their order, with the others in it, or nil.
func (m *mistakes) err(scripts []Script) error {
	if len(m.list) == 0 {
		return m.other
	}
	number := map[string]int{}
	for i, s := range scripts {
		number[s.Name] = i
	}
	slices.SortStableFunc(m.list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(number[a.File], number[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	first := *m.list[0]
	first.More = m.list[1:min(len(m.list), mistakesMax)]
	return &first
}
