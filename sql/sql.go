// Package sql turns a script's text into a model: lexer, recursive-descent parser and
// resolver. It is the first step of a query's path; what it refuses, it refuses with a
// position, the reason and the nearest form that works, and what it accepts means
// exactly what the model says.
//
// Resolve is the entry point. The parser (parse_*.go) knows no names and no types; the
// resolver (resolve_*.go) knows both, asks a Catalog about connectors and builds the
// operators.
package sql

import (
	"errors"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Script is one file of a script, or the text of a command line.
type Script struct {
	Name string // shown in errors
	Text string
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
	Source(connector string, options map[string]string, columns []stream.Field) (Connection, error)
	Sink(connector string, options map[string]string, columns []stream.Field) (Connection, error)
}

// Result is a resolved script.
type Result struct {
	Model    *model.Model // every INSERT and bare SELECT, as one job
	Results  []string     // operator names of the bare SELECTs' sinks, by ordinal
	Explain  []Explained  // one for each EXPLAIN statement, not part of Model
	Settings Settings
	Warnings []string
}

// Explained is the query of an EXPLAIN statement, as a job of its own. Analyze is EXPLAIN
// ANALYZE: it is to be run, too.
type Explained struct {
	Model   *model.Model
	Analyze bool
}

// ErrNoQuery says that a script only declares things.
var ErrNoQuery = errors.New("the script has no query: add a SELECT or an INSERT INTO .. SELECT")

// RequireQuery returns ErrNoQuery if there is nothing to run or explain.
func (r *Result) RequireQuery() error {
	if len(r.Model.Ops) == 0 && len(r.Explain) == 0 {
		return ErrNoQuery
	}
	return nil
}

// Resolve parses and resolves scripts, which are one script in several files, with
// ${name} replaced from vars. A mistake in the text is an *Error.
func Resolve(scripts []Script, cat Catalog, vars map[string]string) (*Result, error) {
	var texts []*text
	var statements []*statement
	for i, s := range scripts {
		t, err := expand(s, vars)
		if err != nil {
			return nil, err
		}
		texts = append(texts, t)
		parsed, err := parse(t, i)
		if err != nil {
			return nil, err
		}
		statements = append(statements, parsed...)
	}
	r := newResolver(texts, cat)
	r.result.Warnings = unused(scripts, vars)
	if err := r.run(statements); err != nil {
		return nil, err
	}
	return r.result, nil
}
