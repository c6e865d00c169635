package job

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/sql"
)

// Session is a script that grows: declarations and settings stay until they are dropped or
// reset, and queries run one by one, each as a job of its own. It is used by one goroutine.
type Session struct {
	options  Options
	declared []sessionEntry // streams and views, oldest first
	settings []sessionEntry // SET statements, one for each name
}

// sessionEntry is a statement that lasts.
type sessionEntry struct {
	name   string
	kind   string // stream, table or view
	script Script
}

// NewSession begins a session. A SET in it goes before what the options say.
func NewSession(o Options) (*Session, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, &RequestError{err}
	}
	return &Session{options: o}, nil
}

// Prepare prepares a statement or a statement set, as sql.Split cuts a text. What it declares,
// sets or drops has happened when it returns; a plan that is Empty has nothing to start.
// Every error is a *RequestError, after which the session is as it was.
func (s *Session) Prepare(piece Script) (*Plan, error) {
	p, err := s.prepare(piece)
	if err != nil {
		return nil, &RequestError{err}
	}
	return p, nil
}

func (s *Session) prepare(piece Script) (*Plan, error) {
	statements, err := sql.Statements(piece, s.options.Vars)
	if err != nil {
		return nil, err
	}
	for _, st := range statements {
		switch {
		case st.Verb == sql.VerbQuery || st.Verb == sql.VerbSet && len(statements) > 1: // of a set, for it alone
		case len(statements) > 1:
			return nil, st.Fail("declare it before", "a statement set holds INSERT INTO and SET only")
		case st.Verb == sql.VerbDeclare:
			return s.declare(st, piece)
		case st.Verb == sql.VerbDrop:
			return s.drop(st)
		case st.Verb == sql.VerbSet:
			return s.set(st, piece)
		case st.Verb == sql.VerbReset:
			s.settings = without(s.settings, st.Name)
			return s.done("RESET"), nil
		}
	}
	return s.resolve(append(slices.Clone(s.declared), s.settings...), piece)
}

// resolve prepares scripts behind those that are known.
func (s *Session) resolve(known []sessionEntry, scripts ...Script) (*Plan, error) {
	res, err := sql.ResolveBehind(scriptsOf(known), scripts, catalog{}, s.options.Vars)
	if err != nil {
		return nil, err
	}
	o, err := s.options.settle(&res.Settings, true)
	if err != nil {
		return nil, err
	}
	return planOf(res, o)
}

func scriptsOf(entries []sessionEntry) []Script {
	var out []Script
	for _, e := range entries {
		out = append(out, e.script)
	}
	return out
}

func without(entries []sessionEntry, name string) []sessionEntry {
	if name == "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e sessionEntry) bool { return e.name == name })
}

func find(entries []sessionEntry, name string) *sessionEntry {
	for i := range entries {
		if entries[i].name == name {
			return &entries[i]
		}
	}
	return nil
}

// done is the plan of a statement that has happened.
func (s *Session) done(what string) *Plan {
	return &Plan{options: s.options, done: what}
}

// declare takes a CREATE in. What replaces something must suit the views that read it.
func (s *Session) declare(st sql.Statement, piece Script) (*Plan, error) {
	entry := sessionEntry{st.Name, st.Kind, piece}
	kind := strings.ToUpper(st.Kind)
	done := "CREATE " + kind
	if old := find(s.declared, st.Name); old != nil && !st.Replace {
		if st.Lenient {
			p := s.done(done)
			p.warnings = []string{fmt.Sprintf("%q is declared already; it stays as it is", st.Name)}
			return p, nil
		}
		return nil, st.Fail(fmt.Sprintf("CREATE OR REPLACE %s replaces it, DROP %s %s removes it", kind, strings.ToUpper(old.kind), st.Name), "%q is already declared", st.Name)
	}
	known := without(s.declared, st.Name)
	p, err := s.resolve(known, piece)
	if err != nil {
		return nil, err
	}
	if len(known) < len(s.declared) {
		if err := s.checkViews(append(known, entry)); err != nil {
			return nil, err
		}
	}
	s.declared = append(known, entry)
	p.done = done
	return p, nil
}

// checkViews resolves all views anew.
func (s *Session) checkViews(declared []sessionEntry) error {
	var streams, views []sessionEntry
	for _, e := range declared {
		if e.kind == "view" {
			views = append(views, e)
		} else {
			streams = append(streams, e)
		}
	}
	for i, v := range views {
		others := append(slices.Clone(streams), slices.Delete(slices.Clone(views), i, i+1)...)
		_, err := s.resolve(others, v.script)
		var mistake *sql.Error
		if errors.As(err, &mistake) {
			broken := *mistake
			broken.Message = fmt.Sprintf("view %s would be wrong: %s", v.name, broken.Message)
			return &broken
		}
		if err != nil {
			return fmt.Errorf("view %s would be wrong: %w", v.name, err)
		}
	}
	return nil
}

func (s *Session) drop(st sql.Statement) (*Plan, error) {
	done := "DROP " + strings.ToUpper(st.Kind)
	old := find(s.declared, st.Name)
	switch {
	case old == nil && st.Lenient:
		return s.done(done), nil
	case old == nil:
		hint := sql.Suggest(st.Name, namesOf(s.declared))
		if hint == "" {
			hint = "SHOW TABLES shows what there is"
		}
		return nil, st.Fail(hint, "%q does not exist", st.Name)
	case (old.kind == "view") != st.View():
		return nil, st.Fail("write DROP "+strings.ToUpper(old.kind)+" "+st.Name, "%q is no %s", st.Name, st.Kind)
	}
	for _, d := range s.Declared() {
		if slices.Contains(d.Reads, st.Name) {
			return nil, st.Fail("DROP VIEW "+d.Name+" first", "view %s reads %q", d.Name, st.Name)
		}
	}
	s.declared = without(s.declared, st.Name)
	return s.done(done), nil
}

func namesOf(entries []sessionEntry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.name)
	}
	return out
}

func (s *Session) set(st sql.Statement, piece Script) (*Plan, error) {
	others := without(s.settings, st.Name)
	p, err := s.resolve(append(slices.Clone(s.declared), others...), piece)
	if err != nil {
		return nil, err
	}
	s.settings = append(others, sessionEntry{name: st.Name, script: piece})
	p.done = "SET"
	return p, nil
}

// Declared are the streams and views of the session, for completion.
func (s *Session) Declared() []*sql.Declared {
	res, err := sql.ResolveBehind(scriptsOf(s.declared), nil, catalog{}, s.options.Vars)
	if err != nil {
		return nil
	}
	return res.Declared()
}

// Options are those of the session's next job, with its settings taken in.
func (s *Session) Options() Options {
	p, err := s.resolve(s.settings)
	if err != nil {
		return s.options
	}
	return p.options
}
