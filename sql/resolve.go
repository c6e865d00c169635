package sql

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// resolver holds what is known of a whole script: its declarations and its INSERTs.
type resolver struct {
	texts   []*text
	cat     Catalog
	result  *Result
	streams map[string]*declaration
	files   map[string]*declaration // by path
	order   []*declaration          // of streams, as declared
	inserts map[string][]*statement // by target
	ordinal map[*statement]int      // of bare SELECTs
	warned  map[string]bool
}

// declaration is a CREATE statement. The rest is worked out at first use.
type declaration struct {
	statement *statement
	source    *sourceDeclaration
	bounded   *bool
	building  bool  // a view: guards against views that use themselves
	static    *bool // a view: isStatic's answer
}

func newResolver(cat Catalog) *resolver {
	r := &resolver{
		cat: cat, result: &Result{},
		streams: map[string]*declaration{}, inserts: map[string][]*statement{},
		ordinal: map[*statement]int{}, warned: map[string]bool{},
	}
	r.result.resolver = r
	return r
}

func (r *resolver) fail(s span, hint, format string, args ...any) error {
	return r.texts[s.script].failHint(s.from, s.to, hint, format, args...)
}

func (r *resolver) warn(message string) {
	if !r.warned[message] {
		r.warned[message] = true
		r.result.Warnings = append(r.result.Warnings, message)
	}
}

// run resolves all statements. Declarations count wherever they stand, so that the
// order of files does not matter.
func (r *resolver) run(statements []*statement, found *mistakes) {
	for _, s := range statements {
		found.add(r.declare(s))
	}
	r.result.Results = make([]string, len(r.ordinal))
	for _, s := range statements {
		if !s.known {
			found.add(r.checkDeclaration(s))
		}
	}
	b := newBuilder(r)
	for _, s := range statements {
		found.add(r.resolve(b, s))
	}
	r.erase(b.model)
	for _, e := range r.result.Explain {
		r.erase(e.Model)
	}
	r.result.Model = b.model
}

// resolve adds a query to the job, or what EXPLAIN or SHOW ask for to the result.
func (r *resolver) resolve(b *builder, s *statement) error {
	switch {
	case s.kind == showStatement:
		show, err := r.show(s)
		r.result.Shows = append(r.result.Shows, show)
		return err
	case s.query == nil || s.kind == createView:
		return nil
	case s.explain:
		b = newBuilder(r)
		r.result.Explain = append(r.result.Explain, Explained{Model: b.model, Analyze: s.analyze})
	}
	return b.output(s)
}

// declare takes note of a statement.
func (r *resolver) declare(s *statement) error {
	switch s.kind {
	case createStream, createView:
		if strings.Contains(s.name.text, "$") {
			return r.fail(s.name.span, "", "the name %q contains $, which names a stream's late, errors and arrival outputs", s.name.text)
		}
		if _, taken := r.streams[s.name.text]; taken {
			hint := ""
			if s.orReplace || s.ifNotExists {
				hint = "a script declares a name once; millrace sql knows OR REPLACE and IF NOT EXISTS"
			}
			return r.fail(s.name.span, hint, "%q is already declared", s.name.text)
		}
		d := &declaration{statement: s}
		r.streams[s.name.text] = d
		r.order = append(r.order, d)
	case insertStatement:
		if !s.explain {
			r.inserts[s.name.text] = append(r.inserts[s.name.text], s)
		}
	case setStatement:
		return r.set(s)
	case selectStatement:
		if !s.explain {
			r.ordinal[s] = len(r.ordinal)
		}
	case dropStatement:
		return r.fail(s.span, "leave its declaration out; millrace sql has DROP", "a script cannot drop %q", s.name.text)
	case resetStatement:
		return r.fail(s.span, "leave the SET out; millrace sql has RESET", "a script begins without settings")
	}
	return nil
}

// checkDeclaration reports mistakes in declarations that nothing uses, too.
func (r *resolver) checkDeclaration(s *statement) error {
	d := r.streams[s.name.text]
	switch {
	case d == nil || d.statement != s: // no declaration, or the second of its name
		return nil
	case s.kind == createView:
		_, err := newBuilder(r).view(d, s.name)
		return err
	}
	src, err := r.sourceOf(d)
	if err != nil || src.connector == "" || len(r.inserts[s.name.text]) > 0 {
		return err // without connector it may still be there to be read about; INSERT checks as a sink
	}
	return r.checkConnector(src)
}

// relation is what the resolver knows of an edge.
type relation struct {
	model.Relation
	edge model.Edge
	// static: made of bounded sources without event time only, so that it can be the
	// table of a lookup join.
	static bool
	// timed: per-instant relations only: every stream below has event time.
	timed bool
}

// builder makes the operators of one model.
type builder struct {
	*resolver
	model *model.Model
	names map[string]bool
	memo  map[memoKey]*relation
	// tableSide is set while the table of a lookup join is built: it has operators of its
	// own, because a table is read whole before the stream it is joined with begins.
	tableSide bool
	owner     string // view or sink that operators are made for
	label     string // owner's name with a dot, for made-up names
	owners    map[model.OpID]string
	done      map[*statement]bool
	active    map[*statement]bool
}

type memoKey struct {
	declaration any // *declaration or *commonTable
	tableSide   bool
}

func newBuilder(r *resolver) *builder {
	return &builder{
		resolver: r, model: &model.Model{}, names: map[string]bool{}, memo: map[memoKey]*relation{},
		owners: map[model.OpID]string{}, done: map[*statement]bool{}, active: map[*statement]bool{},
	}
}

// add appends an operator. One without a name is called after the view or sink it is
// made for and its kind: "congested.filter".
func (b *builder) add(op *model.Operator) *model.Operator {
	if op.Name == "" {
		op.Name = b.unique(b.label + op.Kind.String())
	}
	b.names[op.Name] = true
	b.model.Add(op)
	b.owners[op.ID] = b.owner
	return op
}

// unique returns the name, or the name with the first free number.
func (b *builder) unique(name string) string {
	out := name
	for i := 2; b.names[out] || out != name && b.streams[out] != nil; i++ {
		out = fmt.Sprintf("%s_%d", name, i)
	}
	return out
}

// rename gives the operator behind a relation the name of a view or WITH query.
func (b *builder) rename(r *relation, name string) {
	op := b.model.Ops[r.edge.Op]
	delete(b.names, op.Name)
	op.Name = b.unique(name)
	b.names[op.Name] = true
}

// derive adds an operator on inputs and returns its relation, with the properties that
// are inherited.
func (b *builder) derive(op *model.Operator, inputs ...*relation) *relation {
	out := &relation{static: true, timed: true}
	for _, in := range inputs {
		op.Inputs = append(op.Inputs, in.edge)
		out.static = out.static && in.static
		out.timed = out.timed && in.timed
	}
	b.add(op)
	out.Relation, out.edge = op.Relation, model.Edge{Op: op.ID, Port: model.Out}
	return out
}

// output resolves an INSERT or a bare SELECT once.
func (b *builder) output(s *statement) error {
	if b.done[s] {
		return nil
	}
	if b.active[s] {
		return b.fail(s.name.span, "", "the errors of %q are written into %q itself", s.name.text, s.name.text)
	}
	b.active[s] = true
	outer, label := b.owner, b.label
	defer func() { b.owner, b.label, b.active[s], b.done[s] = outer, label, false, true }()
	if s.kind == insertStatement {
		return b.insert(s)
	}
	ordinal := b.ordinal[s]
	base := model.ResultConnector
	if ordinal > 0 {
		base = fmt.Sprintf("%s_%d", base, ordinal)
	}
	b.owner, b.label = "select", base+"."
	rel, err := b.query(s.query, nil)
	if err != nil {
		return err
	}
	sink := &model.Operator{
		Kind: model.SinkOp, Name: b.unique(base), Relation: rel.Relation,
		Sink: &model.Sink{Connector: model.ResultConnector, Result: ordinal},
	}
	b.derive(sink, rel)
	if !s.explain {
		b.result.Results[ordinal] = sink.Name
	}
	return nil
}

// view resolves a view once for each model and side.
func (b *builder) view(d *declaration, at name) (*relation, error) {
	key := memoKey{d, b.tableSide}
	if rel := b.memo[key]; rel != nil {
		return rel, nil
	}
	if d.building {
		return nil, b.fail(at.span, "", "view %q uses itself", d.statement.name.text)
	}
	d.building = true
	outer, label := b.owner, b.label
	b.owner, b.label = d.statement.name.text, d.statement.name.text+"."
	defer func() { d.building, b.owner, b.label = false, outer, label }()
	rel, err := b.query(d.statement.query, nil)
	if err != nil {
		return nil, err
	}
	b.rename(rel, d.statement.name.text)
	b.memo[key] = rel
	return rel, nil
}

func cloneFields(fields []stream.Field) []stream.Field { return append([]stream.Field(nil), fields...) }
